// SPDX-License-Identifier: Apache-2.0
// Runs the conformance suite and counts what it found.
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NODE, ROOT, run } from "../e2e/lib.mjs";
import { parse } from "../node/yaml.mjs";

const PACKAGE = join(ROOT, "tests/node/node_modules/@modelcontextprotocol/conformance");
const PROGRAM = join(PACKAGE, "dist/index.js");
const RUN_MS = 240_000; /* for one run of a whole set of scenarios */
const SCENARIO_MS = 15_000; /* for one scenario, as the suite's own option */

export const REVISIONS = ["2025-11-25", "2026-07-28"];

/** The scenarios of a side ("server", "client") that a revision names: required ones and others. */
export function scenarios(revision, side) {
  const set = parse(readFileSync(join(PACKAGE, "requirements", `${revision}.yaml`), "utf8"));
  const others = set.not_scored.filter((entry) => entry.leg === side).map((entry) => entry.scenario);
  return [...set[side], ...others];
}

/** What a folder of results holds: scenario -> { passed, total, lost: [check id] }. */
function collect(dir, side) {
  const found = {};
  for (const name of readdirSync(dir)) {
    const scenario = name.replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, "").replace(side === "server" ? /^server-/ : /^$/, "");
    found[scenario] ??= { passed: 0, total: 0, lost: [] };
    add(found[scenario], JSON.parse(readFileSync(join(dir, name, "checks.json"), "utf8")));
  }
  return found;
}

function add(sum, checks) {
  for (const { id, status, errorMessage } of checks) {
    if (!["SUCCESS", "FAILURE", "WARNING"].includes(status)) continue;
    sum.total++;
    if (status === "SUCCESS") sum.passed++;
    else sum.lost.push(`${id}: ${String(errorMessage).split("\n")[0].slice(0, 300)}`);
  }
}

async function suite(args, dir) {
  const out = await run(NODE, [PROGRAM, ...args, "--timeout", `${SCENARIO_MS}`, "-o", dir], { timeout: RUN_MS });
  assert.ok(out.code === 0 || out.code === 1, `the suite itself failed: ${out.code} ${out.stderr.slice(0, 2000)}`);
}

/** All server scenarios of a revision against a URL. */
export async function serverRun(url, revision, dir) {
  await suite(["server", "--url", url, "--requirements", revision], dir);
  return collect(dir, "server");
}

/** One client scenario with a command. */
export async function clientRun(command, revision, scenario, dir) {
  await suite(["client", "--command", command, "--scenario", scenario, "--spec-version", revision], dir);
  return collect(dir, "client");
}
