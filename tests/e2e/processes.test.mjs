// SPDX-License-Identifier: Apache-2.0
// Processes come and go: a child that dies is started again, a gateway that is killed
// leaves a whole log and no orphans, two gateways do not disturb each other.
import assert from "node:assert/strict";
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  assertDenied,
  MCPD,
  NODE,
  alive,
  call,
  callsIn,
  compile,
  connect,
  fixture,
  jsonLines,
  run,
  startFixture,
  startGateway,
  until,
} from "./lib.mjs";
import { principals, webPolicy, webTools, webToolsOf } from "./policies.mjs";

async function setUp(t, { era = "legacy", more = {} } = {}) {
  const gateway = await startGateway(t, {
    principals,
    servers: {
      web: {
        command: [NODE, fixture("dual_stdio"), "--era", era, "--log", "child.log"],
        cwd: ".",
        inherit_env: ["PATH"],
      },
    },
    ...more,
  });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webToolsOf(era));
  const { token, id } = await gateway.grant({ servers: "web", policy });
  const log = () => jsonLines(join(gateway.dir, "child.log"));
  return {
    gateway,
    token,
    id,
    log,
    pids: () =>
      log()
        .filter((e) => e.started)
        .map((e) => e.started),
  };
}

const pidOf = async (client) => Number((await call(client, "pid", {})).text);

for (const era of ["legacy", "modern", "strict"]) {
  test(`a stdio child that is killed is started again for the next call (${era})`, async (t) => {
    const { gateway, token } = await setUp(t, { era });
    const client = await connect(t, "v1", gateway.url("web"), token);
    const first = await pidOf(client);
    process.kill(first, "SIGKILL");
    await until("the child is gone", () => !alive(first));
    const second = await pidOf(client);
    assert.notEqual(second, first);
    assert.equal((await call(client, "echo", { text: "still here" })).text, 'echo {"text":"still here"}');
  });
}

test("a child that dies in the middle of a call: an error for that call, an answer for the next", async (t) => {
  const { gateway, token, log } = await setUp(t);
  const client = await connect(t, "v1", gateway.url("web"), token);
  await assert.rejects(call(client, "die", {}), (error) => error.code === -32603);
  assert.equal(callsIn(log()).filter((c) => c.name === "die").length, 1, "a call that may have run is not sent twice");
  assert.match((await call(client, "pid", {})).text, /^\d+$/);
});

test("a command that can't be started: an error, and the gateway lives", async (t) => {
  const { gateway, token } = await setUp(t, { more: { servers: { web: { command: ["/nonexistent/server"] } } } });
  const client = await connect(t, "v1", gateway.url("web"), token).catch((error) => error);
  if (!(client instanceof Error)) {
    assertDenied(await call(client, "pid", {}), { cause: "unchecked_tool", reason: "no such program" });
    await assert.rejects(client.listTools(), /no such program/);
  }
  assert.ok(alive(gateway.proc.child.pid));
});

test("S3: SIGTERM takes every child along", async (t) => {
  const { gateway, token, pids } = await setUp(t);
  const client = await connect(t, "v1", gateway.url("web"), token);
  await pidOf(client);
  assert.ok(pids().length > 0 && pids().some(alive));
  assert.equal(await gateway.stop(), 0);
  await until("no child is left", () => !pids().some(alive));
});

test("S3: so does kill -9: no orphans", async (t) => {
  const { gateway, token, pids } = await setUp(t);
  const client = await connect(t, "v1", gateway.url("web"), token);
  await pidOf(client);
  await gateway.stop("SIGKILL");
  await until("no child is left", () => !pids().some(alive));
});

test("two gateways: the children of one die with it, those of the other live", async (t) => {
  const one = await setUp(t);
  const two = await setUp(t);
  const first = await connect(t, "v1", one.gateway.url("web"), one.token);
  const second = await connect(t, "v1", two.gateway.url("web"), two.token);
  await pidOf(first);
  const kept = await pidOf(second);
  await one.gateway.stop();
  await until("the first one's children are gone", () => !one.pids().some(alive));
  assert.equal(await pidOf(second), kept);
});

