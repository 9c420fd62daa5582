import iron from "@hapi/iron";

// JSON brings bytes as {"$hex": ...}.
const revived = (value) => {
  if (value === null || typeof value !== "object") return value;
  if ("$hex" in value) return Buffer.from(value.$hex, "hex");
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revived(item)]));
};

const settings = ({ encryption, integrity, ttl }) => ({
  ...iron.defaults,
  encryption: { ...iron.defaults.encryption, ...encryption },
  integrity: { ...iron.defaults.integrity, ...integrity },
  ttl: ttl ?? 0,
});

export const seal = async (options, data) => ({
  cookies: { [options.cookieName]: await iron.seal(data, revived(options.sealing ?? options.password), settings(options)) },
});

export const open = async (options, cookies) => ({
  data: await iron.unseal(cookies[options.cookieName], revived(options.password), settings(options)).catch(() => null),
});
