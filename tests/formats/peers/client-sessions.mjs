import clientSessions from "client-sessions";

import { run } from "./connect.mjs";

// The package keeps its Buffers in the options, so they are made afresh; JSON brings them as hex.
const middleware = ({ encryptionKey, signatureKey, ...options }) =>
  clientSessions({
    ...options,
    requestKey: "session",
    ...(encryptionKey && { encryptionKey: Buffer.from(encryptionKey, "hex") }),
    ...(signatureKey && { signatureKey: Buffer.from(signatureKey, "hex") }),
  });

export const seal = async (options, data) => {
  const { cookies } = await run(middleware(options), {}, (request) => {
    for (const [key, value] of Object.entries(data)) request.session[key] = value;
    if (!Object.keys(data).length) request.session.reset();
  });
  return { cookies };
};

// A session that was turned away is an empty one that is set anew.
export const open = async (options, sent) => {
  const { result, cookies } = await run(middleware(options), sent, (request) => ({ ...request.session }));
  return { data: options.cookieName in cookies && !Object.keys(result).length ? null : result };
};
