// Serves route handlers: `node routes.mjs FOLDER`. app/NAME/route.js answers /NAME, with a function for each method.
import { createServer } from "node:http";
import { resolve } from "node:path";

const server = createServer(async (incoming, outgoing) => {
  const { method, headers } = incoming;
  const url = new URL(incoming.url, "http://127.0.0.1");
  const handlers = await import(resolve(process.argv[2], `app${url.pathname}`, "route.js"));
  const body = method === "GET" ? undefined : await new Response(incoming).text();
  const response = await handlers[method](new Request(url, { method, headers, body }));
  outgoing.writeHead(response.status, [...response.headers].flat());
  outgoing.end(await response.text());
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
