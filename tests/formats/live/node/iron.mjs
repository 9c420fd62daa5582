import iron from "@hapi/iron";

export const sessionOf = ({ cookieName, password, ttl }) => {
  const settings = { ...iron.defaults, ttl };
  return async (request, response) => {
    const pairs = (request.headers.cookie ?? "").split("; ").map((pair) => pair.split("="));
    const sealed = Object.fromEntries(pairs)[cookieName];
    let data = sealed ? await iron.unseal(sealed, password, settings) : {};
    return {
      get data() {
        return data;
      },
      async set(values) {
        data = { ...data, ...values };
        response.setHeader("Set-Cookie", `${cookieName}=${await iron.seal(data, password, settings)}; Path=/; HttpOnly`);
      },
      destroy() {
        data = {};
        response.setHeader("Set-Cookie", `${cookieName}=; Path=/; Max-Age=0; HttpOnly`);
      },
    };
  };
};
