// SPDX-License-Identifier: Apache-2.0
// Writes examples/*.tools.json: the tools that the demo's servers really list, with the
// names and types that a policy is checked against and without the servers' prose.
//   tests/demo/snapshot      run it again when a server is updated, then read the diff
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FILESYSTEM, NODE, ROOT, connect, connectStdio, startFixture } from "../e2e/lib.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
const KEEP = ["type", "properties", "required", "items", "enum", "additionalProperties"];
const ISSUES = ["create_issue", "delete_repo", "list_issues", "merge"];

/** The same schema with types only. */
function typesOnly(schema) {
  if (typeof schema !== "object" || schema === null) return schema;
  const out = {};
  for (const key of KEEP.filter((k) => k in schema)) {
    if (key === "properties")
      out[key] = Object.fromEntries(Object.entries(schema[key]).map(([k, v]) => [k, typesOnly(v)]));
    else out[key] = key === "items" || key === "additionalProperties" ? typesOnly(schema[key]) : schema[key];
  }
  return out;
}

function write(name, tools) {
  const rows = tools.map((t) => `    ${JSON.stringify({ name: t.name, inputSchema: typesOnly(t.inputSchema) })}`);
  writeFileSync(join(ROOT, "examples", name), `{\n  "tools": [\n${rows.join(",\n")}\n  ]\n}\n`);
  console.log(`examples/${name}: ${tools.length} tools`);
}

try {
  const files = await connectStdio(scope, "v1", NODE, [FILESYSTEM, tmpdir()]);
  write("fs.tools.json", (await files.listTools()).tools);
  const server = await startFixture(scope, "dual_http");
  const issues = await connect(scope, "v2 auto", server.url);
  write(
    "issues.tools.json",
    (await issues.listTools()).tools.filter((t) => ISSUES.includes(t.name)),
  );
} finally {
  for (const fn of cleanups) await fn();
}
