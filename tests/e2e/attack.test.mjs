// SPDX-License-Identifier: Apache-2.0
// A hostile client and hostile servers against a running gateway. What must hold, whatever they
// do: nothing unjudged is forwarded, nobody else notices, each call has one answer of its own in
// bounded time, and the process stays as it is. (Framing, spelling: http.test, bytes.test.)
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  Gateway,
  MCPD,
  NODE,
  alive,
  compile,
  decent,
  exchange,
  fixture,
  jsonLines,
  modern,
  openLegacy,
  request,
  rpcOf,
  scratch,
  startFixture,
  startGateway,
  until,
} from "./lib.mjs";
import { openPolicy, principals, webPolicy, webTools } from "./policies.mjs";

const INTERNAL = -32603;
const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
after(async () => {
  for (const fn of cleanups) await fn();
});

/** A gateway with a grant for each server, all tools allowed. */
async function world(t, servers, more = {}) {
  const gateway = await startGateway(t, { principals, servers, ...more });
  const tokens = {};
  for (const alias of Object.keys(servers)) {
    const policy = await compile(gateway.dir, `open-${alias}`, openPolicy(alias));
    ({ token: tokens[alias] } = await gateway.grant({ servers: alias, policy }));
  }
  const ask = (alias, name, args = {}, more2 = {}) =>
    modern(gateway.port, alias, tokens[alias], { id: 42, params: { name, arguments: args }, ...more2 });
  const good = async (alias) => {
    const rpc = rpcOf(await ask(alias, "good"));
    assert.equal(rpc?.result?.content?.[0]?.text, "good", JSON.stringify(rpc));
  };
  return { gateway, tokens, ask, good };
}

const rssKb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const textOf = (got) => rpcOf(got).result?.content?.[0]?.text;

/** One error of the gateway's own, for this request, with nothing of the server's in it. */
function assertOwnError(got, why) {
  const rpc = rpcOf(got);
  assert.equal(rpc?.error?.code, INTERNAL, `${got.status} ${got.body.slice(0, 300)}`);
  assert.equal(rpc.id, 42);
  assert.ok(!/WRONG|SECOND/.test(got.body), got.body);
  if (why) assert.match(rpc.error.message, why);
}

/** A connection to write to by hand; `heard` is what came back, `ended` when it was closed. */
function dial(t, port) {
  const socket = net.connect(port, "127.0.0.1");
  const line = { socket, heard: "", isClosed: false };
  socket.on("data", (part) => (line.heard += part.toString("latin1")));
  line.ended = new Promise((done) => {
    socket.on("error", () => {});
    socket.on("close", () => {
      line.isClosed = true;
      done();
    });
  });
  t.after(() => socket.destroy());
  return line;
}

