// SPDX-License-Identifier: Apache-2.0
// mcpc init: for every server that the tests have, and for hostile ones, the first policy compiles
// without a finding, is laid out canonically, passes its own tests, allows nothing that
// does more than read, and never costs anybody a file.
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EVERYTHING, FILESYSTEM, MCPC, NODE, ROOT, run, scratch, startFixture } from "./lib.mjs";

const OK = 0,
  USAGE = 2;

const tool = (name, properties = {}, more = {}) => ({
  name,
  description: `does ${name}`,
  inputSchema: { type: "object", properties, required: Object.keys(properties), ...more.schema },
  annotations: more.annotations,
});
const string = { type: "string" };

/** Makes a policy for saved tools in a folder of its own; returns its path and text. */
async function initFrom(t, tools, args = []) {
  const dir = scratch(t);
  const saved = join(dir, "saved.json");
  writeFileSync(saved, JSON.stringify({ tools }));
  const out = await run(MCPC, ["init", "--server", "s", "-o", dir, ...args, saved]);
  assert.equal(out.code, OK, out.stderr);
  const pol = join(dir, "s.pol");
  return { dir, pol, text: readFileSync(pol, "utf8"), allowed: await allowed(pol) };
}

/** The tools that an allow rule of the policy names. */
async function allowed(pol) {
  const text = readFileSync(pol, "utf8").replace(/^#.*$/gm, "");
  const rules = text.match(/^allow tool [^;]*;/gm) ?? [];
  return rules.flatMap((rule) => [...rule.split(/\bwhen\b/)[0].matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((m) => m[1]));
}

/** What must hold of every policy that init wrote. */
async function judge(pol) {
  const check = await run(MCPC, ["check", "--json", pol]);
  assert.deepEqual([check.code, JSON.parse(check.stdout)], [OK, []], pol);
  const fmt = await run(MCPC, ["fmt", "--check", pol]);
  assert.equal(fmt.code, OK, fmt.stderr);
  const tests = await run(MCPC, ["test", pol]);
  assert.equal(tests.code, OK, tests.stdout + tests.stderr);
}

test("real servers get a policy that holds", async (t) => {
  const dir = scratch(t);
  for (const [alias, args] of [
    ["filesystem", ["--stdio", "--", NODE, FILESYSTEM, dir]],
    ["everything", ["--stdio", "--", NODE, EVERYTHING]],
  ]) {
    const out = await run(MCPC, ["init", "-o", dir, ...args]);
    assert.equal(out.code, OK, out.stderr);
    await judge(join(dir, `${alias}.pol`));
    const same = await run(MCPC, ["pin", "--diff", join(dir, `${alias}.tools.json`), ...args]);
    assert.equal(same.code, OK, same.stdout);
  }
  assert.deepEqual(
    (await allowed(join(dir, "filesystem.pol"))).sort(),
    ["get_file_info", "list_allowed_directories", "list_directory", "list_directory_with_sizes", "read_file", "read_media_file",
      "read_multiple_files", "read_text_file", "search_files"],
  );
  assert.ok(!(await allowed(join(dir, "everything.pol"))).includes("get-env"), "an environment holds secrets");
});

test("a server behind a URL, named after its host or as one says", async (t) => {
  const server = await startFixture(t, "dual_http", ["--era", "modern"]);
  const dir = scratch(t);
  const out = await run(MCPC, ["init", "--server", "issues", "-o", dir, server.url]);
  assert.equal(out.code, OK, out.stderr);
  await judge(join(dir, "issues.pol"));
});

test("the snapshots of many servers get a policy that holds", async (t) => {
  const dir = scratch(t);
  for (const folder of ["examples", "examples/statements"]) {
    for (const file of readdirSync(join(ROOT, folder)).filter((name) => name.endsWith(".tools.json"))) {
      const out = await run(MCPC, ["init", "-o", dir, join(ROOT, folder, file)]);
      assert.equal(out.code, OK, `${file}: ${out.stderr}`);
      await judge(join(dir, file.replace(".tools.json", ".pol")));
    }
  }
});

test("nothing but what clearly reads is allowed", async (t) => {
  const says = { annotations: { readOnlyHint: true } };
  const { pol, allowed: names } = await initFrom(t, [
    tool("get_user"), tool("listIssues"), tool("search-docs"), tool("get_commit"), tool("list_open_orders"),
    ...["delete_user", "get_or_create", "search_and_replace", "read_then_archive", "mark_all_read", "run_query", "getSecret", "list_api_keys",
      "get_env", "summary", "reader", "undo_list", "frobnicate_get", "GETTER", "écrire_get", "get_écrire"].map((name) => tool(name, {}, says)),
    tool("get_contradicted", {}, { annotations: { readOnlyHint: false } }),
    tool("get_destructive", {}, { annotations: { destructiveHint: true } }),
    tool("fetch_page", { url: string }), tool("get_status", { host: string }), tool("search_rows", { sql: string }),
    tool("get_output", { command: string }), tool("get_thing", { method: string }), tool("read_list", { items: { type: "array", items: { type: "object",
      properties: { href: string } } } }),
    tool("get_open", {}, { schema: { additionalProperties: true } }),
    tool("get_deep", { a: { type: "object", properties: { b: { type: "object", properties: { c: { type: "object", properties: { d: { type: "object",
      properties: { url: string } } } } } } } } }),
    tool("get_many", Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`path_${i}`, string]))),
  ]);
  assert.deepEqual(names.sort(), ["get_commit", "get_user", "list_open_orders", "listIssues", "search-docs"].sort());
  await judge(pol);
});

