// A front end's own server handlers: `node front-end.mjs PACKAGE OPTIONS`, the options as JSON. Prints its port.
// Auth.js and NextAuth are mounted at /api/auth, Better Auth too; h3 and Nuxt have /sign-in/USER, /grow/SIZE and /sign-out.
import { createServer } from "node:http";
import { Readable } from "node:stream";

const options = JSON.parse(process.argv[3]);

const asRequest = (request) =>
  new Request(new URL(request.url, `http://${request.headers.host}`), {
    method: request.method,
    headers: request.headers,
    body: ["GET", "HEAD"].includes(request.method) ? undefined : Readable.toWeb(request),
    duplex: "half",
  });

const send = async (response, answer) => {
  const headers = Object.fromEntries(answer.headers);
  delete headers["set-cookie"];
  response.writeHead(answer.status, { ...headers, "set-cookie": answer.headers.getSetCookie() });
  response.end(Buffer.from(await answer.arrayBuffer()));
};

// Whoever gives a name is that user; `note` makes the session as large as it is long.
const credentials = {
  credentials: { name: {}, note: {} },
  authorize: ({ name, note }) => ({ id: `id of ${name}`, name, email: `${name}@example.com`, note }),
};
const callbacks = {
  jwt: ({ token, user }) => ({ ...token, ...(user?.note && { note: user.note }) }),
};

const authjs = async () => {
  const { Auth } = await import("@auth/core");
  const { default: Credentials } = await import("@auth/core/providers/credentials");
  const config = { ...options, basePath: "/api/auth", trustHost: true, providers: [Credentials(credentials)], callbacks };
  return async (request, response) => send(response, await Auth(asRequest(request), config));
};

const nextAuth = async () => {
  const { default: NextAuth } = await import("next-auth/next");
  const { default: Credentials } = await import("next-auth/providers/credentials");
  const config = { ...options, providers: [Credentials.default?.(credentials) ?? Credentials(credentials)], callbacks };
  return async (request, response) => {
    const url = new URL(request.url, `http://${request.headers.host}`);
    const pairs = (request.headers.cookie ?? "").split("; ").filter(Boolean);
    request.cookies = Object.fromEntries(
      pairs.map((pair) => [pair.split("=")[0], decodeURIComponent(pair.slice(pair.indexOf("=") + 1))]),
    );
    request.query = { ...Object.fromEntries(url.searchParams), nextauth: url.pathname.split("/").slice(3) };
    request.body = Object.fromEntries(new URLSearchParams(await new Response(Readable.toWeb(request)).text()));
    response.status = (code) => Object.assign(response, { statusCode: code });
    response.send = (body) => response.end(typeof body === "string" ? body : JSON.stringify(body));
    response.json = (body) => response.setHeader("content-type", "application/json").end(JSON.stringify(body));
    await (NextAuth.default ?? NextAuth)(request, response, config);
  };
};

const betterAuth = async () => {
  const { DatabaseSync } = await import("node:sqlite");
  const { betterAuth: create } = await import("better-auth");
  const { getMigrations } = await import("better-auth/db/migration");
  const { jwt } = await import("better-auth/plugins");
  const { database, publicKey, ...rest } = options;
  const config = {
    ...rest,
    database: new DatabaseSync(database),
    emailAndPassword: { enabled: true },
    user: { additionalFields: { note: { type: "string", required: false } } },
    plugins: publicKey ? [jwt({ sessionCookieCache: true })] : [],
    trustedOrigins: ["*"],
    rateLimit: { enabled: false },
  };
  const { runMigrations } = await getMigrations(config);
  await runMigrations();
  const auth = create(config);
  return async (request, response) => send(response, await auth.handler(asRequest(request)));
};

// `useSession` is h3's in both versions; only how an event is made differs.
const h3Sessions = (open) => async (event, path) => {
  const session = await open(event);
  const [, action, value] = path.split("/");
  if (action === "sign-in") await session.update({ user: { id: value } });
  if (action === "grow") await session.update({ note: "n".repeat(Number(value)) });
  if (action === "sign-out") await session.clear();
  return { id: session.id, data: session.data };
};

const h3 = async () => {
  const { H3, toNodeHandler, useSession } = await import("h3");
  const act = h3Sessions((event) => useSession(event, options));
  return toNodeHandler(new H3().all("/**", (event) => act(event, event.url.pathname)));
};

const nuxt = async () => {
  const { createApp, defineEventHandler, toNodeListener, useSession } = await import("h3-v1");
  const act = h3Sessions((event) => useSession(event, options));
  return toNodeListener(createApp().use(defineEventHandler((event) => act(event, event.path))));
};

const handler = await { "@auth/core": authjs, "better-auth": betterAuth, h3, "next-auth": nextAuth, nuxt }[process.argv[2]]();
const server = createServer(handler);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
