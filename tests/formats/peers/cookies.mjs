// Cookie headers and back, without decoding anything.
export const header = (cookies) =>
  Object.entries(cookies)
    .map(([name, value]) => `${name}=${value}`)
    .join("; ");

export const setCookies = (headers) =>
  Object.fromEntries(
    [headers["set-cookie"] ?? []].flat().map((line) => {
      const pair = line.split(";")[0];
      return [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)];
    }),
  );

// One instance for each set of options, since some derive keys slowly.
export const cached = (make) => {
  const made = new Map();
  return (options) => {
    const key = JSON.stringify(options);
    if (!made.has(key)) made.set(key, make(options));
    return made.get(key);
  };
};