describe("a hostile client", () => {
  let gateway, upstream, token, session, other, otherId;
  const CALL = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}';
  const HEAD_MS = 400;
  const BODY_MS = 1500;

  before(async () => {
    upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
    gateway = await startGateway(scope, {
      principals,
      servers: { web: { url: upstream.url } },
      limits: {
        head_timeout_ms: HEAD_MS,
        body_timeout_ms: BODY_MS,
        max_connections: 300,
        max_sessions_per_grant: 4,
        max_calls_per_grant: 4,
        max_waiting_bytes: 4 * 1024 * 1024,
      },
    });
    const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
    ({ token } = await gateway.grant({ servers: "web", policy }));
    ({ token: other, id: otherId } = await gateway.grant({ servers: "web", policy, principal: "ci-robot" }));
    session = await openLegacy(gateway.port, "web", token);
  });

  const head = (change = {}, length = CALL.length) =>
    ["POST /mcp/web HTTP/1.1"]
      .concat(decent(gateway.port, token, { "Mcp-Session-Id": session.sid, ...change }).map(([k, v]) => `${k}: ${v}`))
      .concat(length === null ? [] : [`Content-Length: ${length}`])
      .join("\r\n") + "\r\n\r\n";

  async function works() {
    const rpc = await session.call("echo", { text: "still here" });
    assert.equal(rpc.result?.content[0].text, 'echo {"text":"still here"}', JSON.stringify(rpc));
  }

  async function notForwarded(act) {
    const count = upstream.calls().length;
    const got = await act();
    assert.equal(upstream.calls().length, count, "a call reached the server");
    return got;
  }

  test("slowloris: 200 heads that come a byte at a time are cut off, and nobody waits for them", async (t) => {
    const began = Date.now();
    const lines = Array.from({ length: 200 }, () => dial(t, gateway.port));
    const bytes = head();
    let at = 0;
    const drip = setInterval(() => {
      for (const { socket } of lines) if (!socket.destroyed) socket.write(bytes[at]);
      at += 1;
    }, 40);
    t.after(() => clearInterval(drip));
    await works();
    assert.ok(Date.now() - began < 2 * HEAD_MS + 2000);
    await Promise.all(lines.map((line) => line.ended));
    assert.ok(Date.now() - began < HEAD_MS + 5000, `${Date.now() - began} ms`);
    for (const { heard } of lines) assert.match(heard, /^HTTP\/1\.1 408 /);
  });

  test("a body that comes a byte at a time, by length and in chunks of one byte", async (t) => {
    for (const [top, piece] of [
      [head(), "x"],
      [head({ "Transfer-Encoding": "chunked" }, null), "1\r\nx\r\n"],
    ]) {
      const line = dial(t, gateway.port);
      line.socket.write(top);
      const drip = setInterval(() => line.socket.destroyed || line.socket.write(piece), 30);
      const began = Date.now();
      await line.ended;
      clearInterval(drip);
      assert.ok(Date.now() - began < BODY_MS + 5000);
      assert.match(line.heard, /^HTTP\/1\.1 408 /);
    }
  });

  test("chunk extensions and trailers without end are refused, not kept", async (t) => {
    for (const flood of [`5;${"e".repeat(200_000)}`, `0\r\n${"X-A: b\r\n".repeat(20_000)}`]) {
      const line = dial(t, gateway.port);
      line.socket.write(head({ "Transfer-Encoding": "chunked" }, null) + flood);
      await line.ended;
      assert.match(line.heard, /^HTTP\/1\.1 4\d\d /);
    }
    await works();
  });

  test("trailers change nothing: neither who asks nor what", async () => {
    const bytes =
      head({ Authorization: undefined, "Transfer-Encoding": "chunked" }, null) +
      `${CALL.length.toString(16)}\r\n${CALL}\r\n0\r\nAuthorization: Bearer ${token}\r\n\r\n`;
    const got = await notForwarded(() => exchange(gateway.port, Buffer.from(bytes)));
    assert.equal(got.status, 401);
  });

  test("half-closed: half a request is none, and a whole one leaves the gateway well", async (t) => {
    for (const part of [head().slice(0, 40), head(), head() + CALL.slice(0, 20)]) {
      const line = dial(t, gateway.port);
      await notForwarded(async () => {
        line.socket.end(part);
        await line.ended;
      });
    }
    const whole = dial(t, gateway.port);
    whole.socket.end(head() + CALL);
    await whole.ended;
    assert.match(whole.heard, /^(HTTP\/1\.1 200 |$)/);
    await works();
  });

  test("reset in the middle of a call, 30 times", async (t) => {
    const slow = CALL.replace("echo", "slow").replace('"text":"x"', '"ms":200');
    for (let i = 0; i < 30; i++) {
      const line = dial(t, gateway.port);
      line.socket.write(head({}, slow.length) + slow.replace('"id":5', `"id":${i % 10}`));
      await sleep(5);
      line.socket.resetAndDestroy();
    }
    await sleep(600); /* the legacy era's calls go on until the server has answered */
    await works();
  });

  test("300 requests in one write: 300 answers, in order", async (t) => {
    const line = dial(t, gateway.port);
    const ping = (id) => `{"jsonrpc":"2.0","id":${id},"method":"ping"}`;
    const ids = Array.from({ length: 300 }, (_, i) => 1000 + i);
    line.socket.write(ids.map((id) => head({}, ping(id).length) + ping(id)).join(""));
    await until("all answers", () => line.heard.split("HTTP/1.1 200").length === 301, 10_000);
    assert.deepEqual(
      [...line.heard.matchAll(/"id":(\d+)/g)].map((m) => Number(m[1])),
      ids,
    );
  });

  test("ids: as long as the limit, longer, huge, fractions, containers", async () => {
    const send = (id) => session.post(`{"jsonrpc":"2.0","id":${id},"method":"ping"}`);
    for (const id of [`"${"i".repeat(128)}"`, "9007199254740991", "-9007199254740991", "0", '""', '"\u2028\\""']) {
      const got = await send(id);
      assert.equal(got.status, 200, `${id}: ${got.body}`);
      assert.deepEqual(rpcOf(got).id, JSON.parse(id));
    }
    for (const id of [
      `"${"i".repeat(129)}"`,
      `"${"i".repeat(1_000_000)}"`,
      "9007199254740992",
      "1e400",
      "1".repeat(100_000),
      "1.0",
      "1e0",
      "[]",
      "{}",
      "null",
      "true",
    ]) {
      const got = await notForwarded(() => send(id));
      assert.equal(got.status, 400, `${id.slice(0, 40)}: ${got.body.slice(0, 100)}`);
      assert.ok(got.body.length < 1000, "and is not repeated at length");
    }
  });

  test("names that look like a tool's", async () => {
    for (const name of [
      "еcho" /* Cyrillic e */,
      "ｅｃｈｏ" /* full width */,
      "echo\u200b",
      "\u202eohce",
      "e\u0301cho",
      "\ufeffecho",
      "echo\u00ad",
      "ECHO",
      "Echo",
      "echo ",
      " echo",
      "echo\n",
      "echo/",
      "web/echo",
      "web__echo",
      "echo%00",
      "echo\u0000x",
      "ec\\u0068o\u2060",
      "echo\ud83d\ude00",
      "a".repeat(129),
      "a".repeat(1_000_000),
    ]) {
      const rpc = rpcOf(await notForwarded(() => session.post(JSON.stringify({ ...JSON.parse(CALL), params: { name } }))));
      assert.ok(rpc.error || rpc.result.isError, JSON.stringify(rpc).slice(0, 200));
    }
    const lines = gateway.audit();
    assert.ok(lines.every((l) => JSON.stringify(l).length < 16 * 1024));
  });

  test("an Mcp-Name that means another tool in some reading", async () => {
    const b64 = (s) => `=?base64?${Buffer.from(s).toString("base64")}?=`;
    for (const name of ["delete_repo", b64("delete_repo"), "=?BASE64?ZWNobw==?=", "=?base64?ZWNobw?=", "ECHO", "echo, echo"]) {
      const got = await notForwarded(() =>
        modern(gateway.port, "web", token, { params: { name: "echo", arguments: {} }, change: { "Mcp-Name": name } }),
      );
      assert.equal(got.status, 400, name);
    }
  });

  test("aliases that look like one", async () => {
    for (const path of ["/mcp/wеb", "/mcp/ｗｅｂ", "/mcp/web\u200b", "/mcp/web ", "/mcp/web%20", "/mcp/Web", "/mcp/web\t"]) {
      const bytes = Buffer.from(head().replace("/mcp/web", path) + CALL, "utf8");
      const got = await notForwarded(() => exchange(gateway.port, bytes));
      assert.ok([400, 404].includes(got.status), `${path}: ${got.status}`);
    }
  });

  test("another grant's session: no call, no end, no cancelling, no lists", async () => {
    const theirs = { "Mcp-Session-Id": session.sid, Authorization: `Bearer ${other}` };
    const inFlight = session.post('{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}');
    await sleep(100);
    for (const body of [
      CALL,
      '{"jsonrpc":"2.0","id":1,"method":"tools/list"}',
      '{"jsonrpc":"2.0","id":1,"method":"ping"}',
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}',
    ]) {
      assert.equal((await notForwarded(() => session.post(body, theirs))).status, 404, body);
    }
    const mine = await openLegacy(gateway.port, "web", other);
    await mine.post('{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":77}}');
    assert.equal(textOf(await inFlight), "slept 500 ms");
  });

  test("100 sessions: the grant has four, the others' stay", async () => {
    const mine = await openLegacy(gateway.port, "web", other);
    for (let i = 0; i < 100; i++) await openLegacy(gateway.port, "web", other);
    assert.equal((await mine.post('{"jsonrpc":"2.0","id":1,"method":"ping"}')).status, 404);
    await works();
  });

  test("as many calls as a grant may have do not stop another grant", async () => {
    const mine = await openLegacy(gateway.port, "web", other);
    const calls = Array.from({ length: 10 }, (_, i) =>
      mine.post(`{"jsonrpc":"2.0","id":${i},"method":"tools/call","params":{"name":"slow","arguments":{"ms":700}}}`),
    );
    await sleep(150);
    await works();
    const answers = (await Promise.all(calls)).map(rpcOf);
    assert.equal(answers.filter((a) => a.result).length, 4);
    assert.equal(answers.filter((a) => /too many/.test(a.error?.message)).length, 6);
  });

  test("answers that nobody reads are bounded all together, and who reads has his", async (t) => {
    const before = rssKb(gateway.proc.child.pid);
    const args = (i) => `"arguments":{"text":"${"y".repeat(3_000_000)}${i}"}`;
    for (let i = 0; i < 12; i++) {
      const body = `{"jsonrpc":"2.0","id":${i},"method":"tools/call","params":{"name":"echo",${args(i)}}}`;
      const line = dial(t, gateway.port);
      line.socket.pause();
      line.socket.write(head({}, body.length) + body);
      await until("the server has answered", () => upstream.calls().some((c) => c.arguments?.text?.endsWith(`y${i}`)), 10_000);
    }
    await sleep(200);
    await works();
    const grown = rssKb(gateway.proc.child.pid) - before;
    t.diagnostic(`grown by ${grown} KiB`);
    if (!process.env.SANITIZED) assert.ok(grown < 80_000, `${grown} KiB`);
  });

  test("a grant that is revoked while its request is on its way is refused", async (t) => {
    const line = dial(t, gateway.port);
    line.socket.write(head({ Authorization: `Bearer ${other}` }));
    await sleep(50);
    await gateway.revoke(otherId);
    await notForwarded(async () => {
      line.socket.write(CALL);
      await until("an answer", () => line.heard.length > 0);
    });
    assert.match(line.heard, /^HTTP\/1\.1 401 /);
  });

  test("a store that fails: 503 and Retry-After, nothing forwarded; never a word about the token", async () => {
    renameSync(gateway.storeFile, `${gateway.storeFile}.away`);
    try {
      const got = await notForwarded(() => session.post(CALL));
      assert.equal(got.status, 503);
      assert.match(got.headers["retry-after"], /^\d+$/);
      assert.equal(got.headers["www-authenticate"], undefined);
      assert.equal(got.body, "");
    } finally {
      renameSync(`${gateway.storeFile}.away`, gateway.storeFile);
    }
    const lost = await notForwarded(() => session.post(CALL, { Authorization: "Bearer nonsense" }));
    assert.equal(lost.status, 401, "what can't be a token needs no store");
  });
});