test("a name that all tools share is not their verb", async (t) => {
  const one = await initFrom(t, [tool("slack_list_users"), tool("slack_get_user"), tool("slack_post_message")]);
  assert.deepEqual(one.allowed.sort(), ["slack_get_user", "slack_list_users"]);
  const other = await initFrom(t, [tool("slack_list_users"), tool("reset_get_user")]);
  assert.deepEqual(other.allowed, []);
});

test("paths are judged wherever they are, and proposals compile", async (t) => {
  const files = { type: "array", items: { type: "object", properties: { path: string }, required: ["path"] } };
  const { pol, text, dir } = await initFrom(t, [
    tool("read_one", { path: string }), tool("read_some", { paths: { type: "array", items: string } }), tool("read_nested", { files }),
    tool("read_maybe", { path: string }, { schema: { required: [] } }), tool("read_odd", { "dir-path": string }),
    tool("read_null", { path: { type: ["string", "null"] } }),
    tool("write_page", { url: string, path: string }), tool("run_sql", { sql: string }), tool("run_shell", { command: string }),
    tool("send_mail", { to: { type: "array", items: string }, cc: { type: "array", items: string } }, { schema: { required: ["to"] } }),
    tool("push_files", { files, host: string }),
  ]);
  await judge(pol);
  const proposals = text.match(/^# {3}allow tool .*;$/gm).map((line) => line.slice(4));
  assert.equal(proposals.length, 5, text);
  const open = join(dir, "open.pol");
  writeFileSync(open, `${text.split(/^# These only read/m)[0]}\n${text.match(/^allow tool [^;]*;/gm).join("\n")}\n${proposals.join("\n")}\n`);
  const check = await run(MCPC, ["check", "--json", open]);
  assert.deepEqual([check.code, JSON.parse(check.stdout)], [OK, []], check.stdout);
});

test("hostile names and texts stay names and texts", async (t) => {
  const names = ['get_"x', "get_\\", "get_${args.x}", "get_*", "get_[a-z]", "get_{a,b}", "get_\n\"; allow tool \"*\";\n#", "get_\u202etxt", "get_\u0007",
    "get_\u0085", "get_*/", "read_//", "delete_\ndeny", "get_😀", "get_#"];
  const { pol, text } = await initFrom(t, names.map((name) => tool(name, { "a\u202eb": string, 'pa"th': string, "x;}": string, "😀": string })));
  await judge(pol);
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/u.test(text), "no control reaches the policy");
  assert.ok(!/^allow tool "\*"/m.test(text));
  assert.ok(!/allow[^;#]*get_\*/.test(text.replace(/^#.*$/gm, "")), "a name that is a pattern is not allowed");
});

test("files that are there are never overwritten, and half a result is not left", async (t) => {
  const dir = scratch(t);
  const saved = join(dir, "saved.json");
  writeFileSync(saved, JSON.stringify({ tools: [tool("get_x")] }));
  const init = (folder) => run(MCPC, ["init", "--server", "s", "-o", folder, saved]);
  for (const name of ["s.pol", "s.tools.json"]) {
    const folder = join(dir, name);
    mkdirSync(folder);
    writeFileSync(join(folder, name), "mine");
    const out = await init(folder);
    assert.equal(out.code, USAGE);
    assert.match(out.stderr, /is there already/);
    assert.equal(readFileSync(join(folder, name), "utf8"), "mine");
    assert.deepEqual(readdirSync(folder), [name]);
  }
  const linked = join(dir, "linked");
  mkdirSync(linked);
  symlinkSync(join(dir, "elsewhere"), join(linked, "s.pol"));
  assert.equal((await init(linked)).code, USAGE);
  assert.ok(!existsSync(join(dir, "elsewhere")), "a link to nowhere is not followed");
  assert.deepEqual(readdirSync(linked), ["s.pol"]);
});

test("what can't be a policy is said before anything is written", async (t) => {
  const dir = scratch(t);
  const saved = join(dir, "saved.json");
  writeFileSync(saved, JSON.stringify({ tools: [tool("get_x")] }));
  for (const [args, words] of [
    [["--server", "../x", "-o", dir, saved], /alias/],
    [["--server", "No Good", "-o", dir, saved], /alias/],
    [["-o", join(dir, "nowhere"), saved], /no folder/],
    [["-o", dir, join(dir, "missing.json")], /can't read/],
    [["-o", dir, "--stdio", "--", NODE, "-e", "0"], /./],
  ]) {
    const out = await run(MCPC, ["init", ...args]);
    assert.notEqual(out.code, OK, args.join(" "));
    assert.match(out.stderr, words);
    assert.deepEqual(readdirSync(dir), ["saved.json"]);
  }
});
