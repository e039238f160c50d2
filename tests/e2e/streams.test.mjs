// SPDX-License-Identifier: Apache-2.0
// What servers say before they answer, on its way to clients: progress and log messages on the
// call's own stream, changes on the session's, resumption of streams that broke, and a client that
// does not read.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  CLIENTS,
  EVERYTHING,
  LEGACY,
  MCPD,
  NODE,
  compile,
  connect,
  connectStdio,
  decent,
  fixture,
  openLegacy,
  scratch,
  startGateway,
  until,
} from "./lib.mjs";

const POLICY = `policy "streams" version 1;
server "chatty";
server "every";
default deny;
allow tool "*";
allow logging;
`;

async function gatewayWith(t, limits = {}) {
  const policy = await compile(scratch(t), "streams", POLICY);
  const gateway = await startGateway(t, {
    servers: {
      chatty: { command: [NODE, fixture("chatty")] },
      every: { command: [NODE, EVERYTHING, "stdio"] },
    },
    principals: { "dev-1": {}, "dev-2": {} },
    limits,
  });
  const one = await gateway.grant({ servers: ["chatty", "every"], policy });
  const two = await gateway.grant({ principal: "dev-2", servers: ["chatty", "every"], policy });
  return { gateway, policy, one, two };
}

/** The events of a response body as they come: {id, data, retry}; data undefined for a comment. */
async function* eventsOf(response) {
  let text = "";
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    text += part;
    for (let at; (at = text.indexOf("\n\n")) >= 0; text = text.slice(at + 2)) {
      const event = {};
      for (const line of text.slice(0, at).split("\n")) {
        const colon = line.indexOf(":");
        event[line.slice(0, colon)] = line.slice(colon + 1).trimStart();
      }
      yield { ...event, message: event.data ? JSON.parse(event.data) : undefined };
    }
  }
}

async function collect(response, count = Infinity) {
  const out = [];
  for await (const event of eventsOf(response)) {
    out.push(event);
    if (out.length >= count) break;
  }
  return out;
}

const ask = (gateway, token, alias, options = {}) => {
  const { headers = {}, ...rest } = options;
  const all = Object.fromEntries(decent(gateway.port, token, headers));
  delete all.Host;
  return fetch(gateway.url(alias), { headers: all, ...rest });
};

const inSession = (session, more = {}) => ({ "Mcp-Session-Id": session.sid, "MCP-Protocol-Version": LEGACY, ...more });

const steps = (args, id = 7) =>
  JSON.stringify({
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: "get_steps", arguments: args, _meta: { progressToken: "mine" } },
  });

/* SDK clients may drop the last one when the answer comes with it in one read. */
function assertRising(seen, kind) {
  assert.deepEqual(seen.slice(0, 2), [1, 2], kind);
  assert.ok(seen.length === 2 || (seen.length === 3 && seen[2] === 3), `${kind}: ${seen}`);
}

test("progress reaches every kind of client, over HTTP", async (t) => {
  const { gateway, one } = await gatewayWith(t);
  for (const kind of CLIENTS) {
    const client = await connect(t, kind, gateway.url("every"), one.token);
    const seen = [];
    const result = await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.3, steps: 3 } },
      ...(kind === "v1" ? [undefined] : []),
      { onprogress: (p) => seen.push(p.progress) },
    );
    assert.match(result.content[0].text, /completed/, kind);
    assertRising(seen, kind);
  }
});

test("progress reaches a client of mcpd run", async (t) => {
  const { policy } = await gatewayWith(t);
  for (const kind of ["v1", "v2 auto"]) {
    const args = ["run", "--policy", policy, "--server", "every", "--", NODE, EVERYTHING, "stdio"];
    const client = await connectStdio(t, kind, MCPD, args);
    const seen = [];
    await client.callTool(
      { name: "trigger-long-running-operation", arguments: { duration: 0.3, steps: 3 } },
      ...(kind === "v1" ? [undefined] : []),
      { onprogress: (p) => seen.push(p.progress) },
    );
    assertRising(seen, kind);
  }
});

