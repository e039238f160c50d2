// SPDX-License-Identifier: Apache-2.0
// Measures `mcpc classify` on what vendors declare of their own tools: a confusion matrix, and the
// tools that were taken for reading though their vendor calls them destructive, of which there must
// be none. The server's hints are withheld from the classifier (--no-hints).
//
//   node tests/classify/measure.mjs MCPC FACTS.jsonl [--half 0|1] [--wrong] [--floor PERCENT]
//
// FACTS has a line a tool as compiler/classify/facts.h says; lines without annotations are left out.
// --half takes the vendors whose name hashes to that half: tables are tuned on one, and tried on the other.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";

const [mcpc, file, ...rest] = process.argv.slice(2);
const option = (name) => (rest.includes(name) ? rest[rest.indexOf(name) + 1] : undefined);
const half = option("--half");
const vendor = (server) => (server.includes("/") && !server.startsWith("smithery/") ? server.split("/")[0] + "/" + server.split("/")[1] : server);
const inHalf = (server) => half === undefined || createHash("sha256").update(vendor(server)).digest()[0] % 2 === Number(half);

const declared = (hints) => {
  if (!hints) return undefined;
  if (hints.destructiveHint === true && hints.readOnlyHint !== true) return "destructive";
  if (hints.readOnlyHint === true) return "read";
  if (hints.readOnlyHint === false) return "write";
  return undefined;
};
const facts = readFileSync(file, "utf8").split("\n").filter(Boolean).map((line) => JSON.parse(line));
const labels = new Map(facts.map((tool) => [`${tool.server}\0${tool.tool}`, { tool, truth: declared(tool.annotations) }]));
const answers = execFileSync(mcpc, ["classify", "--json", "--no-hints", file], { maxBuffer: 1 << 29, encoding: "utf8" })
  .split("\n").filter(Boolean).map((line) => JSON.parse(line));

const effects = ["none", "read", "write", "admin", "destructive", "execute", "money", "unclassified"];
const matrix = { read: {}, write: {}, destructive: {} };
const wrong = [];
const byConfidence = {};
let right = 0, total = 0;
for (const answer of answers) {
  const { tool, truth } = labels.get(`${answer.server}\0${answer.tool}`);
  if (!truth || !inHalf(answer.server)) continue;
  matrix[truth][answer.effect] = (matrix[truth][answer.effect] ?? 0) + 1;
  const reads = answer.effect === "read" || answer.effect === "none";
  const fits = reads === (truth === "read");
  const row = (byConfidence[answer.confidence] ??= { right: 0, total: 0 });
  row.total++; total++;
  if (fits) { row.right++; right++; }
  else wrong.push({ truth, answer, tool });
}
console.log("declared".padEnd(12), ...effects.map((effect) => effect.padStart(12)));
for (const truth of Object.keys(matrix))
  console.log(truth.padEnd(12), ...effects.map((effect) => String(matrix[truth][effect] ?? 0).padStart(12)));
const percent = total ? (100 * right) / total : 0;
console.log(`reads or does not: ${right} of ${total} right, ${percent.toFixed(1)} %`);
for (const [name, row] of Object.entries(byConfidence))
  console.log(`  confidence ${name}: ${row.right} of ${row.total}`);
const bad = wrong.filter(({ truth, answer }) => truth === "destructive" && (answer.effect === "read" || answer.effect === "none"));
console.log(`destructive taken for reading: ${bad.length}`);
if (rest.includes("--wrong"))
  for (const { truth, answer, tool } of wrong)
    console.log(`${truth} -> ${answer.effect}: ${answer.server} ${answer.tool} | ${tool.description_head ?? ""} | ${answer.why.join("; ")}`);
for (const { answer } of bad) console.log(`  ${answer.server} ${answer.tool}: ${answer.why.join("; ")}`);
process.exit(bad.length || (option("--floor") && percent < Number(option("--floor"))) ? 1 : 0);
