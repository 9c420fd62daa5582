import cookieSession from "cookie-session";

import { run } from "./connect.mjs";

export const seal = async (options, data) => {
  const { cookies } = await run(cookieSession({ ...options }), {}, (request) => {
    request.session = data;
  });
  return { cookies };
};

export const open = async (options, sent) => {
  const { result } = await run(cookieSession({ ...options }), sent, (request) =>
    request.session.isNew ? null : { ...request.session },
  );
  return { data: result };
};