test("S3: many calls and sessions do not pile up processes", async (t) => {
  const { gateway, token, pids } = await setUp(t);
  for (let i = 0; i < 8; i++) {
    const client = await connect(t, "v1", gateway.url("web"), token);
    await pidOf(client);
    await client.close();
  }
  assert.ok(pids().filter(alive).length <= 8, `${pids().filter(alive).length} children`);
  await gateway.stop();
  await until("none is left", () => !pids().some(alive));
});

test("a child gets the environment that the configuration names, and no file of the gateway's", async (t) => {
  process.env.MCPD_TEST_SECRET = "not for children";
  t.after(() => delete process.env.MCPD_TEST_SECRET);
  const { gateway, token } = await setUp(t);
  const client = await connect(t, "v1", gateway.url("web"), token);
  const pid = await pidOf(client);
  const env = readFileSync(`/proc/${pid}/environ`, "utf8")
    .split("\0")
    .filter(Boolean)
    .map((e) => e.split("=")[0]);
  assert.deepEqual(env, ["PATH"]);
  const open = (await run("/bin/ls", ["-l", `/proc/${pid}/fd`])).stdout;
  assert.ok(!open.includes("mcpd.db") && !open.includes("audit.jsonl"), open);
});

test("kill -9 in the middle of work: every line of the log is whole, answered calls are on it, grants are kept", async (t) => {
  const { gateway, token, id } = await setUp(t);
  const client = await connect(t, "v1", gateway.url("web"), token);
  const answered = [];
  const flood = (async () => {
    for (let i = 0; i < 2000; i++) {
      await call(client, "echo", { text: `n${i}` });
      answered.push(i);
    }
  })().catch(() => {});
  await until("some calls are answered", () => answered.length > 50, 20_000);
  await gateway.stop("SIGKILL");
  await client.close().catch(() => {});
  await flood;
  const lines = gateway.audit().filter((l) => l.event === "decision" && l.method === "tools/call");
  assert.ok(lines.length >= answered.length, `${lines.length} lines for ${answered.length} answers`);
  await gateway.start();
  const again = await connect(t, "v1", gateway.url("web"), token);
  assert.equal((await call(again, "echo", { text: "x" })).isError, false, "the grant is still good");
  assert.equal((await gateway.grants()).find((g) => g.id === id).state, "active");
  assert.ok(gateway.audit().length > lines.length, "and the log goes on");
});

test("an audit log that can't be written: the call is not answered as allowed", async (t) => {
  const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
  const gateway = await startGateway(t, {
    principals,
    servers: { web: { url: upstream.url } },
    audit: "/dev/full",
  }).catch((error) => error);
  if (gateway instanceof Error) {
    assert.match(gateway.message, /audit/, "refusing to start is as good, if it says why");
    return;
  }
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  const { token } = await gateway.grant({ servers: "web", policy });
  const client = await connect(t, "v1", gateway.url("web"), token).catch((error) => error);
  if (client instanceof Error) return;
  await assert.rejects(call(client, "echo", { text: "unrecorded" }));
});

test("a second gateway on the same port says so and ends", async (t) => {
  const { gateway } = await setUp(t, { more: { listen: "127.0.0.1:0" } });
  const other = join(gateway.dir, "other.jsonc");
  writeFileSync(
    other,
    JSON.stringify({
      listen: `127.0.0.1:${gateway.port}`,
      store: "other.db",
      audit: "other.jsonl",
      principals: {},
      servers: {},
    }),
  );
  const out = await run(MCPD, ["serve", "--config", other], { timeout: 10_000 });
  assert.equal(out.code, 1, out.stderr);
  assert.match(out.stderr, new RegExp(String(gateway.port)));
});

test("only loopback is listened on", async (t) => {
  const { gateway } = await setUp(t);
  const file = join(gateway.dir, "wide.jsonc");
  writeFileSync(
    file,
    JSON.stringify({ listen: "0.0.0.0:0", store: "w.db", audit: "w.jsonl", principals: {}, servers: {} }),
  );
  const out = await run(MCPD, ["check", "--config", file]);
  assert.equal(out.code, 2);
  assert.match(out.stderr + out.stdout, /listen/);
  assert.ok(
    readdirSync(gateway.dir).every((name) => !name.startsWith("w.")),
    "check opens nothing",
  );
});