test("standard error that nobody reads, with the audit log on it: denied, not stalled", async (t) => {
  const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
  const gateway = new Gateway(scratch(t), { principals, servers: { web: { url: upstream.url } }, audit: "-" });
  const policy = await compile(gateway.dir, "open-web", openPolicy("web"));
  const { token } = await gateway.grant({ servers: "web", policy });
  const child = spawn(MCPD, ["serve", "--config", gateway.config], { stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const [ready] = await once(child.stdout, "data");
  const port = Number(/:(\d+)\n$/.exec(ready.toString())[1]);
  child.stderr.pause();
  let slowest = 0;
  const ask = async () => {
    const began = Date.now();
    const params = { name: "echo", arguments: { text: "x" } };
    const rpc = rpcOf(await modern(port, "web", token, { params }));
    slowest = Math.max(slowest, Date.now() - began);
    return rpc;
  };
  assert.ok((await ask()).result, "there is room at first");
  const refused = await until(
    "the pipe is full",
    async () => {
      const count = upstream.calls().length;
      const rpc = await ask();
      assert.ok(rpc.result || upstream.calls().length === count, "no line, no call");
      return rpc.error && rpc;
    },
    30_000,
  );
  assert.equal(refused.error.code, INTERNAL);
  assert.match(refused.error.message, /recorded/);
  for (let i = 0; i < 20; i++) assert.ok((await ask()).error);
  assert.ok(slowest < 3000, `${slowest} ms`);
  let heard = "";
  child.stderr.on("data", (part) => (heard += part)).resume();
  await until("it goes on", async () => (await ask()).result, 10_000);
  child.kill("SIGHUP"); /* says something in the log */
  await until("the loss is told", () => /log lines lost count=\d+/.test(heard));
  const lines = heard.split("\n").filter((line) => line.startsWith('{"time"'));
  assert.ok(lines.length > 10);
});

/* ---- servers over HTTP ---- */

/** A raw HTTP server that answers by the tool's name; ids are the gateway's. */
function rawServer(t, answers) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (part) => {
      bytes = Buffer.concat([bytes, part]);
      const at = bytes.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(bytes.subarray(0, at).toString())?.[1] ?? 0);
      if (at < 0 || bytes.length < at + 4 + length) return;
      const message = JSON.parse(bytes.subarray(at + 4, at + 4 + length).toString());
      bytes = bytes.subarray(at + 4 + length);
      const name = message.params.name ?? message.method;
      if (message.id !== undefined) answers[name](socket, message.id, message.params);
    });
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${server.address().port}/mcp`));
  });
}

const JSON_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
const SSE_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
const result = (id, text) => ({
  jsonrpc: "2.0",
  id,
  result: { content: [{ type: "text", text }], resultType: "complete" },
});
const answer = (id, text) => JSON.stringify(result(id, text));
const event = (text) => `data: ${text}\n\n`;
const plain = (socket, body, extra = "") =>
  socket.write(`${JSON_HEAD}${extra}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

