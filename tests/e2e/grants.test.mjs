// SPDX-License-Identifier: Apache-2.0
// The life of a grant: shown once, stored as a hash, revoked at once, gone when it is
// over, still there after a restart, and never good for more than it covers.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  MCPD,
  assertDenied,
  call,
  compile,
  connect,
  decent,
  request,
  run,
  startFixture,
  startGateway,
} from "./lib.mjs";
import { principals, webPolicy, webTools } from "./policies.mjs";

const LIST =
  '{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}';

async function setUp(t, more = {}) {
  const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
  const gateway = await startGateway(t, {
    principals,
    servers: { web: { url: upstream.url }, second: { url: upstream.url } },
    ...more,
  });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  return { upstream, gateway, policy };
}

const probe = (gateway, token, alias = "web") =>
  request(gateway.port, { path: `/mcp/${alias}`, headers: decent(gateway.port, token), body: LIST });

function assertRefused(got, presented) {
  assert.equal(got.status, 401);
  assert.equal(got.body, "");
  assert.match(got.headers["www-authenticate"], /^Bearer\b/);
  assert.equal(/error="invalid_token"/.test(got.headers["www-authenticate"]), presented);
}

test("a revoked grant is refused on the next call, while the gateway runs", async (t) => {
  const { gateway, policy, upstream } = await setUp(t);
  const mine = await gateway.grant({ servers: "web", policy });
  const other = await gateway.grant({ servers: "web", policy, principal: "ci-robot" });
  const client = await connect(t, "v1", gateway.url("web"), mine.token);
  assert.equal((await call(client, "echo", { text: "1" })).isError, false);
  await gateway.revoke(mine.id);
  const before = upstream.calls().length;
  await assert.rejects(call(client, "echo", { text: "2" }));
  assert.equal(upstream.calls().length, before);
  assertRefused(await probe(gateway, mine.token), true);
  assert.equal((await probe(gateway, other.token)).status, 200, "the others are untouched");
  const states = Object.fromEntries((await gateway.grants()).map((g) => [g.id, g.state]));
  assert.equal(states[mine.id], "revoked");
  assert.equal(states[other.id], "active");
});

test("revoking ends a session of the modern era too", async (t) => {
  const { gateway, policy } = await setUp(t);
  const { token, id } = await gateway.grant({ servers: "web", policy });
  const client = await connect(t, "v2 modern", gateway.url("web"), token);
  assert.equal((await call(client, "echo", { text: "1" })).isError, false);
  await gateway.revoke(id);
  await assert.rejects(call(client, "echo", { text: "2" }));
});

test("an expired grant is refused", async (t) => {
  const { gateway, policy } = await setUp(t);
  /* However slow the machine is: a life long enough to be seen alive in. */
  let token, id, status;
  for (let life = 2; status !== 200 && life < 100; life *= 2) {
    ({ token, id } = await gateway.grant({ servers: "web", policy, expires: `${life}s` }));
    ({ status } = await probe(gateway, token));
  }
  assert.equal(status, 200);
  const state = async () => (await gateway.grants()).find((g) => g.id === id).state;
  while ((await state()) !== "expired") await new Promise((resolve) => setTimeout(resolve, 200));
  assertRefused(await probe(gateway, token), true);
  await gateway.stop();
  await gateway.start();
  assertRefused(await probe(gateway, token), true);
});

test("a restart keeps grants, revocations and the audit log", async (t) => {
  const { gateway, policy } = await setUp(t);
  const kept = await gateway.grant({ servers: "web", policy, label: "kept" });
  const gone = await gateway.grant({ servers: "web", policy });
  await gateway.revoke(gone.id);
  const before = await connect(t, "v1", gateway.url("web"), kept.token);
  await call(before, "echo", { text: "1" });
  const lines = gateway.audit().length;
  assert.equal(await gateway.stop(), 0, "SIGTERM ends it with success");
  await gateway.start();
  const client = await connect(t, "v1", gateway.url("web"), kept.token);
  assert.equal((await call(client, "echo", { text: "2" })).text, 'echo {"text":"2"}');
  assertRefused(await probe(gateway, gone.token), true);
  assert.ok(gateway.audit().length > lines, "the log is continued, not begun again");
});

