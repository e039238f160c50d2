// SPDX-License-Identifier: Apache-2.0
// Two gateways on one PostgreSQL: a grant of one is a grant of the other, and gone from both.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LEGACY, compile, decent, request, run, startFixture, startGateway, until } from "../e2e/lib.mjs";
import { principals, webPolicy, webTools } from "../e2e/policies.mjs";

const server = process.env.MCPD_TEST_POSTGRESQL;
const socket = process.env.MCPD_TEST_POSTGRESQL_SOCKET;
const HELLO = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "initialize",
  params: { protocolVersion: LEGACY, capabilities: {}, clientInfo: { name: "x", version: "1" } },
});
const REVOKED_MS = 1000;

async function database(name) {
  const made = await run("psql", ["-h", socket, "-U", "mcpd", "-d", "postgres", "-c", `CREATE DATABASE ${name}`]);
  assert.equal(made.code, 0, made.stderr);
  return `${server.replace("mcpd@", "mcpd:s3cret-word@")}${name}?host=${socket}`;
}

async function fleet(t, name) {
  const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
  const config = { store: await database(name), principals, servers: { web: { url: upstream.url } } };
  const gateways = [await startGateway(t, config), await startGateway(t, config)];
  const policy = await compile(gateways[0].dir, "web-web", webPolicy("web"), webTools);
  const ask = async (gateway, token) =>
    (await request(gateway.port, { path: "/mcp/web", headers: decent(gateway.port, token), body: HELLO })).status;
  return { gateways, policy, ask };
}

test("a grant made at one gateway is good at both, and revoked at both within a second", async (t) => {
  const { gateways, policy, ask } = await fleet(t, "fleet_one");
  const [one, two] = gateways;
  const { token, id } = await one.grant({ servers: "web", policy });
  assert.deepEqual([await ask(one, token), await ask(two, token)], [200, 200]);
  assert.equal((await two.grants()).find((grant) => grant.id === id)?.state, "active");
  await two.revoke(id);
  await until("refused by both", async () => (await ask(one, token)) === 401 && (await ask(two, token)) === 401, REVOKED_MS);
});

test("a database that goes away is said with its name, never its password, and nothing is served meanwhile", async (t) => {
  const { gateways, policy, ask } = await fleet(t, "fleet_two");
  const [one] = gateways;
  const { token } = await one.grant({ servers: "web", policy });
  assert.equal(await ask(one, token), 200);
  const psql = (sql) => run("psql", ["-h", socket, "-U", "mcpd", "-d", "postgres", "-c", sql]);
  const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'fleet_two'";
  assert.equal((await psql("ALTER DATABASE fleet_two ALLOW_CONNECTIONS false")).code, 0);
  assert.equal((await psql(cut)).code, 0);
  await until("refused", async () => (await ask(one, token)) === 503);
  const listed = await run(process.env.MCPD, ["grant", "list", "--config", join(one.dir, "mcpd.jsonc")]);
  assert.notEqual(listed.code, 0);
  assert.match(listed.stderr, /the store \/fleet_two can't be used/);
  assert.doesNotMatch(listed.stderr, /s3cret-word/);
  assert.equal((await psql("ALTER DATABASE fleet_two ALLOW_CONNECTIONS true")).code, 0);
  await until("served again", async () => (await ask(one, token)) === 200);
  assert.doesNotMatch(one.proc.stderr, /s3cret-word/);
});