test("an answer is JSON when nothing comes before it, else a stream that ends with it", async (t) => {
  const { gateway, one } = await gatewayWith(t);
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const headers = inSession(session);
  const plain = await ask(gateway, one.token, "chatty", { method: "POST", headers, body: steps({ count: 0 }) });
  assert.equal(plain.headers.get("content-type"), "application/json");
  assert.equal((await plain.json()).id, 7);
  const streamed = await ask(gateway, one.token, "chatty", { method: "POST", headers, body: steps({ count: 2 }) });
  assert.equal(streamed.headers.get("content-type"), "text/event-stream");
  assert.equal(streamed.headers.get("x-accel-buffering"), "no");
  const [priming, first, second, last] = await collect(streamed);
  assert.equal(priming.data, "");
  assert.match(priming.id, /^\d+-0$/);
  assert.equal(priming.retry, "1000");
  assert.deepEqual(first.message.params, { progressToken: "mine", progress: 1, total: 2, message: "" });
  assert.equal(second.message.params.progress, 2);
  assert.equal(last.message.id, 7);
  assert.equal(new Set([priming, first, second, last].map((e) => e.id)).size, 4);
  const wrong = { jsonrpc: "2.0", id: 8, method: "tools/call", params: { name: "put_wrong", _meta: { progressToken: 1 } } };
  const none = await ask(gateway, one.token, "chatty", { method: "POST", headers, body: JSON.stringify(wrong) });
  assert.equal(none.headers.get("content-type"), "application/json", "foreign tokens are not passed on");
});

test("a session's own stream ends with its grant", async (t) => {
  const { gateway, one, two } = await gatewayWith(t);
  const open = async (token) => {
    const session = await openLegacy(gateway.port, "chatty", token);
    const stream = await ask(gateway, token, "chatty", { method: "GET", headers: inSession(session) });
    assert.equal(stream.status, 200);
    return stream.body.getReader();
  };
  const ended = await open(one.token);
  const other = await open(two.token);
  await gateway.revoke(one.id);
  const over = (async () => {
    for (;;) if ((await ended.read()).done) return "over";
  })().catch(() => "over");
  const waited = new Promise((done) => setTimeout(done, 3000, "still open").unref());
  assert.equal(await Promise.race([over, waited]), "over");
  const goesOn = (async () => {
    for (;;) if ((await other.read()).done) return "over";
  })().catch(() => "over");
  const moment = new Promise((done) => setTimeout(done, 500, "still open"));
  assert.equal(await Promise.race([goesOn, moment]), "still open");
  await other.cancel();
});

test("a stream that broke is resumed by its own session alone", async (t) => {
  const { gateway, one, two } = await gatewayWith(t);
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const headers = inSession(session);
  const cut = new AbortController();
  const broken = await ask(gateway, one.token, "chatty", {
    method: "POST",
    headers,
    body: steps({ count: 5, ms: 100 }),
    signal: cut.signal,
  });
  const [, seen] = await collect(broken, 2);
  cut.abort();
  const other = await openLegacy(gateway.port, "chatty", two.token);
  const resume = (token, change) =>
    ask(gateway, token, "chatty", { headers: { ...headers, "Content-Type": undefined, ...change } });
  for (const [token, change, status] of [
    [two.token, { "Last-Event-ID": seen.id }, 404],
    [two.token, { "Last-Event-ID": seen.id, "Mcp-Session-Id": other.sid }, 400],
    [one.token, { "Last-Event-ID": "99-1" }, 400],
    [one.token, { "Last-Event-ID": `${seen.id}0` }, 400],
    [one.token, { "Last-Event-ID": "" }, 400],
  ]) {
    const refused = await resume(token, change);
    assert.equal(refused.status, status, JSON.stringify(change));
    await refused.body.cancel();
  }
  const rest = await collect(await resume(one.token, { "Last-Event-ID": seen.id }));
  const messages = rest.map((e) => e.message).filter(Boolean);
  assert.deepEqual(messages.slice(0, -1).map((m) => m.params.progress), [2, 3, 4, 5]);
  assert.equal(messages.at(-1).id, 7);
  const again = await collect(await resume(one.token, { "Last-Event-ID": rest.at(-1).id }));
  assert.deepEqual(again.filter((e) => e.message), [], "all of it was heard");
});