test("no file of the gateway holds the token", async (t) => {
  const { gateway, policy } = await setUp(t);
  const { token } = await gateway.grant({ servers: "web", policy });
  const client = await connect(t, "v1", gateway.url("web"), token);
  await call(client, "echo", { text: "1" });
  const secret = token.replace(/^[a-z]+_/i, "");
  for (const name of readdirSync(gateway.dir)) {
    const bytes = readFileSync(join(gateway.dir, name));
    assert.ok(!bytes.includes(token) && !bytes.includes(secret), `${name} holds the token`);
  }
  assert.ok(!gateway.proc.stderr.includes(secret), "nor does its standard error");
  const list = await run(MCPD, ["grant", "list", "--config", gateway.config]);
  assert.ok(!list.stdout.includes(secret), "nor the list of grants");
});

test("the server never sees the grant (token passthrough)", async (t) => {
  const { gateway, policy, upstream } = await setUp(t);
  const { token } = await gateway.grant({ servers: "web", policy });
  const client = await connect(t, "v1", gateway.url("web"), token);
  await call(client, "echo", { text: "1" });
  const all = JSON.stringify(upstream.log());
  assert.ok(!all.includes(token));
  assert.ok(upstream.log().every((e) => e.headers.authorization === undefined && e.headers.cookie === undefined));
});

test("a grant is good for the servers it names, no others", async (t) => {
  const { gateway, policy } = await setUp(t);
  const { token } = await gateway.grant({ servers: "web", policy });
  for (const alias of ["second", "unknown", "", "web/", "WEB"]) {
    const got = await probe(gateway, token, alias);
    assert.equal(got.status, 404, alias);
    assert.equal(got.body, "", alias);
  }
});

test("no token, a wrong scheme, a wrong token, two tokens", async (t) => {
  const { gateway, policy } = await setUp(t);
  const { token } = await gateway.grant({ servers: "web", policy });
  const ask = (headers) => request(gateway.port, { headers, body: LIST });
  const without = decent(gateway.port, token, { Authorization: undefined });
  const withAuth = (value) => ask([...without, ["Authorization", value]]);
  assertRefused(await ask(without), false);
  assertRefused(await withAuth(`Bearer ${token}x`), true);
  assertRefused(await withAuth(`Bearer ${token.slice(0, -1)}`), true);
  assert.equal((await withAuth(`Basic ${token}`)).status, 401);
  assert.equal((await withAuth(token)).status, 401);
  assert.equal((await withAuth("Bearer ")).status, 401);
  const two = await ask([...without, ["Authorization", `Bearer ${token}`], ["Authorization", "Bearer other"]]);
  assert.ok([400, 401].includes(two.status), `two Authorization headers: ${two.status}`);
  const query = await request(gateway.port, { path: `/mcp/web?access_token=${token}`, headers: without, body: LIST });
  assert.ok([401, 404].includes(query.status), "a token in the query is no token");
});

test("a grant for an unknown server or without a good policy is not made; an unknown principal is said", async (t) => {
  const { gateway, policy } = await setUp(t);
  const create = (principal, server, file) => {
    const who = ["--config", gateway.config, "--principal", principal, "--server", server, "--policy", file];
    return run(MCPD, ["grant", "create", ...who]);
  };
  const cases = [
    ["dev-1", "nowhere", policy],
    ["dev-1", "web", `${policy}.missing`],
    ["dev-1", "web", gateway.config],
    ["", "web", policy],
    ["dev 1", "web", policy],
  ];
  for (const [who, where, what] of cases) {
    const out = await create(who, where, what);
    assert.notEqual(out.code, 0, `${who} ${where} ${what}`);
    assert.equal(out.stdout, "", "no token");
    assert.notEqual(out.stderr, "", "and it says why");
  }
  assert.deepEqual(await gateway.grants(), []);
  const stranger = await create("stranger", "web", policy);
  assert.equal(stranger.code, 2);
  assert.match(stranger.stderr, /"stranger" is not in the configuration/);
});

test("a policy is bound to a server: another server's tools are not governed by it", async (t) => {
  const { gateway, policy } = await setUp(t);
  const { code } = await run(MCPD, [
    "grant",
    "create",
    "--config",
    gateway.config,
    "--principal",
    "dev-1",
    "--server",
    "second",
    "--policy",
    policy,
  ]);
  if (code !== 0) return; /* refused when the grant is made: just as good */
  const { token } = await gateway.grant({ servers: "second", policy });
  const client = await connect(t, "v1", gateway.url("second"), token);
  assertDenied(await call(client, "echo", { text: "1" }), {});
});
