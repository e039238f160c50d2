// SPDX-License-Identifier: Apache-2.0
// A policy of the library by its name: a real server behind `mcpd run --policy std:filesystem/standard`.
import assert from "node:assert/strict";
import { mkdirSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { FILESYSTEM, MCPC, MCPD, NODE, ROOT, call, connectStdio, run, scratch, toolNames } from "./lib.mjs";

const SOURCE = join(ROOT, "stdlib-policies/servers/filesystem/filesystem.pol");

async function setUp(t) {
  const dir = realpathSync(scratch(t));
  const [library, work, params] = ["library", "work", "params.json"].map((name) => join(dir, name));
  mkdirSync(library);
  mkdirSync(work);
  writeFileSync(params, JSON.stringify({ folders: [work] }));
  for (const profile of ["readonly", "standard"]) {
    const out = join(library, `filesystem.${profile}.polb`);
    const made = await run(MCPC, ["compile", "--profile", profile, "--params", params, "-o", out, SOURCE]);
    assert.equal(made.code, 0, made.stderr);
  }
  const client = (profile) =>
    connectStdio(t, "v1", "/usr/bin/env", [`MCPC_LIBRARY=${library}`, MCPD, "run", "--policy", `std:filesystem/${profile}`,
      "--audit", join(dir, "audit.jsonl"), "--", NODE, FILESYSTEM, work]);
  return { work, client };
}

test("std:filesystem/standard before the real server", async (t) => {
  const { work, client } = await setUp(t);
  const standard = await client("standard");
  assert.ok((await toolNames(standard)).includes("write_file"));
  const file = join(work, "a.txt");
  assert.equal((await call(standard, "write_file", { path: file, content: "x" })).isError ?? false, false);
  assert.match((await call(standard, "read_text_file", { path: "/etc/passwd" })).text, /within the folders/);
  assert.match((await call(standard, "read_text_file", { path: join(work, ".env") })).text, /keys and passwords/);
  const readonly = await client("readonly");
  assert.ok(!(await toolNames(readonly)).includes("write_file"));
  assert.match((await call(readonly, "read_text_file", { path: file })).text, /x/);
});

test("a name that the library does not have", async () => {
  for (const name of ["std:../standard", "std:filesystem", "std:filesystem/nothing"]) {
    const got = await run(MCPD, ["run", "--policy", name, "--", "true"]);
    assert.notEqual(got.code, 0);
    assert.match(got.stderr, /policy/);
  }
});
