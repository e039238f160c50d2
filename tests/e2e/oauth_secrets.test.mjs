// SPDX-License-Identifier: Apache-2.0
// Where tokens must not be: the values that a provider issued are looked for in everything that is
// left behind.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { modern, rpcOf } from "./lib.mjs";
import { command, login, startOauth } from "./oauth.mjs";

test("no token, code or client's secret in logs, audit, errors, the store's files or any environment", async (t) => {
  const world = await startOauth(t, { as: ["--ttl", "3", "--leak", "yes"] });
  const ask = () =>
    modern(world.gateway.port, "web", world.token, { params: { name: "echo", arguments: { text: "x" } } });
  const answers = [];
  for (let i = 0; i < 4; i++) {
    answers.push((await ask()).body);
    await new Promise((done) => setTimeout(done, 1000));
  }
  await world.control({ revoke: true });
  answers.push((await ask()).body, (await command(world.gateway, "connections")).stdout);
  answers.push((await command(world.gateway, "status", "--json")).stdout);
  const { secrets } = await world.control();
  assert.ok(secrets.length >= 6, `issued: ${secrets.length}`);

  const below = (pid) => {
    const list = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean);
    return [String(pid), ...list.flatMap(below)];
  };
  const pids = below(world.gateway.proc.child.pid);
  assert.ok(pids.length >= 3, "gateway, supervisor, keeper");
  const places = { answers: answers.join("\n"), log: world.gateway.proc.stderr };
  for (const pid of pids) {
    places[`environ of ${pid}`] = readFileSync(`/proc/${pid}/environ`, "latin1");
    places[`cmdline of ${pid}`] = readFileSync(`/proc/${pid}/cmdline`, "latin1");
  }
  for (const name of readdirSync(world.gateway.dir)) {
    const path = join(world.gateway.dir, name);
    if (statSync(path).isFile()) places[name] = readFileSync(path, "latin1");
  }
  assert.ok(places["mcpd.db"] && places["audit.jsonl"], Object.keys(places).join());
  for (const [where, text] of Object.entries(places))
    for (const secret of secrets) assert.ok(!text.includes(secret), `a secret of the provider's lies in: ${where}`);
});