test("a session has one stream of its own, which hears of changes and ends with it", async (t) => {
  const { gateway, one, two } = await gatewayWith(t);
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const stranger = await openLegacy(gateway.port, "chatty", two.token);
  const get = (token, headers) => ask(gateway, token, "chatty", { headers: { "Content-Type": undefined, ...headers } });
  const status = async (response) => {
    await response.body.cancel();
    return response.status;
  };
  assert.equal(await status(await get(one.token, {})), 400);
  assert.equal(await status(await get(two.token, inSession(session))), 404);
  assert.equal(await status(await get(one.token, inSession(session, { Accept: "application/json" }))), 406);
  assert.equal(await status(await get(one.token, { "MCP-Protocol-Version": "2026-07-28" })), 405);
  const own = await get(one.token, inSession(session));
  const others = await get(two.token, inSession(stranger));
  assert.equal(own.status, 200);
  assert.equal(await status(await get(one.token, inSession(session))), 409);
  const heard = [];
  const reading = (async () => {
    for await (const event of eventsOf(own)) if (event.message) heard.push(event.message);
  })();
  const overheard = [];
  const spying = (async () => {
    for await (const event of eventsOf(others)) if (event.message) overheard.push(event.message);
  })();
  assert.match(JSON.stringify(await session.call("get_change", {})), /changed/);
  await until("the change is heard", () => heard.length === 1);
  assert.deepEqual(heard[0], { jsonrpc: "2.0", method: "notifications/tools/list_changed" });
  const end = await ask(gateway, one.token, "chatty", { method: "DELETE", headers: inSession(session) });
  assert.equal(end.status, 204);
  await reading;
  assert.equal(await status(await get(one.token, inSession(session))), 404);
  assert.deepEqual(overheard, []);
  await gateway.stop(); /* a drain ends streams that would not end by themselves */
  await spying;
});

test("what comes while nobody listens is heard later", async (t) => {
  const { gateway, one } = await gatewayWith(t);
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const get = () => ask(gateway, one.token, "chatty", { headers: inSession(session, { "Content-Type": undefined }) });
  const first = await get();
  const [priming] = await collect(first, 1);
  assert.equal(priming.id, "0-0");
  await sleep(100);
  await session.call("get_change", {});
  const [, change] = await collect(await get(), 2);
  assert.equal(change.message.method, "notifications/tools/list_changed");
});

test("silent streams show signs of life", async (t) => {
  const { gateway, one } = await gatewayWith(t, { keepalive_ms: 100 });
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const own = await ask(gateway, one.token, "chatty", { headers: inSession(session, { "Content-Type": undefined }) });
  const events = await collect(own, 4);
  assert.deepEqual(events.slice(1).map((e) => e[""]), ["", "", ""]);
});

/** Resident memory of a process in bytes. */
const memory = (pid) => Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) * 1024;

test("a client that does not read stops the server, not the gateway", async (t) => {
  const { gateway, one } = await gatewayWith(t, { idle_timeout_ms: 60000 });
  const session = await openLegacy(gateway.port, "chatty", one.token);
  const count = 4000;
  const body = steps({ count, bytes: 16384 });
  await session.post(steps({ count: 20, bytes: 16384 })); /* whatever is allocated once is */
  const before = memory(gateway.proc.child.pid);
  const socket = net.connect({ port: gateway.port, host: "127.0.0.1", highWaterMark: 1024 });
  const headers = decent(gateway.port, one.token, { ...inSession(session), "Content-Length": Buffer.byteLength(body) });
  socket.pause();
  socket.write(`POST /mcp/chatty HTTP/1.1\r\n${headers.map(([k, v]) => `${k}: ${v}`).join("\r\n")}\r\n\r\n${body}`);
  let most = 0;
  for (let i = 0; i < 20; i++) {
    await sleep(50);
    most = Math.max(most, memory(gateway.proc.child.pid) - before);
  }
  if (!process.env.SANITIZED) assert.ok(most < 8 << 20, `grew by ${most} bytes`);
  /* And nothing of it is lost when it reads after all. */
  let text = "";
  socket.on("data", (part) => (text += part.toString("latin1")));
  socket.resume();
  await until("the answer", () => text.includes("0\r\n\r\n") && text.includes("took 4000 steps"), 60_000);
  assert.equal(text.split('"notifications/progress"').length - 1, count);
  socket.destroy();
});
