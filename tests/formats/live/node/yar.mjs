import hapi from "@hapi/hapi";
import yar from "@hapi/yar";

export const listen = async (options, answer) => {
  const server = hapi.server({ host: "127.0.0.1", port: 0 });
  await server.register({ plugin: yar, options });
  server.route({
    method: "*",
    path: "/{any*}",
    handler: (request) =>
      answer(request.method.toUpperCase(), request.path, {
        get data() {
          return request.yar._store;
        },
        set: (values) => request.yar.set(values),
        destroy: () => request.yar.reset(),
      }),
  });
  await server.start();
  return server.info.port;
};
