// SPDX-License-Identifier: Apache-2.0
// The conformance suite as the judge of the gateway, in both directions.
//
// As a server: the suite's server scenarios of both revisions, first against a fixture alone, then
// through the gateway to the same fixture, and to ones that speak one era only. Each scenario must
// count the same. As a client: the suite's servers, with the gateway as the client.
//
// What is known to differ stands in expected.json with its counts and a reason. Any other
// difference is an error, and so is one that stands there and is gone.
//   run.mjs [--write] [--accept] [RUN...]    RUN: only these
// --write writes the tables of docs/conformance.md; --accept puts today's differences into
// expected.json, where each new one still needs its reason.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, Gateway, NODE, ROOT, start, stop } from "../e2e/lib.mjs";
import { openShim } from "./shim.mjs";
import { clientRun, REVISIONS, scenarios, serverRun } from "./suite.mjs";
import { fill, tables } from "./table.mjs";

const HERE = join(ROOT, "tests/conformance");
const PAGE = join(ROOT, "docs/conformance.md");
const JOBS = Number(process.env.CONFORMANCE_JOBS ?? 2);
const ERAS = ["dual", "modern", "legacy"];
/* The fixtures behind the gateway: of both eras it chooses the modern one. */
const BEHIND = { "2025-11-25": ["dual", "modern", "legacy"], "2026-07-28": ["dual", "legacy"] };
/* The gateway owns no login yet that these could examine. */
const isInScope = (scenario) => !scenario.startsWith("auth/") && !scenario.startsWith("sep-2640");

const options = process.argv.slice(2);
const only = options.filter((option) => !option.startsWith("--"));
const dir = mkdtempSync(join(tmpdir(), "mcpd-conformance-"));
const cleanups = [() => rmSync(dir, { recursive: true, force: true })];

async function startFixtures() {
  const fixtures = {};
  for (const era of ERAS) {
    const proc = await start(NODE, [join(HERE, "fixture.mjs"), "--era", era], { ready: /^ready (http:\S+)$/ });
    cleanups.push(() => stop(proc, "SIGKILL"));
    fixtures[era] = proc.match[1];
  }
  return fixtures;
}

/** One gateway for all fixtures, and a shim before each of its endpoints: era -> URL. */
async function startGateway(fixtures, policy) {
  const shims = {};
  for (const era of ERAS) {
    shims[era] = await openShim();
    cleanups.push(shims[era].close);
  }
  const hosts = Object.values(shims).flatMap(({ port }) => [`localhost:${port}`, `127.0.0.1:${port}`]);
  const gateway = new Gateway(dir, {
    principals: { tester: { groups: [] } },
    servers: Object.fromEntries(ERAS.map((era) => [era, { url: fixtures[era] }])),
    allowed_hosts: hosts,
    allowed_origins: hosts.map((host) => `http://${host}`),
  });
  cleanups.push(async () => {
    await gateway.stop();
    if (process.env.GW_VERBOSE) console.error(gateway.proc.stderr);
  });
  await gateway.start();
  for (const era of ERAS) {
    const { token } = await gateway.grant({ principal: "tester", servers: era, policy });
    shims[era].aim({ port: gateway.port, path: `/mcp/${era}`, token });
  }
  return Object.fromEntries(ERAS.map((era) => [era, shims[era].url]));
}

/** name -> function that gives the counts per scenario. */
function serverRuns(fixtures, urls) {
  const runs = {};
  for (const revision of REVISIONS) {
    const add = (name, url) => (runs[name] = () => serverRun(url, revision, join(dir, name.replace(" ", "-"))));
    add(`direct ${revision}`, fixtures.dual);
    for (const era of BEHIND[revision]) add(`${revision} ${era}`, urls[era]);
  }
  return runs;
}

function clientRuns(policy) {
  process.env.GW_POLICY = policy;
  const command = `"${NODE}" --disable-warning=ExperimentalWarning "${join(HERE, "gw_client.mjs")}"`;
  const all = async (kind, revision, line) => {
    const found = {};
    for (const scenario of scenarios(revision, "client").filter(isInScope)) {
      const out = join(dir, `${kind}-client-${revision}-${scenario}`);
      Object.assign(found, await clientRun(line, revision, scenario, out));
    }
    return found;
  };
  const runs = {};
  for (const revision of REVISIONS) {
    runs[`direct client ${revision}`] = () => all("direct", revision, `${command} --direct`);
    runs[`client ${revision}`] = () => all("through", revision, command);
  }
  return runs;
}