/** Writes `piece` for as long as the other side is there. */
function pour(socket, piece) {
  const more = () => {
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(piece)) {
        socket.once("drain", more);
        return;
      }
    }
  };
  more();
}
function drip(socket, piece) {
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on("close", () => clearInterval(timer));
}

describe("a hostile server over HTTP", () => {
  const TIMEOUT_MS = 800;
  const deep = (id, n) => answer(id, "@").replace('"@"', `${"[".repeat(n)}${"]".repeat(n)}`);
  const faults = {
    "closes after the head of a stream": (s) => s.end(SSE_HEAD),
    "closes in the middle of an event": (s, id) => s.end(SSE_HEAD + event(answer(id, "WRONG")).slice(0, 40)),
    "resets in the middle of an event": (s, id) =>
      s.write(SSE_HEAD + event(answer(id, "WRONG")).slice(0, 40), () => s.resetAndDestroy()),
    "closes without a byte": (s) => s.end(),
    "closes in the middle of the head": (s) => s.end("HTTP/1.1 200 O"),
    "comments for ever": (s) => s.write(SSE_HEAD, () => drip(s, ": ping\n\n")),
    "notifications for ever": (s) =>
      s.write(SSE_HEAD, () => drip(s, event('{"jsonrpc":"2.0","method":"notifications/message","params":{}}'))),
    "a flood of comments": (s) => s.write(SSE_HEAD, () => pour(s, `:${"c".repeat(60_000)}\n`)),
    "a line without end": (s) => s.write(`${SSE_HEAD}data: `, () => pour(s, "x".repeat(65536))),
    "data lines without end": (s) => s.write(SSE_HEAD, () => pour(s, "data: x\n".repeat(8000))),
    "a body without end": (s) => s.write(`${JSON_HEAD}\r\n{"`, () => pour(s, "x".repeat(65536))),
    "a body that drips": (s) => s.write(`${JSON_HEAD}\r\n`, () => drip(s, " ")),
    "headers without end": (s) => s.write("HTTP/1.1 200 OK\r\n", () => pour(s, "X-A: b\r\n".repeat(5000))),
    "interim answers without end": (s) => pour(s, "HTTP/1.1 103 Early Hints\r\nX-A: b\r\n\r\n"),
    "a head that drips": (s) => s.write("HTTP/1.1 200 OK\r\n", () => drip(s, "X-A: b\r\n")),
    "a coded body": (s, id) => plain(s, answer(id, "WRONG"), "Content-Encoding: gzip\r\n"),
    "a length that is too long": (s, id) =>
      s.end(`${JSON_HEAD}Content-Length: 99999\r\n\r\n${answer(id, "WRONG")}`),
    "a length that is too short": (s, id) => s.end(`${JSON_HEAD}Content-Length: 20\r\n\r\n${answer(id, "WRONG")}`),
    "arrays in arrays": (s, id) => plain(s, deep(id, 5000)),
    "a million values": (s, id) => plain(s, answer(id, "@").replace('"@"', `[${"1,".repeat(1_100_000)}1]`)),
    "bad UTF-8 in an event": (s, id) => {
      const [head, tail] = answer(id, "@").split("@");
      s.end(Buffer.concat([Buffer.from(`${SSE_HEAD}data: ${head}`), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from(`${tail}\n\n`)]));
    },
    "only requests of its own": (s) =>
      s.end(SSE_HEAD + event('{"jsonrpc":"2.0","id":1,"method":"elicitation/create","params":{}}').repeat(500)),
    "an answer to every other id": (s, id) =>
      s.end(SSE_HEAD + Array.from({ length: 200 }, (_, i) => (i === 100 ? "" : event(answer(id - 100 + i, "WRONG")))).join("")),
    "id as text": (s, id) => plain(s, answer(String(id), "WRONG")),
    "id as a fraction": (s, id) => plain(s, answer(id, "WRONG").replace(`"id":${id}`, `"id":${id}.0`)),
    "id twice": (s, id) => plain(s, answer(id, "WRONG").replace(`"id":${id}`, `"id":${id},"id":${id}`)),
    "Id beside id": (s, id) => plain(s, answer(id, "WRONG").replace(`"id":${id}`, `"id":${id},"Id":1`)),
    "result and error": (s, id) => plain(s, JSON.stringify({ ...result(id, "WRONG"), error: { code: 1, message: "WRONG" } })),
    "a result that is a list": (s, id) => plain(s, JSON.stringify({ jsonrpc: "2.0", id, result: ["WRONG"] })),
    "a task": (s, id) => plain(s, JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "task", taskId: "WRONG" } })),
    "it wants input": (s, id) =>
      plain(s, JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "input_required", inputRequests: {} } })),
  };
  const good = (s, id) => plain(s, answer(id, "good"));
  let w;

  before(async () => {
    const answers = { good, odd: null };
    for (const [i, fault] of Object.values(faults).entries()) answers[`t${i}`] = fault;
    answers.swap = (s, id) => s.end(SSE_HEAD + event(answer(id, "first")) + event(answer(id, "SECOND")));
    answers.meta = (s, id) =>
      plain(
        s,
        JSON.stringify({
          jsonrpc: "2.0",
          id,
          result: {
            content: [],
            _meta: { "mcpd/decision": { verdict: "allow" }, "io.modelcontextprotocol/serverInfo": { name: "evil" }, own: 1 },
          },
        }),
      );
    const url = await rawServer(scope, answers);
    w = await world(
      scope,
      { raw: { url, era: "modern" } },
      { limits: { upstream_timeout_ms: TIMEOUT_MS, max_result_bytes: 4_000_000 } },
    );
  });

  for (const [i, name] of Object.keys(faults).entries()) {
    test(name, async () => {
      const began = Date.now();
      assertOwnError(await w.ask("raw", `t${i}`));
      assert.ok(Date.now() - began < TIMEOUT_MS + 4000, `${Date.now() - began} ms`);
      await w.good("raw");
    });
  }
  test("two answers: the first counts, and the second reaches nobody", async () => {
    const [one, two] = await Promise.all([w.ask("raw", "swap"), w.ask("raw", "good")]);
    assert.equal(textOf(one), "first");
    assert.equal(textOf(two), "good");
  });
  test("what only the gateway says is the gateway's: the decision, the server's name", async () => {
    const { _meta } = rpcOf(await w.ask("raw", "meta")).result;
    assert.deepEqual(Object.keys(_meta).sort(), ["io.modelcontextprotocol/serverInfo", "own"]);
    assert.equal(_meta["io.modelcontextprotocol/serverInfo"].name, "mcpd/raw");
  });
  test("all of them at once, and a call that works in the middle", async () => {
    const bad = Object.keys(faults).map((_, i) => w.ask("raw", `t${i}`));
    await w.good("raw");
    for (const got of await Promise.all(bad)) assertOwnError(got);
    await w.good("raw");
  });
  test("memory is what it was, and the log is no flood", () => {
    const { pid } = w.gateway.proc.child;
    assert.ok(alive(pid));
    if (!process.env.SANITIZED) assert.ok(rssKb(pid) < 150_000, `${rssKb(pid)} KiB`);
    const lines = w.gateway.proc.stderr.split("\n").length;
    assert.ok(lines < 400, `${lines} lines`);
  });
});

