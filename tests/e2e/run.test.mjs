// SPDX-License-Identifier: Apache-2.0
// `mcpd run`: one client, one stdio server, no configuration. To the client it is the server.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import {
  CLIENTS,
  MCPD,
  NODE,
  alive,
  assertDenied,
  call,
  callsIn,
  compile,
  connectStdio,
  fixture,
  jsonLines,
  run,
  scratch,
  toolNames,
  until,
} from "./lib.mjs";
import { adminTools, devTools, webPolicy, webSource, webToolsOf } from "./policies.mjs";

async function setUp(t, { era = "dual", groups = [] } = {}) {
  const dir = scratch(t);
  const policy = await compile(dir, "web-web", webPolicy("web"), webToolsOf(era));
  const log = join(dir, "child.log");
  const audit = join(dir, "audit.jsonl");
  const args = [
    "run",
    "--policy",
    policy,
    "--principal",
    "dev-1",
    ...groups.flatMap((g) => ["--group", g]),
    "--audit",
    audit,
    "--",
    NODE,
    fixture("dual_stdio"),
    "--era",
    era,
    "--log",
    log,
  ];
  return { dir, args, audit: () => jsonLines(audit), entries: () => jsonLines(log) };
}

for (const era of ["legacy", "modern", "dual", "strict"]) {
  for (const kind of CLIENTS) {
    test(`mcpd run: ${kind} client -> stdio ${era}`, async (t) => {
      const { args, audit, entries } = await setUp(t, { era });
      const client = await connectStdio(t, kind, MCPD, args);
      assert.deepEqual(await toolNames(client), devTools);
      assert.equal(
        (await call(client, "create_issue", { owner: "acme", repo: "web", title: "T" })).text,
        "opened in acme/web: T",
      );
      const before = callsIn(entries()).length;
      assertDenied(await call(client, "create_issue", { owner: "evil", repo: "web", title: "T" }), {
        cause: "rule",
        reason: "issues are opened in our repositories",
        source: webSource("web", 'reason "issues are opened'),
      });
      assertDenied(await call(client, "delete_repo", { owner: "acme", repo: "web" }), { cause: "rule" });
      assertDenied(await call(client, "no_such_tool", {}), { cause: "unknown_tool" });
      assert.equal(callsIn(entries()).length, before, "no denied call reached the server");
      const verdicts = audit()
        .filter((l) => l.method === "tools/call")
        .map((l) => l.verdict);
      assert.deepEqual(verdicts, ["allow", "deny", "deny", "deny"]);
    });
  }
}

test("mcpd run: groups given on the command line are the principal's", async (t) => {
  const { args } = await setUp(t, { groups: ["eng", "admins"] });
  const client = await connectStdio(t, "v1", MCPD, args);
  assert.deepEqual(await toolNames(client), adminTools);
  assert.equal((await call(client, "delete_repo", { owner: "acme", repo: "old" })).text, "deleted acme/old");
});

/** Talks lines to `mcpd run` by hand. */
async function lines(t, args) {
  const child = spawn(MCPD, args, { stdio: ["pipe", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  const seen = [];
  let rest = "";
  child.stdin.on("error", () => {});
  child.stdout.setEncoding("utf8").on("data", (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop();
    seen.push(...parts);
  });
  child.stderr.resume();
  const ended = new Promise((done) => child.once("close", (code, signal) => done(signal ?? code)));
  const answerTo = (id) => until(`an answer to ${id}`, () => seen.map((l) => JSON.parse(l)).find((m) => m.id === id));
  return { child, seen, ended, answerTo, say: (line) => child.stdin.write(line + "\n") };
}

const HELLO =
  '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}';
const READY = '{"jsonrpc":"2.0","method":"notifications/initialized"}';

test("mcpd run: the same strict reading on lines (R1, R2, R3, R7, R9, rows 1-8, 18)", async (t) => {
  const { args, entries } = await setUp(t, { era: "legacy" });
  const io = await lines(t, args);
  io.say(HELLO);
  assert.equal((await io.answerTo(0)).result.protocolVersion, "2025-11-25");
  io.say(READY);
  const evil = [
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","Name":"delete_repo"}}',
    '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"echo","na\\u006de":"delete_repo"}}',
    '{"jsonrpc":"2.0","id":3,"method":"tools/call","params":{"name":"echo\\u0000"}}',
    '[{"jsonrpc":"2.0","id":4,"method":"tools/call","params":{"name":"echo"}}]',
    '{"jsonrpc":"2.0","method":"tools/call","params":{"name":"echo"}}',
    '{"jsonrpc":"2.0","id":null,"method":"tools/call","params":{"name":"echo"}}',
    '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"echo"},"extra":1}',
    '{"jsonrpc":"2.0","id":8,"method":"tools/call","params":{"name":"echo"}}{"jsonrpc":"2.0","id":9,"method":"ping"}',
    "not json",
  ];
  for (const line of evil) io.say(line);
  io.say('{"jsonrpc":"2.0","id":100,"method":"tools/call","params":{"name":"echo","arguments":{"text":"after"}}}');
  assert.equal((await io.answerTo(100)).result.content[0].text, 'echo {"text":"after"}');
  const names = callsIn(entries()).map((c) => c.arguments?.text ?? c.name);
  assert.deepEqual(names, ["after"], "none of them reached the server");
  const results = io.seen.map((l) => JSON.parse(l)).filter((m) => m.id !== 0 && m.id !== 100);
  assert.ok(
    results.every((m) => m.error || m.result?.isError),
    JSON.stringify(results),
  );
});

test("mcpd run: when the client goes, the server goes, and so does mcpd", async (t) => {
  const { args, entries } = await setUp(t, { era: "legacy" });
  const io = await lines(t, args);
  io.say(HELLO);
  await io.answerTo(0);
  const pid = entries().find((e) => e.started)?.started;
  io.child.stdin.end();
  assert.equal(await io.ended, 0);
  await until("the server is gone", () => !alive(pid));
});

test("mcpd run: killed with -9, it leaves no server behind", async (t) => {
  const { args, entries } = await setUp(t, { era: "legacy" });
  const io = await lines(t, args);
  io.say(HELLO);
  await io.answerTo(0);
  const pids = entries()
    .filter((e) => e.started)
    .map((e) => e.started);
  io.child.kill("SIGKILL");
  await until("the server is gone", () => !pids.some(alive));
});

test("mcpd run: mistakes on the command line are said, and nothing is started", async (t) => {
  const { args, dir, entries } = await setUp(t);
  const cases = [
    ["run"],
    ["run", "--policy", args[2]],
    ["run", "--policy", join(dir, "none.polb"), "--", NODE, fixture("dual_stdio")],
    ["run", "--policy", join(dir, "web-web.pol"), "--", NODE, fixture("dual_stdio"), "--log", join(dir, "child.log")],
    ["run", "--nonsense", ...args.slice(1)],
  ];
  for (const bad of cases) {
    const out = await run(MCPD, bad);
    assert.ok(out.code === 1 || out.code === 2, `${bad.join(" ")}: ${out.code}`);
    assert.equal(out.stdout, "");
    assert.notEqual(out.stderr, "");
  }
  assert.deepEqual(entries(), []);
});