async function runAll(runs) {
  const names = Object.keys(runs).filter((name) => only.length === 0 || only.includes(name) || name.startsWith("direct"));
  const found = {};
  const queue = [...names];
  const work = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      const started = Date.now();
      found[name] = await runs[name]();
      console.log(`${name}: ${Object.keys(found[name]).length} scenarios, ${((Date.now() - started) / 1000).toFixed(0)} s`);
    }
  };
  await Promise.all(Array.from({ length: JOBS }, work));
  return Object.fromEntries(names.map((name) => [name, found[name]]));
}

/** What is wrong with a run: sentences. */
function judge(name, counts, target, expected) {
  const wrong = [];
  for (const [scenario, count] of Object.entries(counts)) {
    const want = target[scenario] ?? { passed: "?", total: "?", lost: [] };
    const known = expected[scenario];
    const isSame = count.passed === want.passed && count.total === want.total;
    const isKnown = known?.why && known.passed === count.passed && known.total === count.total;
    if (isSame && known) {
      wrong.push(`${name} ${scenario}: passes like the fixture alone now; take it out of expected.json`);
    } else if (!isSame && !isKnown) {
      const lost = count.lost.filter((check) => !want.lost.includes(check));
      wrong.push(`${name} ${scenario}: ${count.passed}/${count.total}, not ${want.passed}/${want.total}\n    ${lost.join("\n    ")}`);
    }
  }
  for (const scenario of Object.keys({ ...expected, ...target })) {
    if (!counts[scenario]) wrong.push(`${name} ${scenario}: was not run`);
  }
  return wrong;
}

const directOf = (name) => (name.startsWith("client") ? `direct ${name}` : `direct ${name.split(" ")[0]}`);

/** expected.json as it would have to be. */
function accept(found, expected) {
  const out = {};
  for (const name of Object.keys(found).filter((one) => !one.startsWith("direct"))) {
    const target = found[directOf(name)];
    for (const [scenario, { passed, total }] of Object.entries(found[name])) {
      if (passed === target[scenario]?.passed && total === target[scenario]?.total) continue;
      out[name] ??= {};
      out[name][scenario] = { passed, total, why: expected[name]?.[scenario]?.why ?? "" };
    }
  }
  return out;
}

function judgeAll(found) {
  const file = join(HERE, "expected.json");
  let expected = JSON.parse(readFileSync(file, "utf8"));
  if (options.includes("--accept")) {
    expected = { ...(only.length > 0 && expected), ...accept(found, expected) };
    writeFileSync(file, `${JSON.stringify(expected, null, 2)}\n`);
  }
  const wrong = [];
  let good = 0;
  for (const [name, counts] of Object.entries(found)) {
    if (name.startsWith("direct")) continue;
    const mine = judge(name, counts, found[directOf(name)], expected[name] ?? {});
    wrong.push(...mine);
    good += Object.keys(counts).length - mine.length;
  }
  if (only.length === 0) {
    const page = fill(PAGE, tables(found, BEHIND));
    if (options.includes("--write")) writeFileSync(PAGE, page);
    else if (page !== readFileSync(PAGE, "utf8")) wrong.push("docs/conformance.md: its tables are old; run tests/conformance/run --write");
  }
  for (const line of wrong) console.log(`FAIL ${line}`);
  console.log(`conformance: ${good} passed, ${wrong.length} failed`);
  return wrong.length === 0;
}

let isGood = false;
try {
  const policy = await compile(dir, "open", readFileSync(join(HERE, "open.pol"), "utf8"));
  const fixtures = await startFixtures();
  const urls = await startGateway(fixtures, policy);
  const found = await runAll({ ...serverRuns(fixtures, urls), ...clientRuns(policy) });
  isGood = judgeAll(found);
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
}
process.exitCode = isGood ? 0 : 1;
