// SPDX-License-Identifier: Apache-2.0
// The commands as a person or a script meets them: exit codes, what goes to which
// stream, --json, and that the examples are what they claim to be.
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MCPC, MCPD, ROOT, compile, run, scratch } from "./lib.mjs";
import { webPolicy, webTools } from "./policies.mjs";

const example = (name) => join(ROOT, "examples", name);
const OK = 0,
  FINDINGS = 1,
  USAGE = 2,
  COMPILE_ERROR = 3,
  TEST_FAILED = 4;

function write(t, files) {
  const dir = scratch(t);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  return dir;
}

for (const name of ["fs.pol", "issues.pol"]) {
  test(`examples/${name}: no findings, laid out as fmt does, all its tests pass`, async () => {
    const checked = await run(MCPC, ["check", example(name)]);
    assert.equal(checked.code, OK, checked.stderr + checked.stdout);
    assert.equal((await run(MCPC, ["fmt", "--check", example(name)])).code, OK, "mcpc fmt --check");
    const tested = await run(MCPC, ["test", example(name)]);
    assert.equal(tested.code, OK, tested.stdout);
    assert.match(tested.stdout, /[1-9]\d* passed, 0 failed\n$/);
  });
}

test("examples/mcpd.jsonc is a good configuration", async () => {
  const out = await run(MCPD, ["check", "--config", example("mcpd.jsonc")]);
  assert.equal(out.code, OK, out.stderr);
});

test("compile: the same source gives the same bytes, wherever and however often", async (t) => {
  const [a, b] = [scratch(t), scratch(t)];
  const first = readFileSync(await compile(a, "web-web", webPolicy("web"), webTools));
  const second = readFileSync(await compile(b, "web-web", webPolicy("web"), webTools));
  assert.deepEqual(first, second);
});

test("compile: FILE.polb beside FILE.pol unless -o says otherwise; nothing is left after an error", async (t) => {
  const dir = write(t, {
    "a.pol": 'policy "a" version 1;\nserver "s";\ndefault deny;\nallow tool "x";\n',
    "bad.pol": 'policy "a" version 1;\nallow tool ;\n',
  });
  assert.equal((await run(MCPC, ["compile", join(dir, "a.pol")])).code, OK);
  assert.ok(existsSync(join(dir, "a.polb")));
  const bad = await run(MCPC, ["compile", join(dir, "bad.pol")]);
  assert.equal(bad.code, COMPILE_ERROR);
  assert.equal(bad.stdout, "");
  assert.match(bad.stderr, /bad\.pol:2:\d+: error/);
  assert.ok(!existsSync(join(dir, "bad.polb")));
  assert.equal((await run(MCPC, ["compile", join(dir, "none.pol")])).code, USAGE);
});

test("compile: `default allow` does not exist", async (t) => {
  const dir = write(t, { "a.pol": 'policy "a" version 1;\nserver "s";\ndefault allow;\n' });
  assert.equal((await run(MCPC, ["compile", join(dir, "a.pol")])).code, COMPILE_ERROR);
  assert.ok(!existsSync(join(dir, "a.polb")));
});

test("check: every error in one go, and for machines with --json", async (t) => {
  const text = `policy "a" version 1;
server "s" tools "s.tools.json";
allow tool "create_issue" when args.ownr == "x";
allow tool "create_issue" when args.title == 5;
`;
  const dir = write(t, { "a.pol": text, "s.tools.json": JSON.stringify({ tools: webTools }) });
  const out = await run(MCPC, ["check", join(dir, "a.pol")]);
  assert.equal(out.code, COMPILE_ERROR, out.stderr);
  assert.match(out.stderr, /a\.pol:3:/);
  assert.match(out.stderr, /a\.pol:4:/);
  assert.match(out.stderr, /owner/, "the nearest name");
  const machine = await run(MCPC, ["check", "--json", join(dir, "a.pol")]);
  assert.equal(machine.code, COMPILE_ERROR);
  const findings = JSON.parse(machine.stdout);
  assert.ok(JSON.stringify(findings).includes("a.pol"));
});

test("test: a test that fails is 4, and says which", async (t) => {
  const dir = write(t, {
    "a.pol":
      'policy "a" version 1;\nserver "s";\ndefault deny;\nallow tool "x";\ntest "wrong on purpose" {\n  call "x" {};\n  expect deny;\n}\n',
  });
  const out = await run(MCPC, ["test", join(dir, "a.pol")]);
  assert.equal(out.code, TEST_FAILED);
  assert.match(out.stdout, /wrong on purpose/);
  assert.match(out.stdout, /0 passed, 1 failed\n$/);
});