describe("lists that are bombs", () => {
  const tool = (name, more) => ({ name, inputSchema: { type: "object" }, ...more });
  const page = (s, id, members) => plain(s, JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...members } }));
  const LIST_MS = 1200;
  const bombs = {
    "too many tools": [(s, id) => page(s, id, { tools: Array.from({ length: 65 }, (_, i) => tool(`t${i}`)) }), /more tools/],
    "too many over all pages": [
      (s, id, { cursor = "0" }) =>
        page(s, id, { tools: Array.from({ length: 20 }, (_, i) => tool(`t${cursor}-${i}`)), nextCursor: `${Number(cursor) + 1}` }),
      /more tools/,
    ],
    "pages without end": [(s, id) => page(s, id, { tools: [], nextCursor: "again" }), /too many pages/],
    "slow pages, each in time": [
      (s, id) => setTimeout(() => page(s, id, { tools: [], nextCursor: "again" }), 250),
      /in time/,
    ],
    "a cursor of a megabyte": [(s, id) => page(s, id, { tools: [], nextCursor: "c".repeat(900_000) }), /cursor/],
    "a cursor that is an object": [(s, id) => page(s, id, { tools: [], nextCursor: {} }), /cursor/],
    "tools that are an object": [(s, id) => page(s, id, { tools: {} }), /without tools/],
    "no tools at all": [(s, id) => page(s, id, {}), /without tools/],
    "tools over the size limit": [(s, id) => page(s, id, { tools: [tool("big", { description: "d".repeat(2_000_000) })] }), /./],
    "pages of the largest size": [
      (s, id) => page(s, id, { tools: [tool("big", { description: "d".repeat(900_000) })], nextCursor: "again" }),
      /./,
    ],
  };
  let w;
  before(async () => {
    const servers = {};
    for (const [i, [fault]] of Object.values(bombs).entries())
      servers[`bomb${i}`] = { url: await rawServer(scope, { "tools/list": fault }), era: "modern" };
    const odd = ["ok", "ok", "оk", "o\u0000k", "ok\u200b", "", " ", "a".repeat(200_000), 7, null, "ok "].map((name) => tool(name));
    const list = (s, id) => page(s, id, { tools: [...odd, 7, [], null, ...odd] });
    servers.odd = { url: await rawServer(scope, { "tools/list": list }), era: "modern" };
    w = await world(scope, servers, {
      limits: { max_tools: 64, max_result_bytes: 1_000_000, list_timeout_ms: LIST_MS, max_list_pages: 30 },
    });
  });
  const listOf = (alias) => modern(w.gateway.port, alias, w.tokens[alias], { id: 42, method: "tools/list" });

  for (const [i, [name, [, why]]] of Object.entries(bombs).entries()) {
    test(name, async () => {
      const began = Date.now();
      assertOwnError(await listOf(`bomb${i}`), why);
      assert.ok(Date.now() - began < LIST_MS + 4000, `${Date.now() - began} ms`);
    });
  }
  test("odd names are not shown, one line in the log says so", async () => {
    const { result: list } = rpcOf(await listOf("odd"));
    assert.deepEqual(list.tools.map((x) => x.name), ["ok"]);
    assert.equal(list._meta["io.modelcontextprotocol/serverInfo"].name, "mcpd/odd");
    const lines = w.gateway.proc.stderr.split("\n").filter((line) => line.includes("server=odd tool="));
    assert.deepEqual(lines.map((line) => /tool (hidden|named twice)/.exec(line)[1]).sort(), ["hidden", "named twice"]);
  });
});

