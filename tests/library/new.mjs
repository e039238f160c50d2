// SPDX-License-Identifier: Apache-2.0
// Makes the folder of a server: its list of tools, classes, and a policy in three profiles with tests that reach every rule.
//
//   node tests/library/new.mjs MCPC NAME TITLE ID SOURCE LISTED.json|FACTS.jsonl [STDLIB]
//
// ID names the server in the catalogue (and in FACTS), or is "-". Classes that are there already are kept, and the
// policy is written from them, so that the order is: run it, read and correct NAME.classes.json, set "classes": "hand" in
// library.json, remove NAME.pol, run it again, and put into the policy what is particular to this server.
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { sample } from "./sample.mjs";

const [mcpc, name, title, id, source, listed, stdlib = "stdlib-policies"] = process.argv.slice(2);
const folder = join(stdlib, "servers", name);
const file = (ending) => join(folder, ending.startsWith(".") ? name + ending : ending);
const here = dirname(fileURLToPath(import.meta.url));
mkdirSync(folder, { recursive: true });
if (!existsSync(file(".tools.json"))) {
  const words = [join(here, "snapshot.mjs"), listed, ...(listed.endsWith(".jsonl") ? [id] : [])];
  writeFileSync(file(".tools.json"), execFileSync(process.execPath, words, { encoding: "utf8", maxBuffer: 1 << 26 }));
}
if (!existsSync(file(".classes.json"))) {
  const from = listed.endsWith(".jsonl") ? file(".tools.json") : listed;
  const found = JSON.parse(execFileSync(mcpc, ["classify", "--classes", from], { encoding: "utf8", maxBuffer: 1 << 26 })).tools;
  const rows = Object.entries(found).sort().map(([tool, { why, digest, ...kept }]) => `    ${JSON.stringify(tool)}: ${JSON.stringify(kept)}`);
  writeFileSync(file(".classes.json"), `{\n  "tools": {\n${rows.join(",\n")}\n  }\n}\n`);
}
if (!existsSync(file("library.json")))
  writeFileSync(file("library.json"), JSON.stringify({ title, catalog: id === "-" ? [] : [id], source, classes: "classify" }) + "\n");

const tools = JSON.parse(readFileSync(file(".tools.json"), "utf8")).tools;
const classes = JSON.parse(readFileSync(file(".classes.json"), "utf8")).tools;
const classed = tools.filter((tool) => classes[tool.name]);
const effectsOf = ({ effect, variant }) => (variant ? [...Object.values(variant.values), variant.otherwise] : [effect]);
const rolesOf = (tool) => classes[tool.name].roles ?? {};

// What each role denies, for every profile or those named: [param, condition, reason, good, bad].
const guards = [
  { role: "path", all: true, param: 'folders: set of string = { "/workspace" }', about: "Absolute paths of folders that the agent works in.",
    when: "not (path(x) within folders)", reason: "paths are absolute and stay within the folders of this policy", good: "/workspace/a", bad: "/workspace/../etc/passwd" },
  { role: "url", all: true, when: 'not (url(x).scheme in { "http", "https" }) or url(x).userinfo or (url(x).range ?? "public") != "public"',
    reason: "http and https to public hosts, without a user name", good: "https://example.com/", bad: "http://169.254.169.254/" },
  { role: "host", all: true, when: '(host(x).range ?? "public") != "public"', reason: "public hosts only", good: "example.com", bad: "127.0.0.1" },
  { role: "recipient", param: 'domains: set of string = { "example.com" }', about: "Domains whose people may be written to, with all below them.",
    when: "not (email(x).domain within domains)", reason: "nothing is sent to people outside; draft it for a person to send", good: "ann@example.com", bad: "eve@example.org" },
  { role: "amount", all: true, number: true, param: "most: number = 100", about: "The most that one call may be about, in the unit of the server.",
    when: "x > most or x < 0", reason: "this is more than the policy's limit; ask a person", good: 1, bad: 1_000_000 },
  { role: "sql", all: true, when: "length(sql(x).statements) != 1", reason: "one statement a call", good: "select 1 from a", bad: "select 1; drop table a" },
];
const roleTypes = (tool, role) => (rolesOf(tool)[role] ?? []).length > 0;
const used = guards.filter((guard) => classed.some((tool) => roleTypes(tool, guard.role)));

