// h3's sessions, which both versions serve by a web handler; nuxt-auth-utils are the same under another name.
import * as first from "h3-v1";
import * as second from "h3";

const handlers = {
  1: (act) => first.toWebHandler(first.createApp().use(first.defineEventHandler((event) => act(event, first)))),
  2: (act) => (request) => new second.H3().all("/**", (event) => act(event, second)).fetch(request),
};

const serve = ({ version, ...config }, act, headers = {}) =>
  handlers[version](async (event, h3) => act(await h3.useSession(event, config)))(
    new Request("http://localhost/", { headers }),
  );

export const seal = async (options, data) => {
  const response = await serve(options, async (session) => (await session.update(data), "done"));
  // A new session is set at once, and again with its data.
  const pairs = response.headers.getSetCookie().map((line) => line.split(";", 1)[0]);
  return { cookies: Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf("=")), pair.slice(pair.indexOf("=") + 1)])) };
};

export const open = async (options, cookies) => {
  const header = Object.entries(cookies).map(([name, value]) => `${name}=${value}`).join("; ");
  const response = await serve(options, (session) => ({ data: session.data }), { cookie: header });
  // Whatever is wrong with a cookie, a fresh session takes its place.
  return response.headers.getSetCookie().length ? { data: null } : response.json();
};
