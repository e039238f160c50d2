// SPDX-License-Identifier: Apache-2.0
// The limits that a client can meet: what it is told by HTTP and by JSON-RPC when it goes over one, as the
// table in docs/configuration.md says, and that the gateway serves on afterwards.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { compile, decent, exchange, modern, openLegacy, request, rpcOf, startFixture, startGateway } from "./lib.mjs";
import { principals, webPolicy, webTools } from "./policies.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
let gateway, token, session;

before(async () => {
  const upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  gateway = await startGateway(scope, {
    principals,
    servers: { web: { url: upstream.url } },
    limits: {
      max_head_bytes: 2048,
      max_body_bytes: 10_000,
      max_depth: 8,
      max_calls_per_grant: 3,
      head_timeout_ms: 700,
      body_timeout_ms: 700,
      upstream_timeout_ms: 1500,
      connect_timeout_ms: 500,
    },
  });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  ({ token } = await gateway.grant({ servers: "web", policy }));
  session = await openLegacy(gateway.port, "web", token);
  assert.equal((await echo()).status, 200);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

const ask = (name, args, options = {}) =>
  modern(gateway.port, "web", token, { params: { name, arguments: args }, ...options });
const echo = (args = { text: "x" }, options = {}) => ask("echo", args, options);
const head = (extra = "") =>
  `POST /mcp/web HTTP/1.1\r\n${decent(gateway.port, token)
    .map(([k, v]) => `${k}: ${v}\r\n`)
    .join("")}${extra}`;
const raw = (text, options) => exchange(gateway.port, Buffer.from(text), options);

test("max_head_bytes: 431", async () => {
  const room = 2048 - head("X-A: \r\nContent-Length: 2\r\n\r\n").length;
  assert.equal((await raw(`${head(`X-A: ${"a".repeat(room + 1)}\r\nContent-Length: 2\r\n\r\n`)}{}`)).status, 431);
  assert.notEqual((await raw(`${head(`X-A: ${"a".repeat(room)}\r\nContent-Length: 2\r\n\r\n`)}{}`)).status, 431);
});

test("the request target: 414", async () => {
  const got = await raw(`POST /mcp/${"a".repeat(2100)} HTTP/1.1\r\nHost: x\r\n\r\n`);
  assert.ok([414, 431].includes(got.status), `${got.status}`);
});

test("max_body_bytes: 413, by length and by chunks", async () => {
  assert.equal((await echo({ text: "x".repeat(11_000) })).status, 413);
  const chunk = `${(6000).toString(16)}\r\n${"x".repeat(6000)}\r\n`;
  assert.equal((await raw(`${head("Transfer-Encoding: chunked\r\n\r\n")}${chunk}${chunk}0\r\n\r\n`)).status, 413);
});

test("max_depth: 400, an invalid request", async () => {
  const got = await echo({ value: JSON.parse("[".repeat(9) + "]".repeat(9)) });
  assert.equal(got.status, 400);
  assert.equal(rpcOf(got).error.code, -32600);
});

test("head_timeout_ms and body_timeout_ms: 408", async () => {
  assert.equal((await raw(head())).status, 408);
  assert.equal((await raw(`${head("Content-Length: 100\r\n\r\n")}{"json`)).status, 408);
});

test("max_calls_per_grant: an error for the one too many", async () => {
  const calls = await Promise.all(Array.from({ length: 5 }, () => ask("slow", { ms: 600 })));
  const refused = calls.filter((got) => rpcOf(got).error);
  assert.equal(refused.length, 2);
  for (const got of refused) {
    assert.equal(rpcOf(got).error.code, -32603);
    assert.match(rpcOf(got).error.message, /too many requests of this grant/);
  }
});

test("upstream_timeout_ms: an error in band, in both eras", async () => {
  const got = await ask("slow", { ms: 5000 });
  assert.equal(rpcOf(got).error.code, -32603);
  assert.match(rpcOf(got).error.message, /did not answer in time/);
  const old = await session.rpc("tools/call", { name: "slow", arguments: { ms: 5000 } });
  assert.equal(old.error.code, -32603);
  assert.match(old.error.message, /did not answer in time/);
});

test("after all that the gateway serves on", async () => {
  assert.equal((await echo()).status, 200);
  const got = await request(gateway.port, {
    headers: decent(gateway.port, token, { "Mcp-Session-Id": session.sid, "MCP-Protocol-Version": "2025-11-25" }),
    body: '{"jsonrpc":"2.0","id":77,"method":"ping"}',
  });
  assert.equal(got.status, 200);
});
