// SPDX-License-Identifier: Apache-2.0
// Writes tests/classify/sample.jsonl from a file of facts: every so manieth tool of which the vendor
// says something, with its name and those claims and nothing else.
//
//   node tests/classify/sample.mjs FACTS.jsonl > tests/classify/sample.jsonl
import { readFileSync } from "node:fs";

// Servers whose claims are the defaults of a framework, and tools whose name and claims contradict
// each other: "list_tables" that may destroy. One is known for what it does from its description alone.
const wrongServers = new Set(["smithery/@kkjdaniel/bgg-mcp", "smithery/@hashicorp/terraform-mcp-server"]);
const wrongTools = new Set(["circleci find_flaky_tests", "notion API-query-data-source", "google-toolbox/sqlite list_tables",
  "ms365 extract-drive-item-sensitivity-labels", "salesforce retrieve_metadata"]);
const every = 3;
let count = 0;
for (const line of readFileSync(process.argv[2], "utf8").split("\n").filter(Boolean)) {
  const { server, tool, annotations } = JSON.parse(line);
  if (!annotations || wrongServers.has(server) || wrongTools.has(`${server} ${tool}`)) continue;
  if (annotations.readOnlyHint === undefined && annotations.destructiveHint === undefined) continue;
  if (count++ % every === 0)
    console.log(JSON.stringify({ server, tool, annotations }));
}
