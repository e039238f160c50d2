// SPDX-License-Identifier: Apache-2.0
// kill -9 of the keeper and of the gateway, again and again in the middle of refreshes: no connection
// is lost that its provider still honours.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { modern, rpcOf, until } from "./lib.mjs";
import { startOauth } from "./oauth.mjs";

const KILLS = 200;
const EVERY_NTH_GATEWAY = 10;

const children = (pid) =>
  execFileSync("ps", ["-o", "pid=,comm=", "--ppid", String(pid)], { encoding: "utf8" })
    .split("\n")
    .filter(Boolean)
    .map((line) => line.trim().split(/\s+/));
function keeperOf(gateway) {
  try {
    for (const [pid] of children(gateway.proc.child.pid))
      for (const [inner, name] of children(pid)) if (name === "mcpd-keeper") return Number(inner);
  } catch {}
  return 0;
}
const ask = async (world) =>
  rpcOf(await modern(world.gateway.port, "web", world.token, { params: { name: "echo", arguments: { text: "hello" } } }));

test(`${KILLS} kills at random moments of refreshes lose no connection`, async (t) => {
  const world = await startOauth(t, { as: ["--ttl", "1", "--grace", "yes"] });
  await world.control({ delay: 40 });
  let killed = 0;
  for (let i = 0; i < KILLS; i++) {
    await sleep(Math.random() * 120);
    if (i % EVERY_NTH_GATEWAY === EVERY_NTH_GATEWAY - 1) {
      await world.gateway.stop("SIGKILL");
      await until("the port is free", () => world.gateway.start().then(() => true, () => false), 20_000);
      killed++;
      continue;
    }
    const keeper = await until("there is a keeper", () => keeperOf(world.gateway), 10_000);
    process.kill(keeper, "SIGKILL");
    killed++;
  }
  assert.equal(killed, KILLS);
  await world.control({ delay: 0 });
  const got = await until("a call works again", async () => {
    const answer = await ask(world).catch(() => null);
    assert.ok(!/login is needed/.test(JSON.stringify(answer)), JSON.stringify(answer));
    return answer?.result?.content?.[0]?.text?.includes("hello") && answer;
  }, 30_000);
  assert.ok(got);
  const stats = await world.control();
  assert.ok(stats.refresh > 10, `refreshes in all: ${stats.refresh}`);
  assert.equal(stats.refused, 0, "the provider never saw a token that it does not honour");
});

test("calls that come while there is no keeper wait for the next one", async (t) => {
  const world = await startOauth(t);
  assert.ok((await ask(world)).result);
  process.kill(keeperOf(world.gateway), "SIGKILL");
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask(world)));
  for (const answer of answers) assert.ok(answer.result?.content?.[0]?.text?.includes("hello"), JSON.stringify(answer));
});
