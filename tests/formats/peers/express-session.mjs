import session from "express-session";

import { run } from "./connect.mjs";
import { cached } from "./cookies.mjs";

const application = cached((options) => {
  const store = new session.MemoryStore();
  return { store, middleware: session({ resave: false, saveUninitialized: true, store, ...options }) };
});

export const seal = async (options, data) => {
  const { store, middleware } = application(options);
  const { result, cookies } = await run(middleware, {}, (request) => {
    Object.assign(request.session, data);
    return request.sessionID;
  });
  // MemoryStore keeps the JSON that connect-redis would write.
  return { cookies, store: { [result]: store.sessions[result] } };
};

export const open = async (options, sent) => {
  const { middleware } = application(options);
  const { result, cookies } = await run(middleware, sent, (request) => {
    const { cookie, ...data } = request.session;
    return data;
  });
  return { data: Object.keys(cookies).length ? null : result };
};
