import secureSession from "@fastify/secure-session";
import fastify from "fastify";

import { cached, header, setCookies } from "./cookies.mjs";

// JSON brings keys as hex.
const application = cached(async ({ key, ...options }) => {
  const app = fastify();
  const keys = key?.map((one) => Buffer.from(one, "hex"));
  await app.register(secureSession, { ...options, ...(keys && { key: keys }) });
  app.post("/", async (request) => {
    for (const [name, value] of Object.entries(request.body)) request.session.set(name, value);
    request.session.touch();
    return {};
  });
  app.get("/", async (request) => ({ data: request.session.data() }));
  return app;
});

export const seal = async (options, data) => {
  const app = await application(options);
  const response = await app.inject({ method: "POST", url: "/", payload: data });
  return { cookies: setCookies(response.headers) };
};

export const open = async (options, cookies) => {
  const app = await application(options);
  const response = await app.inject({ url: "/", headers: { cookie: header(cookies) } });
  const { data } = response.json();
  return { data: Object.keys(data).length ? data : null };
};
