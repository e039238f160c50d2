// SPDX-License-Identifier: Apache-2.0
// What a security engineer and a CI job do with a policy beside compiling it: test reports and
// coverage, findings for code scanning, explanations, replay, timing, and watching while one writes.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MCPC, ROOT, run, scratch, until } from "./lib.mjs";

const OK = 0,
  FINDINGS = 1,
  USAGE = 2,
  COMPILE_ERROR = 3,
  TESTS = 4;
const golden = join(ROOT, "tests/golden/commands");

function work(t) {
  const dir = scratch(t);
  cpSync(golden, dir, { recursive: true });
  return dir;
}
const mcpc = (dir, ...args) => run(MCPC, args, { cwd: dir });

test("test --junit: one suite a policy, failures and errors told apart, every character escaped", async (t) => {
  const dir = work(t);
  const out = await mcpc(dir, "test", "--junit", "out.xml", "cover.pol", "findings.pol");
  assert.equal(out.code, TESTS);
  const xml = readFileSync(join(dir, "out.xml"), "utf8");
  assert.match(xml, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites name="mcpc" tests="4" failures="1" errors="1">/);
  assert.match(xml, /<testsuite name="cover.pol" tests="3" failures="1" errors="0" time="\d+\.\d{6}">/);
  assert.match(xml, /name="no settings &lt;&amp;&gt; &quot;secrets&quot; #1"/);
  assert.match(xml, /<failure message="expected allow, got deny/);
  assert.match(xml, /<error message="the policy has errors">/);
  const stack = [];
  for (const [, close, name, self] of xml.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (close) assert.equal(stack.pop(), name);
    else if (!self) stack.push(name);
  }
  assert.deepEqual(stack, [], "well-formed");
});

test("test --json with coverage is one document; the floor decides over the exit code", async (t) => {
  const dir = work(t);
  const out = await mcpc(dir, "test", "--json", "--coverage", "cover.pol", "strict.pol");
  const all = JSON.parse(out.stdout);
  assert.deepEqual([all.passed, all.failed, all.coverage.length], [2, 1, 2]);
  const [cover] = all.coverage;
  const points = cover.rules.total + cover.conditions.total + cover.branches.total;
  assert.ok(points > 30 && cover.rules.reached < cover.rules.total);
  assert.ok(cover.missing.every((m) => /^cover\.pol$/.test(m.source) && m.line > 0 && m.what && m.text));

  writeFileSync(
    join(dir, "full.pol"),
    `policy "full" version 1;
server "s";
allow tool "a" when args.x == 1;
test "both" { call "a" { "x": 1 }; expect allow; call "a" { "x": 2 }; expect deny; }
`,
  );
  assert.equal((await mcpc(dir, "test", "--coverage-min", "100", "full.pol")).code, OK);
  const low = await mcpc(dir, "test", "--coverage-min", "100", "full.pol", "strict.pol");
  assert.equal(low.code, TESTS);
  assert.match(low.stderr, /strict\.pol: coverage is 0\.0%, below 100%/);
  for (const wrong of ["", "-1", "101", "x", "5%"]) {
    assert.equal((await mcpc(dir, "test", "--coverage-min", wrong || " ", "full.pol")).code, USAGE, wrong);
  }
});

test("test --watch: runs again when the policy or its snapshot changes, however it is saved", async (t) => {
  const dir = work(t);
  const child = spawn(MCPC, ["test", "--watch", "cover.pol"], { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let [out, err] = ["", ""];
  child.stdout.on("data", (part) => (out += part));
  child.stderr.on("data", (part) => (err += part));
  const waits = () => err.split("waiting for a change").length - 1;
  /* Two pipes: what is said on one may be read before what was said earlier on the other. */
  await until("the first run", () => waits() === 1 && /2 passed, 1 failed\n$/.test(out));
  const policy = readFileSync(join(dir, "cover.pol"), "utf8");
  writeFileSync(join(dir, "new"), policy.replace('call "write"', 'call "list"').replace(/\{ "path": "\/srv\/project\/a", "content": "x" \}/, "{}"));
  renameSync(join(dir, "new"), join(dir, "cover.pol"));
  await until("the second run", () => waits() === 2 && /3 passed, 0 failed\n$/.test(out));
  writeFileSync(join(dir, "cover.tools.json"), "{}");
  await until("the third run", () => waits() === 3 && /E503/.test(err));
  assert.equal(child.exitCode, null);
});

test("check --sarif: rules, places, fingerprints that stay when lines move", async (t) => {
  const dir = work(t);
  const sarif = async (...files) => {
    const out = await mcpc(dir, "check", "--sarif", ...files);
    return { code: out.code, run: JSON.parse(out.stdout).runs[0], stderr: out.stderr };
  };
  const first = await sarif("findings.pol", "cover.pol");
  assert.equal(first.code, COMPILE_ERROR);
  assert.equal(first.stderr, "");
  const { rules } = first.run.tool.driver;
  assert.equal(new Set(rules.map((r) => r.id)).size, rules.length);
  for (const rule of rules) {
    assert.match(rule.id, /^[EW]\d{3}$/);
    assert.ok(rule.help.text.length > 20 && rule.shortDescription.text.endsWith("."), rule.id);
  }
  for (const result of first.run.results) {
    assert.equal(rules[result.ruleIndex].id, result.ruleId);
    assert.equal(result.level, result.ruleId[0] === "E" ? "error" : "warning");
    const place = result.locations[0].physicalLocation;
    assert.equal(place.artifactLocation.uriBaseId, "%SRCROOT%");
    assert.ok(place.region.endLine > place.region.startLine || place.region.endColumn >= place.region.startColumn);
  }
  const prints = (r) => r.results.map((x) => x.partialFingerprints.primaryLocationLineHash);
  assert.equal(new Set(prints(first.run)).size, first.run.results.length);
  writeFileSync(join(dir, "findings.pol"), `\n\n// moved\n${readFileSync(join(dir, "findings.pol"), "utf8")}`);
  assert.deepEqual(prints((await sarif("findings.pol", "cover.pol")).run), prints(first.run));
  assert.deepEqual((await sarif(join(dir, "strict.pol"))).run.results, []);
  const odd = join(dir, "a b#%é.pol");
  writeFileSync(odd, 'policy "p" version 1;\nlet a = 1;\nallow tool "x";\n');
  const escaped = (await sarif(odd)).run.results[0].locations[0].physicalLocation.artifactLocation;
  assert.match(escaped.uri, /^file:\/\/\/.*\/a%20b%23%25%C3%A9\.pol$/);
  assert.equal((await mcpc(dir, "check", "--sarif", "--json", "strict.pol")).code, USAGE);
});

test("help: every code that check can print is explained", async (t) => {
  const dir = scratch(t);
  const { stdout } = await mcpc(dir, "help", "diagnostics");
  const codes = [...stdout.matchAll(/^\| ([EW]\d+) \|/gm)].map((m) => m[1]);
  assert.ok(codes.length > 100);
  for (const code of [codes[0], codes.at(-1), "E505", "W804"]) {
    const out = await mcpc(dir, "help", code.toLowerCase());
    assert.equal(out.code, OK, code);
    assert.ok(out.stdout.length > 60, out.stdout);
  }
});

/** Applies a proposal of explain to the call, by hand, and sees whether it holds. */
test("explain: what it proposes changes the verdict", async (t) => {
  const dir = work(t);
  const explain = async (call) => {
    writeFileSync(join(dir, "call.json"), JSON.stringify(call));
    const out = await mcpc(dir, "explain", "--json", "--call", "call.json", "cover.pol");
    return { code: out.code, ...JSON.parse(out.stdout) };
  };
  const denied = await explain({ tool: "read", arguments: { path: "/srv/project/.env", limit: 500 } });
  assert.equal(denied.code, FINDINGS);
  assert.equal(denied.ways.length, 1);
  assert.deepEqual(
    denied.ways[0].changes.map((c) => [c.condition, c.value, c.wanted]),
    [
      ["args.limit > 100", "true", "false"],
      ['args.path ends with ".env"', "true", "false"],
    ],
  );
  const allowed = await explain({ tool: "read", arguments: { path: "/srv/project/readme", limit: 5 } });
  assert.equal(allowed.code, OK);
  assert.equal(allowed.ways.length, 2, "a deny that would act, or the allow that would not");
  assert.equal(allowed.ways[0].changes[0].condition, "args.limit > 100");
  assert.equal(allowed.ways[0].source, "cover.pol:12");
  assert.equal(allowed.ways[1].source, undefined);
  assert.ok(!JSON.stringify(allowed).includes("readme"), "values of the call are not repeated");
});

test("explain, replay and bench take a bundle as well as a policy", async (t) => {
  const dir = work(t);
  for (const name of ["cover", "strict"]) assert.equal((await mcpc(dir, "compile", `${name}.pol`)).code, OK);
  const [source, bundle] = await Promise.all(
    ["cover.pol", "cover.polb"].map((f) => mcpc(dir, "explain", "--plan", "--call", "allow.json", f)),
  );
  assert.equal(source.stdout, bundle.stdout);
  const changed = await mcpc(dir, "replay", "--old", "cover.polb", "strict.polb", "calls.jsonl");
  assert.equal(changed.code, FINDINGS);
  assert.match(changed.stdout, /4 calls, 2 changed: 0 newly allowed, 2 newly denied\n$/);
  assert.equal((await mcpc(dir, "replay", "--old", "strict.polb", "strict.polb", "calls.jsonl")).code, OK);
  assert.equal((await mcpc(dir, "replay", "cover.polb", "none.jsonl")).code, USAGE);
  assert.equal((await mcpc(dir, "replay", "cover.polb")).code, USAGE);
  const bench = await mcpc(dir, "bench", "--json", "--count", "200", "--call", "allow.json", "cover.polb");
  const times = JSON.parse(bench.stdout);
  assert.equal(times.decisions, 200);
  assert.ok(0 < times.min_ns && times.min_ns <= times.p50_ns && times.p50_ns <= times.p99_ns && times.p99_ns <= times.max_ns);
  assert.equal((await mcpc(dir, "bench", "--count", "0", "--call", "allow.json", "cover.polb")).code, USAGE);
});

test("doc: a page into a file; nothing is written for a policy with errors", async (t) => {
  const dir = work(t);
  assert.equal((await mcpc(dir, "doc", "-o", "cover.md", "cover.pol")).code, OK);
  assert.match(readFileSync(join(dir, "cover.md"), "utf8"), /^# Policy cover, version 3\n/);
  assert.equal((await mcpc(dir, "doc", "-o", "bad.md", "findings.pol")).code, COMPILE_ERROR);
  assert.ok(!existsSync(join(dir, "bad.md")));
});