/* ---- servers over stdio ---- */

describe("a hostile server over stdio", () => {
  const TIMEOUT_MS = 900;
  let w, log;
  const command = (mode) => ({
    command: [NODE, fixture("hostile_stdio"), "--log", "child.log", "--mode", mode],
    cwd: ".",
    inherit_env: ["PATH"],
    era: "modern",
  });
  before(async () => {
    w = await world(
      scope,
      {
        cmd: command("plain"),
        exit: command("exit"),
        junk: command("junk"),
        mute: command("mute"),
        absent: { command: ["/nonexistent/server"], era: "modern" },
        unnamed: { command: ["no-such-program-anywhere"], inherit_env: ["PATH"], era: "modern" },
        locked: { command: ["./locked.sh"], cwd: ".", era: "modern" },
        text: { command: ["./text"], cwd: ".", era: "modern" },
        folder: { command: [NODE], cwd: "nowhere", era: "modern" },
      },
      { limits: { upstream_timeout_ms: TIMEOUT_MS, max_result_bytes: 1_000_000, max_body_bytes: 1_000_000 } },
    );
    writeFileSync(join(w.gateway.dir, "locked.sh"), "#!/bin/sh\n");
    writeFileSync(join(w.gateway.dir, "text"), "\x7fELF no program\n");
    chmodSync(join(w.gateway.dir, "text"), 0o755);
    log = () => jsonLines(join(w.gateway.dir, "child.log")).map((e) => e.started);
  });

  for (const name of ["absent", "unnamed", "locked", "text", "folder"]) {
    test(`a command that can't be started answers at once, every time: ${name}`, async () => {
      const began = Date.now();
      for (let i = 0; i < 20; i++) assertOwnError(await w.ask(name, "good"), /can't be started/);
      const answers = await Promise.all(Array.from({ length: 20 }, () => w.ask(name, "good")));
      for (const got of answers) assertOwnError(got, /can't be started/);
      assert.ok(Date.now() - began < 1500, `${Date.now() - began} ms`);
    });
  }
  test("what was missing is found when it is there", async () => {
    writeFileSync(join(w.gateway.dir, "locked.sh"), `#!/bin/sh\nexec ${NODE} ${fixture("hostile_stdio")}\n`);
    chmodSync(join(w.gateway.dir, "locked.sh"), 0o755);
    await until("it is tried again", async () => textOf(await w.ask("locked", "good")) === "good", 15_000);
  });
  test("one that ends at once: an error in time, and no storm of processes", async () => {
    const first = log().length;
    const began = Date.now();
    for (let i = 0; i < 50; i++) assertOwnError(await w.ask("exit", "good"));
    const seconds = (Date.now() - began) / 1000;
    assert.ok(log().length - first <= 4 + 10 * seconds, `${log().length - first} starts in ${seconds} s`);
  });
  test("one that never says anything", async () => {
    assertOwnError(await w.ask("mute", "good"), /in time/);
  });

  for (const name of ["good", "junk_first", "asks_back", "forks", "shouts"]) {
    test(`${name}: the answer arrives all the same`, async () => {
      assert.equal(textOf(await w.ask("cmd", name)), "good");
    });
  }
  test("junk before anything was asked", async () => {
    await w.good("junk");
  });
  for (const name of [
    "wrong_id",
    "old_id",
    "text_id",
    "float_id",
    "bad_utf8",
    "nested",
    "endless_line",
    "never",
    "dies",
    "aborts",
    "half",
    "closes_output",
    "heir_keeps_output",
  ]) {
    test(`${name}: an error of the gateway's own, and the next call works`, async () => {
      const began = Date.now();
      assertOwnError(await w.ask("cmd", name));
      assert.ok(Date.now() - began < TIMEOUT_MS + 3000, `${Date.now() - began} ms`);
      await w.good("cmd");
    });
  }
  test("two answers: the first counts, the second is nobody's", async () => {
    assert.equal(textOf(await w.ask("cmd", "twice")), "first");
    await w.good("cmd");
  });
  test("one that stops reading: calls time out, memory is bounded, a new one is not blocked", async () => {
    await w.ask("cmd", "deaf");
    const before = rssKb(w.gateway.proc.child.pid);
    const note = "n".repeat(900_000);
    const calls = Array.from({ length: 12 }, () => w.ask("cmd", "good", { note }));
    for (const got of await Promise.all(calls)) assertOwnError(got);
    const grown = rssKb(w.gateway.proc.child.pid) - before;
    if (!process.env.SANITIZED) assert.ok(grown < 60_000, `${grown} KiB`);
  });
  test("one that ignores every signal it can, and its heirs, are gone when the gateway is", async () => {
    const deaf = log().filter(alive);
    for (const pid of deaf) process.kill(pid, "SIGKILL");
    await until("the deaf one is gone", () => !deaf.some(alive));
    assert.equal(textOf(await w.ask("cmd", "stubborn")), "good");
    assert.equal(textOf(await w.ask("cmd", "forks")), "good");
    assert.ok(log().some(alive));
    assert.equal(await w.gateway.stop("SIGTERM"), 0);
    await until("nobody is left", () => !log().some(alive));
  });
});
