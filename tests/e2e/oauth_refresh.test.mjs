// SPDX-License-Identifier: Apache-2.0
// Keeping tokens: what other gateways lose, row by row of the list of defects T1 to T9.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { call, connect, modern, rpcOf, until } from "./lib.mjs";
import { command, login, startOauth } from "./oauth.mjs";

const TTL = 4; /* seconds that an access token lives in most of these tests */
const LIFE = ["--ttl", String(TTL)];

async function ask(world, text = "x") {
  const got = rpcOf(await modern(world.gateway.port, "web", world.token, { params: { name: "echo", arguments: { text } } }));
  return { got, ok: got?.result?.isError !== true && got?.result?.content?.[0]?.text?.includes(text) };
}

describe("refresh", () => {
  test("T1: 200 parallel calls on an expired token make one token request and lose no call", async (t) => {
    const ttl = 3;
    const world = await startOauth(t, { as: ["--ttl", String(ttl)] });
    await world.gateway.stop(); /* it would refresh ahead of time */
    await sleep(ttl * 1000 + 100);
    await world.control({ delay: 500, ttl: 3600 });
    const before = await world.control();
    await world.gateway.start();
    const answers = await Promise.all(Array.from({ length: 200 }, (_, i) => ask(world, `call-${i}`)));
    const after = await world.control();
    assert.deepEqual(
      answers.filter((a) => !a.ok).map((a) => a.got),
      [],
    );
    assert.equal(after.refresh - before.refresh, 1);
    assert.equal(after.refused, 0);
  });

  test("T2: refreshes that fail for now lose nothing: the old tokens stay and are tried again", async (t) => {
    const world = await startOauth(t, { as: LIFE });
    await world.control({ fail: 2, html: 1 });
    await sleep(TTL * 1000 + 100);
    const { ok, got } = await ask(world, "after the storm");
    assert.ok(ok, JSON.stringify(got));
    const stats = await world.control();
    assert.equal(stats.fail, 0);
    assert.equal(stats.html, 0);
  });

  test("T3: a server that refuses every token does not make us ask for tokens again and again", async (t) => {
    const world = await startOauth(t, { as: ["--ttl", "3600"], mcp: ["--reject", "yes"] });
    for (let i = 0; i < 50; i++) {
      const { got } = await ask(world);
      assert.ok(got.error || got.result?.isError, JSON.stringify(got));
    }
    const stats = await world.control();
    assert.ok(stats.refresh <= 1, `refreshes: ${stats.refresh}`);
  });

  test("T4: a client that hangs up does not end the refresh that it has caused", async (t) => {
    const world = await startOauth(t, { as: LIFE });
    await sleep(TTL * 1000 + 100);
    await world.control({ delay: 700 });
    const hung = modern(world.gateway.port, "web", world.token, {
      params: { name: "echo", arguments: { text: "gone" } },
    }).catch(() => {});
    await sleep(200);
    const client = new AbortController();
    fetch(world.gateway.url("web"), { signal: client.signal, method: "POST" }).catch(() => {});
    client.abort();
    await hung;
    const { ok, got } = await ask(world, "the next");
    assert.ok(ok, JSON.stringify(got));
    const stats = await world.control();
    assert.equal(stats.refused, 0);
    assert.ok(stats.refresh <= 2);
  });

  test("T5: dynamic registration asks for refresh tokens, and gets them", async (t) => {
    const world = await startOauth(t, { as: LIFE });
    await until("a refresh happens", async () => (await world.control()).refresh > 0, (TTL + 5) * 1000);
  });

  test("a refresh that its issuer refuses marks the connection, and a login mends it", async (t) => {
    const world = await startOauth(t, { as: LIFE });
    await world.control({ revoke: true });
    const { got } = await ask(world);
    assert.match(got.result.content[0].text, /mcpd connect web/);
    assert.equal(got.result.isError, true);
    const before = await world.control();
    for (let i = 0; i < 20; i++) await ask(world);
    const after = await world.control();
    assert.equal(after.token, before.token, "no further token request");
    assert.match(world.gateway.proc.stderr, /login needed server=web/);
    await login(world.gateway, "web");
    assert.ok((await ask(world, "again")).ok);
  });
});
