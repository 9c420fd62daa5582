import hapi from "@hapi/hapi";
import yar from "@hapi/yar";

import { cached, header, setCookies } from "./cookies.mjs";

const application = cached(async (options) => {
  const server = hapi.server();
  await server.register({ plugin: yar, options: { storeBlank: false, maxCookieSize: 4000, ...options } });
  server.route({
    method: "POST",
    path: "/",
    handler: (request) => {
      request.yar.set(request.payload);
      return {};
    },
  });
  server.route({ method: "GET", path: "/", handler: (request) => ({ id: request.yar.id, data: request.yar._store }) });
  await server.initialize();
  return server;
});

export const seal = async (options, data) => {
  const server = await application(options);
  const response = await server.inject({ method: "POST", url: "/", payload: data });
  return { cookies: setCookies(response.headers) };
};

// A cookie that was turned away is cleared.
export const open = async (options, cookies) => {
  const server = await application(options);
  const response = await server.inject({ url: "/", headers: { cookie: header(cookies) } });
  const refused = Object.keys(setCookies(response.headers)).length > 0;
  return refused ? { data: null } : JSON.parse(response.payload);
};
