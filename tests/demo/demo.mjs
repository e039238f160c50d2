// SPDX-License-Identifier: Apache-2.0
// The main job, from a policy in text to a verdict on a real call: pins two real servers,
// compiles the example policies against them, starts mcpd before them (a stdio server and an HTTP
// server), lets real SDK clients call through it as two people, and prints every verdict with the
// source line that gave it. Exits with 1 if a single verdict is not the expected one.
//   --keep   leaves the gateway running afterwards, for a client of your own, until Ctrl-C
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { FILESYSTEM, Gateway, MCPC, MCPD, NODE, ROOT, call, connect, run, scratch, startFixture } from "../e2e/lib.mjs";

const keep = process.argv.includes("--keep");
const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
const say = (line = "") => console.log(line);

const people = { "dev-1": { groups: ["eng"] }, "lead-1": { groups: ["eng", "maintainers"] } };
const acme = { owner: "acme", repo: "web" };

/* who, server, tool, arguments, expected verdict, a word of the reason */
const calls = [
  ["dev-1", "fs", "read_text_file", { path: "notes/plan.md" }, "allow"],
  ["dev-1", "fs", "write_file", { path: "drafts/reply.md", content: "Dear all" }, "allow"],
  ["dev-1", "fs", "write_file", { path: "notes/plan.md", content: "changed" }, "deny", "drafts/"],
  ["dev-1", "fs", "read_text_file", { path: "../outside.txt" }, "deny", "inside the folder"],
  ["dev-1", "fs", "read_text_file", { path: "app/.env" }, "deny", "secrets"],
  ["dev-1", "fs", "create_directory", { path: "drafts/x" }, "deny", "no rule"],
  ["dev-1", "fs", "move_file", { source: "drafts/reply.md", destination: "notes/reply.md" }, "deny", "maintainers"],
  ["lead-1", "fs", "move_file", { source: "drafts/reply.md", destination: "notes/reply.md" }, "allow"],
  ["dev-1", "issues", "create_issue", { ...acme, title: "Broken link" }, "allow"],
  ["dev-1", "issues", "create_issue", { owner: "other", repo: "web", title: "Broken link" }, "deny", "acme/web"],
  ["dev-1", "issues", "merge", { ...acme, number: 7, method: "squash" }, "deny", "maintainers"],
  ["lead-1", "issues", "merge", { ...acme, number: 7, method: "squash" }, "allow"],
  ["lead-1", "issues", "merge", { ...acme, number: 8, method: "rebase" }, "deny", "squash"],
  ["lead-1", "issues", "delete_repo", acme, "deny", "by hand"],
];

async function mcpc(...args) {
  const out = await run(MCPC, args);
  if (out.code !== 0) throw new Error(`mcpc ${args.join(" ")}\n${out.stderr}`);
}

/* Pins the servers as they are here, and compiles the policies against that: a tool whose
 * definition is another than the accepted one would be held back. */
async function compilePolicies(dir, servers) {
  const bundles = {};
  for (const [name, server] of Object.entries(servers)) {
    const policy = join(dir, `${name}.pol`);
    bundles[name] = join(dir, `${name}.polb`);
    copyFileSync(join(ROOT, "examples", `${name}.pol`), policy);
    await mcpc("pin", "-o", join(dir, `${name}.tools.json`), ...server);
    await mcpc("compile", policy, "-o", bundles[name]);
  }
  return bundles;
}

function makeFiles(dir) {
  const root = join(dir, "files");
  for (const sub of ["notes", "drafts", "app"]) mkdirSync(join(root, sub), { recursive: true });
  writeFileSync(join(root, "notes/plan.md"), "1. compile  2. govern  3. read the log\n");
  writeFileSync(join(root, "app/.env"), "KEY=do-not-read\n");
  writeFileSync(join(dir, "outside.txt"), "outside\n");
  return root;
}

async function prepare(dir) {
  const began = Date.now();
  const issues = await startFixture(scope, "dual_http");
  const root = makeFiles(dir);
  const bundles = await compilePolicies(dir, { fs: ["--stdio", "--", NODE, FILESYSTEM, root], issues: [issues.url] });
  const gateway = new Gateway(dir, {
    principals: people,
    servers: {
      fs: { command: [NODE, FILESYSTEM, root], cwd: root, inherit_env: ["PATH", "HOME"] },
      issues: { url: issues.url },
    },
  });
  scope.after(() => gateway.stop());
  await gateway.start();
  const tokens = {};
  for (const who of Object.keys(people)) {
    for (const name of ["fs", "issues"])
      tokens[`${who} ${name}`] = (await gateway.grant({ principal: who, servers: name, policy: bundles[name] })).token;
  }
  say(`pinned two servers, compiled examples/fs.pol and issues.pol, started mcpd on ${gateway.base} (${Date.now() - began} ms)`);
  say(`  fs      server-filesystem, a child process on a scratch folder`);
  say(`  issues  an HTTP server on ${issues.url}`);
  return { gateway, issues, root, tokens };
}

async function connectAll({ gateway, tokens }) {
  const clients = {};
  for (const key of Object.keys(tokens)) {
    const [who, alias] = key.split(" ");
    const kind = alias === "fs" ? "v1" : "v2 auto"; /* both lines of the SDK, both eras */
    clients[key] = await connect(scope, kind, gateway.url(alias), tokens[key]);
    const { tools } = await clients[key].listTools();
    say(
      `  ${who.padEnd(7)} sees on ${alias.padEnd(7)} ${tools
        .map((t) => t.name)
        .sort()
        .join(", ")}`,
    );
  }
  return clients;
}

