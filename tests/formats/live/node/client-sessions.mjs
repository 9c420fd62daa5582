import clientSessions from "client-sessions";

export const sessionOf = (options) => {
  const middleware = clientSessions({ ...options, requestKey: "session" });
  return (request, response) =>
    new Promise((resolve, reject) =>
      middleware(request, response, (error) => {
        if (error) return reject(error);
        resolve({
          get data() {
            return { ...request.session };
          },
          set: (values) => Object.assign(request.session, values),
          destroy: () => request.session.destroy(),
        });
      }),
    );
};