const call = (tool, { bad, pick } = {}) => {
  const values = new Map();
  const roles = rolesOf(tool);
  for (const guard of guards)
    for (const pointer of roles[guard.role] ?? []) {
      const isRequired = (tool.inputSchema.required ?? []).includes(pointer.split("/")[1]);
      if (bad === guard || isRequired) values.set(pointer, bad === guard ? guard.bad : guard.good);
    }
  const made = sample(tool.inputSchema, tool.inputSchema, "", values);
  const variant = classes[tool.name].variant;
  if (variant && pick) made[variant.argument.slice(1)] = pick;
  return `  call ${JSON.stringify(tool.name)} ${JSON.stringify(made)};\n`;
};
// Only where the statement is required: a call without one would be "all of none".
const needsSql = (tool) => (rolesOf(tool).sql ?? []).some((pointer) => (tool.inputSchema.required ?? []).includes(pointer.split("/")[1]));
const sqlTools = classed.filter((tool) => needsSql(tool) && classes[tool.name].effect === "execute").map((tool) => JSON.stringify(tool.name));
// A tool that has one of the effects, and the value that picks it; first one that no guard of `clear` concerns.
const withEffect = (effects, clear = []) => {
  const rank = (tool) => (classes[tool.name].variant ? 4 : 0) + (clear.some((guard) => roleTypes(tool, guard.role)) ? 2 : 0) +
    ((classes[tool.name].flags ?? []).includes("secret") ? 8 : 0);
  const fits = classed.filter((tool) => !(sqlTools.length && needsSql(tool)) && effectsOf(classes[tool.name]).some((effect) => effects.includes(effect))).sort((a, b) => rank(a) - rank(b));
  if (!fits.length) return undefined;
  const variant = classes[fits[0].name].variant;
  const pick = variant && Object.keys(variant.values).find((value) => effects.includes(variant.values[value]));
  return { tool: fits[0], pick };
};
const present = (effects) => effects.filter((effect) => classed.some((tool) => effectsOf(classes[tool.name]).includes(effect)));

const reads = present(["none", "read"]);
const writes = present(["write"]);
const rest = present(["admin", "destructive", "execute", "money"]);
const hasSecret = classed.some((tool) => (classes[tool.name].flags ?? []).includes("secret") && effectsOf(classes[tool.name]).some((effect) => reads.includes(effect)));
const selects = sqlTools.length ? `  allow tool ${sqlTools.join(", ")}\n    when all x in args by role sql: sql(x).verbs within { "select" }\n    reason "only SELECT in this profile";\n` : "";

const out = [`# ${title}.`, `policy "${name}" version 1;`, `server "${name}" tools "${name}.tools.json" classes "${name}.classes.json";`, ""];
for (const guard of used) if (guard.param) out.push(`# ${guard.about}`, `param ${guard.param};`);
out.push(`default deny reason "this profile does not do that; a person can, or a wider profile";`);
const rule = (guard, indent) => `${indent}deny tool "*"\n${indent}  when any x in args by role ${guard.role}: (${guard.when})\n${indent}  reason "${guard.reason}";`;
for (const guard of used) if (guard.all) out.push(rule(guard, ""));
const local = used.filter((guard) => !guard.all);
const secretRule = '  deny flag secret reason "this shows secrets; a person looks them up";';