/** An argument as the demo shows it; the audit log never does. */
function shown(args) {
  if (args.path) return args.path;
  if (args.source) return `${args.source} -> ${args.destination}`;
  const repo = `${args.owner}/${args.repo}`;
  return args.number ? `${repo}#${args.number} by ${args.method}` : repo;
}

/** One call, judged against what was expected; returns the row to print. */
async function judge(world, clients, [who, alias, tool, args, expected, word]) {
  const seen = world.gateway.audit().length;
  const got = await call(clients[`${who} ${alias}`], tool, args);
  const line = world.gateway
    .audit()
    .slice(seen)
    .find((l) => l.method === "tools/call" && l.tool === tool);
  const verdict = got.decision?.verdict ?? (got.isError ? "error" : "allow");
  const ok = verdict === expected && line?.verdict === expected && (!word || got.text.includes(word));
  const why = expected === "allow" && ok ? "" : (got.decision?.reason ?? got.text);
  return { ok, cells: [who, alias, tool, shown(args), verdict, line?.source ?? line?.cause ?? "", why] };
}

function table(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  for (const row of rows)
    say(
      `  ${row
        .map((cell, i) => cell.padEnd(widths[i]))
        .join("  ")
        .trimEnd()}`,
    );
}

/** What the servers themselves know: no denied call may have reached them. */
function checkServers({ issues, root }) {
  const allowed = calls.filter(([, alias, , , verdict]) => alias === "issues" && verdict === "allow").length;
  const arrived = issues.calls().length;
  const plan = readFileSync(join(root, "notes/plan.md"), "utf8");
  const kept = plan.startsWith("1.") && existsSync(join(root, "notes/reply.md")) && !existsSync(join(root, "drafts/x"));
  return arrived === allowed && kept
    ? null
    : `the servers saw something else: ${arrived} calls for ${allowed} allowed ones, files ${kept ? "as" : "not as"} expected`;
}

function clientConfig(base, token) {
  const server = (alias) => ({
    type: "http",
    url: `${base}/mcp/${alias}`,
    headers: { Authorization: `Bearer ${token(alias)}` },
  });
  return JSON.stringify({ mcpServers: { fs: server("fs") } }, null, 2)
    .split("\n")
    .map((l) => `    ${l}`)
    .join("\n");
}

function howToUse() {
  const short = (path) => relative(process.cwd(), path);
  const [c, d] = [short(MCPC), short(MCPD)];
  say("Point your own client at it:");
  say("    mkdir ~/mcpd && cp examples/mcpd.jsonc ~/mcpd/      # then put your folder into it");
  say("    cp examples/fs.pol ~/mcpd/");
  say(`    ${c} pin -o ~/mcpd/fs.tools.json --stdio -- npx -y @modelcontextprotocol/server-filesystem ~/your/folder`);
  say(`    ${c} compile ~/mcpd/fs.pol -o ~/mcpd/fs.polb`);
  say(`    ${d} serve --config ~/mcpd/mcpd.jsonc &`);
  say(`    ${d} grant create --config ~/mcpd/mcpd.jsonc --principal me --server fs --policy ~/mcpd/fs.polb`);
  say("and put the token that it prints into the client's configuration:");
  say(clientConfig("http://127.0.0.1:8330", () => "TOKEN"));
  say("Or wrap one stdio server for one client, with no configuration: give the client the command");
  say(`    ${d} run --policy ~/mcpd/fs.polb -- npx -y @modelcontextprotocol/server-filesystem ~/your/folder`);
  say("To try a client on the gateway of this demo, as it stood: tests/demo/run --keep");
}

async function stayUp(world) {
  say("The gateway stays up until Ctrl-C. For your client, as lead-1:");
  say(clientConfig(world.gateway.base, (alias) => world.tokens[`lead-1 ${alias}`]));
  say(`The log: ${world.gateway.auditFile}`);
  const timer = setInterval(() => {}, 1 << 30);
  await new Promise((done) => ["SIGINT", "SIGTERM"].forEach((s) => process.once(s, done)));
  clearInterval(timer);
}

async function main() {
  const world = await prepare(scratch(scope));
  const clients = await connectAll(world);
  const rows = [];
  for (const each of calls) rows.push(await judge(world, clients, each));
  say();
  table([["who", "server", "tool", "on", "verdict", "by", "why"], ...rows.map((r) => r.cells)]);
  say();
  const wrong = rows.filter((r) => !r.ok).map((r) => `not as expected: ${r.cells.join(" ")}`);
  const servers = checkServers(world);
  if (servers) wrong.push(servers);
  wrong.forEach((line) => say(line));
  say(
    wrong.length
      ? `${wrong.length} of ${rows.length} verdicts are wrong`
      : `All ${rows.length} verdicts are as expected; no denied call reached a server; ${world.gateway.audit().length} lines in the audit log.`,
  );
  say();
  if (keep) await stayUp(world);
  else howToUse();
  return wrong.length ? 1 : 0;
}

let code = 1;
try {
  code = await main();
} catch (error) {
  console.error(`demo: ${error.message}`);
} finally {
  for (const fn of cleanups) await fn();
}
process.exitCode = code;
