// SPDX-License-Identifier: Apache-2.0
// Writes the table of servers in docs/library.md, or says that it is not current:
//
//   node tests/library/index.mjs [--write]
import { readFileSync, readdirSync, writeFileSync } from "node:fs";

const page = "docs/library.md", servers = "stdlib-policies/servers";
const json = (path) => JSON.parse(readFileSync(path, "utf8"));
const rows = readdirSync(servers).sort().map((name) => {
  const { title, classes, source } = json(`${servers}/${name}/library.json`);
  const params = [...readFileSync(`${servers}/${name}/${name}.pol`, "utf8").matchAll(/^param (\w+):/gm)].map((found) => `\`${found[1]}\``);
  return `| \`${name}\` | ${title} | ${source} | ${json(`${servers}/${name}/${name}.tools.json`).tools.length} | ${classes} | ${params.join(", ")} |`;
});
let tools = 0, byHand = 0, count = 0;
for (const file of readdirSync("stdlib-policies/catalog"))
  for (const line of readFileSync(`stdlib-policies/catalog/${file}`, "utf8").split("\n").filter(Boolean)) {
    const { tool, by } = JSON.parse(line);
    if (tool === undefined) count++;
    else { tools++; byHand += by === "hand" ? 1 : 0; }
  }
const table = [`In the catalogue: ${count} servers with ${tools} tools; of these ${byHand} tools have a class by hand (${((100 * byHand) / tools).toFixed(1)} %).`, "",
  "| server | what | of | tools | classes | params |", "| --- | --- | --- | --- | --- | --- |", ...rows].join("\n");
const text = readFileSync(page, "utf8");
const written = text.replace(/(<!-- servers: begin -->\n)[^]*?(<!-- servers: end -->)/, (_, begin, end) => `${begin}${table}\n${end}`);
if (process.argv[2] === "--write") writeFileSync(page, written);
else if (written !== text) { console.log("docs/library.md: its table of servers is not current; run tests/library/index.mjs --write"); process.exit(1); }
