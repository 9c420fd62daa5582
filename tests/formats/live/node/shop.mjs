// A shop on the same host as FastSession's: `node shop.mjs PACKAGE OPTIONS`, the options as JSON. Prints its port.
import { createServer } from "node:http";

import * as clientSessions from "./client-sessions.mjs";
import * as iron from "./iron.mjs";
import * as ironSession from "./iron-session.mjs";
import * as yar from "./yar.mjs";

const packages = { "@hapi/iron": iron, "@hapi/yar": yar, "client-sessions": clientSessions, "iron-session": ironSession };

// GET /session, POST /cart/ITEM and POST /logout, each answered with what the session holds.
const answer = async (method, url, session) => {
  const [, path, item] = url.split("/");
  if (method === "POST" && path === "cart") {
    await session.set({ cart: [...(session.data.cart ?? []), item] });
  } else if (method === "POST" && path === "logout") {
    await session.destroy();
  }
  return JSON.stringify(session.data);
};

const { listen, sessionOf } = packages[process.argv[2]];
const options = JSON.parse(process.argv[3]);
if (listen) {
  console.log(await listen(options, answer));
} else {
  const open = sessionOf(options);
  const server = createServer(async (request, response) => {
    response.end(await answer(request.method, request.url, await open(request, response)));
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}
