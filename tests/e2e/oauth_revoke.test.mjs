// SPDX-License-Identifier: Apache-2.0
// Seeing and ending: what depends on what, and T7: what is revoked here is revoked at the provider.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { modern, rpcOf, until } from "./lib.mjs";
import { command, login, startOauth } from "./oauth.mjs";

const ask = async (world, name = "echo", args = { text: "x" }) =>
  rpcOf(await modern(world.gateway.port, "web", world.token, { params: { name, arguments: args } }));
const connections = async (world) => JSON.parse((await command(world.gateway, "connections", "--json")).stdout);

describe("connections", () => {
  test("are listed with issuer, scopes, state, times and the grants that depend on them", async (t) => {
    const world = await startOauth(t);
    await ask(world);
    const { connections: rows } = await connections(world);
    assert.equal(rows.length, 1);
    assert.equal(rows[0].server, "web");
    assert.equal(rows[0].issuer, world.issuer.url);
    assert.match(rows[0].scopes, /^read\b/);
    assert.equal(rows[0].state, "active");
    assert.equal(rows[0].grants, world.grant);
    assert.ok(rows[0].created && rows[0].used && rows[0].expires);
    const table = await command(world.gateway, "connections");
    assert.match(table.stdout, /web +\(shared\) +active/);
    assert.match((await command(world.gateway, "status")).stdout, /web +http +1 active +1/);
    assert.match((await command(world.gateway, "grants")).stdout, new RegExp(`${world.grant} +dev-1 +active +web +active`));
  });
});

describe("revoke", () => {
  test("T7: a connection ends here at once and at the provider, and a dry run only says so", async (t) => {
    const world = await startOauth(t);
    assert.ok((await ask(world)).result);
    const dry = await command(world.gateway, "revoke connection", "--dry-run", "web");
    assert.match(dry.stdout, new RegExp(`would end connection web: shared, without it are the grants ${world.grant}`));
    assert.equal((await world.control()).revocation, 0);
    assert.ok(!(await ask(world)).result.isError);
    const real = await command(world.gateway, "revoke connection", "web");
    assert.equal(real.code, 0, real.stderr + real.stdout);
    assert.match(real.stdout, /provider of web, refresh token: the provider has revoked it/);
    assert.ok((await world.control()).revocation >= 1);
    const after = await until("the gateway knows", async () => {
      const got = await ask(world);
      return got.result?.isError && got;
    });
    assert.match(after.result.content[0].text, /revoked/);
    assert.equal((await connections(world)).connections[0].state, "revoked");
    await login(world.gateway, "web");
    assert.ok(!(await ask(world)).result.isError, "a new login ends the revocation");
  });

  test("T7: a provider that can't be reached is told later, by the gateway", async (t) => {
    const world = await startOauth(t);
    await world.control({ down: true });
    const real = await command(world.gateway, "revoke server", "web");
    assert.match(real.stdout, /the gateway goes on trying/);
    await world.control({ down: false });
    await until(
      "the provider has heard",
      async () => (await connections(world)).revocations.every((row) => row.state === "done"),
      20_000,
    );
    assert.ok((await world.control()).revocation >= 1);
  });

  test("calls in flight are cut when their connection or their grant ends", async (t) => {
    const world = await startOauth(t);
    for (const words of [["revoke connection", "web"], ["revoke grant", world.grant]]) {
      if (words[0] === "revoke grant") await login(world.gateway, "web");
      const began = Date.now();
      const slow = ask(world, "slow", { ms: 20_000 });
      await new Promise((done) => setTimeout(done, 500));
      assert.equal((await command(world.gateway, ...words)).code, 0);
      const got = await slow;
      assert.ok(got.error || got.result.isError, JSON.stringify(got));
      assert.ok(Date.now() - began < 10_000, `cut after ${Date.now() - began} ms`);
    }
  });

  test("a principal loses all of its grants", async (t) => {
    const world = await startOauth(t);
    const real = await command(world.gateway, "revoke principal", "dev-1");
    assert.match(real.stdout, new RegExp(`revoked grant ${world.grant}`));
    assert.equal((await modern(world.gateway.port, "web", world.token, { params: { name: "echo" } })).status, 401);
    assert.notEqual((await command(world.gateway, "revoke principal", "nobody")).code, 0);
  });
});
