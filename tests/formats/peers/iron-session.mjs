import { getIronSession } from "iron-session";

import { header, setCookies } from "./cookies.mjs";

const session = async (options, cookies, refused = {}) => {
  const request = new Request("https://peer.test/", { headers: { cookie: header(cookies) } });
  const response = new Response();
  const onUnsealError = () => {
    refused.yes = true;
  };
  return { response, session: await getIronSession(request, response, { ...options, onUnsealError }) };
};

export const seal = async (options, data) => {
  const { response, session: sealed } = await session(options, {});
  Object.assign(sealed, data);
  await sealed.save();
  return { cookies: setCookies({ "set-cookie": response.headers.getSetCookie() }) };
};

export const open = async (options, cookies) => {
  const refused = {};
  const { session: opened } = await session(options, cookies, refused);
  return { data: refused.yes ? null : { ...opened } };
};