test("eval: allow is 0, deny is 1, from a file, from standard input, from a bundle", async (t) => {
  const dir = scratch(t);
  const bundle = await compile(dir, "web-web", webPolicy("web"), webTools);
  const source = join(dir, "web-web.pol");
  const ask = (repo) =>
    JSON.stringify({
      server: "web",
      tool: "create_issue",
      arguments: { owner: "acme", repo, title: "t" },
      principal: { id: "dev-1", groups: ["eng"] },
    });
  writeFileSync(join(dir, "call.json"), ask("web"));
  for (const file of [source, bundle]) {
    const yes = await run(MCPC, ["eval", file, "--call", join(dir, "call.json")]);
    assert.equal(yes.code, OK, yes.stderr);
    assert.match(yes.stdout, /allow/);
    const no = await run(MCPC, ["eval", file, "--call", "-"], { input: ask("other") });
    assert.equal(no.code, FINDINGS, no.stderr);
    assert.match(no.stdout, /deny/);
    assert.match(no.stdout, /issues are opened in our repositories/);
    const machine = JSON.parse(
      (await run(MCPC, ["eval", file, "--json", "--call", "-"], { input: ask("other") })).stdout,
    );
    assert.equal(machine.verdict, "deny");
  }
  for (const bad of ["{", "[]", '{"tool":"echo","tool":"pid"}', '{"tool":"echo","argument":{}}']) {
    const out = await run(MCPC, ["eval", bundle, "--call", "-"], { input: bad });
    assert.equal(out.code, USAGE, `${bad}: ${out.stdout}`);
  }
});

test("eval and disasm: a bundle with a bit changed is refused", async (t) => {
  const dir = scratch(t);
  const bundle = await compile(dir, "web-web", webPolicy("web"), webTools);
  const good = readFileSync(bundle);
  assert.equal((await run(MCPC, ["disasm", bundle])).code, OK);
  const step = Math.max(1, Math.floor(good.length / 40));
  for (let at = 0; at < good.length; at += step) {
    const bytes = Buffer.from(good);
    bytes[at] ^= 0x10;
    writeFileSync(bundle, bytes);
    const out = await run(MCPC, ["eval", bundle, "--call", "-"], { input: '{"tool":"echo","arguments":{}}' });
    assert.ok(out.code === USAGE || out.code === COMPILE_ERROR, `byte ${at}: exit ${out.code} ${out.stdout}`);
  }
  for (const size of [0, 1, 8, good.length - 1]) {
    writeFileSync(bundle, good.subarray(0, size));
    assert.notEqual((await run(MCPC, ["disasm", bundle])).code, OK, `${size} bytes`);
  }
});

test("mcpc and mcpd: help and versions on standard output, mistakes on standard error with 2", async () => {
  for (const program of [MCPC, MCPD]) {
    for (const args of [["help"], ["--version"]]) {
      const out = await run(program, args);
      assert.equal(out.code, OK, `${program} ${args}: ${out.stderr}`);
      assert.notEqual(out.stdout, "");
    }
    for (const args of [[], ["nonsense"], ["check", "--nonsense"]]) {
      const out = await run(program, args);
      assert.equal(out.code, USAGE, `${program} ${args}: ${out.code}`);
      assert.equal(out.stdout, "");
      assert.notEqual(out.stderr, "");
    }
  }
});

test("mcpd check: unknown and duplicate keys, with line and path, all in one go", async (t) => {
  const dir = write(t, {
    "mcpd.jsonc": `{
  // a comment, and a key with a typing error
  "lisen": "127.0.0.1:0",
  "servers": {
    "web": { "url": "http://127.0.0.1:1/mcp", "erra": "auto" },
    "x": { "command": ["a"], "command": ["b"] }
  },
  "limits": { "max_body_bytes": -1 }
}
`,
  });
  const out = await run(MCPD, ["check", "--config", join(dir, "mcpd.jsonc")]);
  assert.equal(out.code, USAGE);
  const said = out.stderr + out.stdout;
  for (const part of ["lisen", "listen", "servers.web.erra", "command", "max_body_bytes", ":3", ":5", ":6", ":8"])
    assert.ok(said.includes(part), `${part} in:\n${said}`);
  const text = readFileSync(join(dir, "mcpd.jsonc"), "utf8");
  for (const [what, changed] of [
    ["not JSON", text.slice(0, -3)],
    ["an array", "[]"],
    ["nothing", ""],
    ["U+0000", '{"listen":"127.0.0.1:0\\u0000"}'],
  ]) {
    writeFileSync(join(dir, "mcpd.jsonc"), changed);
    assert.equal((await run(MCPD, ["check", "--config", join(dir, "mcpd.jsonc")])).code, USAGE, what);
  }
  assert.equal((await run(MCPD, ["serve", "--config", join(dir, "none.jsonc")])).code, USAGE);
});
