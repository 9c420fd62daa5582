// Times the Node packages. Reads the sessions to seal as one line of JSON ({size: session}), answers
// "ready", and then, for every further line, times one batch of everything and answers a line of
// JSON: [name, deed, size, microseconds of CPU, microseconds of wall time] each.
import { strict as assert } from "node:assert";
import { randomBytes } from "node:crypto";
import { IncomingMessage, ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import secureSession from "@fastify/secure-session";
import * as Iron from "@hapi/iron";
import clientSessions from "client-sessions";
import expressSession from "express-session";
import Fastify from "fastify";
import { sealData, unsealData } from "iron-session";

const BATCH_MICROSECONDS = 4000;
// Time for the compiler to see what is worth compiling.
const WARM_UP_MICROSECONDS = 150_000;
const secret = randomBytes(32).toString("hex");
const sizes = {};
const tasks = [];

const fastify = Fastify();
fastify.register(secureSession, { key: randomBytes(32) });
await fastify.ready();
const clientOptions = { cookieName: "session", secret };

const packages = {
  "client-sessions": {
    seal: (session) => clientSessions.util.encode(clientOptions, session),
    open: (cookie) => clientSessions.util.decode(clientOptions, cookie).content,
  },
  "iron-session": {
    seal: (session) => sealData(session, { password: secret }),
    open: (cookie) => unsealData(cookie, { password: secret }),
  },
  "@hapi/iron": {
    seal: (session) => Iron.seal(session, secret, Iron.defaults),
    open: (cookie) => Iron.unseal(cookie, secret, Iron.defaults),
  },
  "@fastify/secure-session": {
    seal: (session) => fastify.encodeSecureSession(fastify.createSecureSession(session)),
    open: (cookie) => fastify.decodeSecureSession(cookie).data(),
  },
};

// express-session keeps the session in a store and seals nothing: the whole middleware, on its MemoryStore.
const express = expressSession({ secret, resave: false, saveUninitialized: false, cookie: { secure: false } });

function respond(cookie, use) {
  return new Promise((resolve, reject) => {
    const request = new IncomingMessage(null);
    Object.assign(request, { url: "/", originalUrl: "/", connection: {}, headers: cookie ? { cookie } : {} });
    const response = new ServerResponse(request);
    response.on("finish", () => resolve({ cookie: response.getHeader("set-cookie"), used: request.used }));
    response.assignSocket(new Sink());
    express(request, response, (error) => {
      if (error) return reject(error);
      request.used = use(request.session);
      response.end("42");
    });
  });
}

class Sink extends Writable {
  _write(_chunk, _encoding, done) {
    done();
  }
}

async function prepare() {
  for (const [size, session] of Object.entries(sizes)) {
    for (const [name, { seal, open }] of Object.entries(packages)) {
      const cookie = await seal({ ...session });
      const { __ts, ...opened } = await open(cookie);
      assert.deepEqual(opened, session, name);
      tasks.push({ name, size, deed: "seal", run: () => seal({ ...session }) });
      tasks.push({ name, size, deed: "open", run: () => open(cookie) });
    }
    const { cookie } = await respond("", (held) => Object.assign(held, session));
    const line = [cookie].flat()[0].split(";")[0];
    const read = (held) => held.user_id;
    assert.equal((await respond(line, read)).used, session.user_id, "express-session");
    let count = 0;
    const write = (held) => (held.count = ++count);
    tasks.push({ name: "express-session", size, deed: "read", run: () => respond(line, read) });
    tasks.push({ name: "express-session", size, deed: "write", run: () => respond(line, write) });
  }
  for (const task of tasks) {
    task.count = 50;
    const first = await batch(task);
    task.count = Math.round(WARM_UP_MICROSECONDS / first.wall);
    const { wall } = await batch(task);
    task.count = Math.max(5, Math.round(BATCH_MICROSECONDS / wall));
  }
}

async function batch({ run, count }) {
  const usage = process.cpuUsage();
  const start = process.hrtime.bigint();
  for (let i = 0; i < count; i++) await run();
  const wall = Number(process.hrtime.bigint() - start) / 1000;
  const { user, system } = process.cpuUsage(usage);
  return { cpu: (user + system) / count, wall: wall / count };
}

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
Object.assign(sizes, JSON.parse((await lines.next()).value));
await prepare();
console.log("ready");
for await (const _ of lines) {
  const measured = [];
  for (const task of tasks) {
    const { cpu, wall } = await batch(task);
    measured.push([task.name, task.deed, task.size, cpu, wall]);
  }
  console.log(JSON.stringify(measured));
}
process.exit(0);
