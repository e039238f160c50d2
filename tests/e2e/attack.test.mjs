// SPDX-License-Identifier: Apache-2.0
// A hostile client of a running gateway, and hostile surroundings. What must hold: nothing unjudged
// is forwarded, nobody else notices, and the process stays as it is. (Framing is in http.test,
// spelling in bytes.test, servers in attack_upstream.test.)
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { renameSync } from "node:fs";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { INTERNAL, textOf } from "./hostile.mjs";
import {
  Gateway,
  MCPD,
  compile,
  decent,
  exchange,
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

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
after(async () => {
  for (const fn of cleanups) await fn();
});

/** A connection to write to by hand; `heard` is what came back, `ended` when it was closed. */
function dial(t, port) {
  const socket = net.connect(port, "127.0.0.1");
  const line = { socket, heard: "" };
  socket.on("data", (part) => (line.heard += part.toString("latin1")));
  line.ended = new Promise((done) => {
    socket.on("error", () => {});
    socket.on("close", done);
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
      const body = JSON.stringify({ ...JSON.parse(CALL), params: { name } });
      const rpc = rpcOf(await notForwarded(() => session.post(body)));
      assert.ok(rpc.error || rpc.result.isError, JSON.stringify(rpc).slice(0, 200));
    }
    const lines = gateway.audit();
    assert.ok(lines.every((l) => JSON.stringify(l).length < 16 * 1024));
  });

  test("an Mcp-Name that means another tool in some reading", async () => {
    const b64 = (s) => `=?base64?${Buffer.from(s).toString("base64")}?=`;
    const base64 = [b64("delete_repo"), "=?BASE64?ZWNobw==?=", "=?base64?ZWNobw?="];
    for (const name of ["delete_repo", ...base64, "ECHO", "echo, echo"]) {
      const got = await notForwarded(() =>
        modern(gateway.port, "web", token, { params: { name: "echo", arguments: {} }, change: { "Mcp-Name": name } }),
      );
      assert.equal(got.status, 400, name);
    }
  });

  test("aliases that look like one", async () => {
    for (const alias of ["wеb", "ｗｅｂ", "web\u200b", "web ", "web%20", "Web", "web\t"]) {
      const bytes = Buffer.from(head().replace("/mcp/web", `/mcp/${alias}`) + CALL, "utf8");
      const got = await notForwarded(() => exchange(gateway.port, bytes));
      assert.ok([400, 404].includes(got.status), `${alias}: ${got.status}`);
    }
  });

  test("another grant's session: no call, no end, no cancelling, no lists", async () => {
    const theirs = { "Mcp-Session-Id": session.sid, Authorization: `Bearer ${other}` };
    const inFlight = session.post(
      '{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}',
    );
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
