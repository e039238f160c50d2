// SPDX-License-Identifier: Apache-2.0
// Writes the catalogue from a file of facts and the classes that were made by hand:
//
//   node tests/library/catalog.mjs MCPC FACTS.jsonl SERVERS.jsonl [STDLIB]
//
// STDLIB/catalog/FAMILY.jsonl gets a line for each server ("server", where it comes from, how sure the names are) and
// behind it one for each of its tools. A server whose library.json names it gets that folder's classes, "by":"hand".
// The same input gives the same bytes. Of what others wrote only names go in.
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync, existsSync } from "node:fs";
import { join } from "node:path";

const [mcpc, factsFile, serversFile, stdlib = "stdlib-policies"] = process.argv.slice(2);
const lines = (text) => text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const hand = new Map(); // server of the catalogue to classes by tool
for (const name of readdirSync(join(stdlib, "servers")).sort()) {
  const about = join(stdlib, "servers", name, "library.json");
  if (!existsSync(about)) continue;
  const { catalog = [], classes } = JSON.parse(readFileSync(about, "utf8"));
  if (classes !== "hand") continue;
  const tools = JSON.parse(readFileSync(join(stdlib, "servers", name, `${name}.classes.json`), "utf8")).tools;
  for (const id of catalog) hand.set(id, tools);
}
const effects = ["none", "read", "write", "admin", "destructive", "execute", "money", "unclassified"];
const worst = ({ values, otherwise }) => effects[Math.max(...[...Object.values(values), otherwise].map((effect) => effects.indexOf(effect)))];

const found = execFileSync(mcpc, ["classify", "--json", factsFile], { encoding: "utf8", maxBuffer: 1 << 29 });
const byServer = new Map();
let handTools = 0, tools = 0;
for (const tool of lines(found)) {
  const byHand = hand.get(tool.server)?.[tool.tool];
  const line = byHand
    ? { tool: tool.tool, effect: byHand.effect ?? worst(byHand.variant), flags: byHand.flags, roles: byHand.roles, variant: byHand.variant, by: "hand" }
    : { tool: tool.tool, effect: tool.effect, flags: tool.flags, roles: tool.roles, variant: tool.variant, by: "classify", confidence: tool.confidence };
  handTools += byHand ? 1 : 0;
  tools++;
  if (!byServer.has(tool.server)) byServer.set(tool.server, []);
  byServer.get(tool.server).push(line);
}
const families = new Map();
for (const { server, source, licence, via, q } of lines(readFileSync(serversFile, "utf8")).sort((a, b) => order(a.server, b.server))) {
  const family = server.includes("/") ? server.split("/")[0] : "vendors";
  const out = families.get(family) ?? [];
  families.set(family, out);
  const own = (byServer.get(server) ?? []).sort((a, b) => order(a.tool, b.tool));
  out.push(JSON.stringify({ server, source, licence, via, names: q, tools: own.length }), ...own.map((tool) => JSON.stringify(tool)));
}
const folder = join(stdlib, "catalog");
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const [family, out] of families) writeFileSync(join(folder, `${family}.jsonl`), out.join("\n") + "\n");
console.log(`${byServer.size} servers, ${tools} tools, ${handTools} by hand`);
