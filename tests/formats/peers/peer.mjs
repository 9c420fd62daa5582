// Reads requests from stdin and answers on stdout, one line of JSON each.
//   {format, operation: "seal", options, data}     -> {cookies, store}   cookies by name, raw
//   {format, operation: "open", options, cookies}  -> {data}             null when there is no session
import { createInterface } from "node:readline";

import * as clientSessions from "./client-sessions.mjs";
import * as cookieSession from "./cookie-session.mjs";
import * as expressSession from "./express-session.mjs";
import * as h3 from "./h3.mjs";
import * as iron from "./iron.mjs";
import * as ironSession from "./iron-session.mjs";
import * as secureSession from "./secure-session.mjs";
import * as yar from "./yar.mjs";

const formats = {
  "client-sessions": clientSessions,
  "cookie-session": cookieSession,
  "express-session": expressSession,
  "fastify-secure-session": secureSession,
  h3,
  "hapi-iron": iron,
  "hapi-yar": yar,
  "iron-session": ironSession,
};

for await (const line of createInterface({ input: process.stdin })) {
  const { format, operation, options, data, cookies } = JSON.parse(line);
  let answer;
  try {
    answer = await formats[format][operation](options, operation === "seal" ? data : cookies);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