const attack = (guard, effects) => {
  const tool = classed.find((one) => roleTypes(one, guard.role) && effectsOf(classes[one.name]).some((effect) => effects.includes(effect))) ??
    classed.find((one) => roleTypes(one, guard.role));
  return call(tool, { bad: guard }) + `  expect deny ${JSON.stringify(guard.reason)};\n`;
};
const allowed = (found) => (found ? call(found.tool, { pick: found.pick }) + "  expect allow;\n" : "");
const denied = (found) => (found ? call(found.tool, { pick: found.pick }) + "  expect deny;\n" : "");
// A call of a tool whose effect an argument picks, with a value that has none of the effects: their rule stays silent.
const silent = (effects, permitted) => {
  for (const tool of classed) {
    const { variant, flags = [] } = classes[tool.name];
    if (!variant || flags.includes("secret") || !effectsOf(classes[tool.name]).some((effect) => effects.includes(effect))) continue;
    const value = Object.keys(variant.values).find((key) => !effects.includes(variant.values[key]));
    const pick = value ?? (effects.includes(variant.otherwise) ? undefined : "zzz");
    if (pick) return call(tool, { pick }) + `  expect ${permitted.includes(variant.values[pick] ?? variant.otherwise) ? "allow" : "deny"};\n`;
  }
  return "";
};
const secretTool = classed.find((tool) => (classes[tool.name].flags ?? []).includes("secret"));
const secretTest = hasSecret ? call(secretTool) + '  expect deny "shows secrets";\n' : "";
const sqlTest = selects ? call(classed.find((tool) => JSON.stringify(tool.name) === sqlTools[0])) + "  expect allow;\n" : "";
const sqlBad = selects ? call(classed.find((tool) => JSON.stringify(tool.name) === sqlTools[0])).replaceAll("select 1 from a", "delete from a") + "  expect deny;\n" : "";

out.push('profile "readonly" {', reads.length ? `  allow effect ${reads.join(", ")};` : "");
if (selects) out.push(selects);
if (hasSecret) out.push(secretRule);
out.push(...local.map((guard) => rule(guard, "  ")));
out.push(`  test "reading" {\n${allowed(withEffect(reads, used))}${denied(withEffect([...writes, ...rest]))}${silent(reads, reads)}${secretTest}${sqlTest}${sqlBad}${local.map((guard) => attack(guard, reads)).join("")}  }`, "}");
if (writes.length) {
  out.push('profile "standard" extends "readonly" {', "  allow effect write;",
    `  test "everyday changes" {\n${allowed(withEffect(writes, used))}${allowed(withEffect(reads, used))}${denied(withEffect(rest))}${silent(reads, [...reads, ...writes])}${silent(writes, [...reads, ...writes])}${secretTest}${sqlTest}${sqlBad}${local.map((guard) => attack(guard, writes)).join("")}  }`, "}");
} else {
  out.push('profile "standard" extends "readonly" {', `  test "the same here" {\n${allowed(withEffect(reads, used))}${denied(withEffect(rest))}${secretTest}${sqlTest}${sqlBad}${local.map((guard) => attack(guard, reads)).join("")}  }`, "}");
}
out.push('profile "full" {', `  allow effect ${[...reads, ...writes, ...rest].join(", ")};`,
  `  test "all of it" {\n${allowed(withEffect(rest.length ? rest : writes.length ? writes : reads, used))}  }`, "}");
const always = used.filter((guard) => guard.all);
if (always.length) {
  const good = always.map((guard) => {
    const tool = classed.find((one) => roleTypes(one, guard.role) && effectsOf(classes[one.name]).some((effect) => reads.includes(effect)));
    return tool ? call(tool).replace(/;\n$/, ";\n") + "  expect allow;\n" : "";
  });
  out.push(`test "what no profile lets through" {\n${always.map((guard) => attack(guard, reads)).join("")}}`);
}
if (!existsSync(file(".pol"))) {
  writeFileSync(file(".pol"), out.filter((line) => line !== "").join("\n") + "\n");
  execFileSync(mcpc, ["fmt", "--write", file(".pol")], { stdio: "inherit" });
}
