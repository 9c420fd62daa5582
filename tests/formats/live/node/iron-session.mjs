import { getIronSession } from "iron-session";

export const sessionOf = (options) => async (request, response) => {
  const session = await getIronSession(request, response, { ...options, cookieOptions: { secure: false } });
  return {
    get data() {
      return { ...session };
    },
    async set(values) {
      Object.assign(session, values);
      await session.save();
    },
    destroy: () => session.destroy(),
  };
};
