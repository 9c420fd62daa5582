// Runs connect-style middleware against one request in memory.
import inject from "light-my-request";

import { header, setCookies } from "./cookies.mjs";

export const run = async (middleware, cookies, handle) => {
  let result;
  const response = await inject(
    (request, response) =>
      middleware(request, response, (error) => {
        if (error) throw error;
        result = handle(request);
        response.end("done");
      }),
    { url: "/", headers: Object.keys(cookies).length ? { cookie: header(cookies) } : {} },
  );
  return { result, cookies: setCookies(response.headers) };
};
