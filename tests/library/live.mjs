// SPDX-License-Identifier: Apache-2.0
// Runs servers of npm behind the gateway, each with its policy of the library, and says for each what its list shows and
// that one call the policy denies is answered by the gateway:
//
//   node tests/library/live.mjs MCPD MCPC NODE_MODULES
//
// NODE_MODULES is a folder with the packages below; those that are not there are left out and counted.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const [mcpd, mcpc, modules] = process.argv.slice(2);
// name, package, arguments, environment, a call that `readonly` denies
const work = mkdtempSync(join(tmpdir(), "live-"));
const servers = [
  ["filesystem", "@modelcontextprotocol/server-filesystem", [work], {}, ["write_file", { path: "/workspace/a", content: "" }]],
  ["memory", "@modelcontextprotocol/server-memory", [], {}, ["create_entities", { entities: [] }]],
  ["sequential-thinking", "@modelcontextprotocol/server-sequential-thinking", [], {}, ["no_such_tool", {}]],
  ["context7", "@upstash/context7-mcp", [], {}, ["no_such_tool", {}]],
  ["figma", "figma-developer-mcp", ["--stdio"], { FIGMA_API_KEY: "none" }, ["download_figma_images", { fileKey: "a", nodes: [], localPath: "/tmp" }]],
  ["firecrawl", "firecrawl-mcp", [], { FIRECRAWL_API_KEY: "none" }, ["firecrawl_scrape", { url: "http://127.0.0.1/" }]],
  ["exa", "exa-mcp-server", [], { EXA_API_KEY: "none" }, ["web_fetch_exa", { urls: ["http://127.0.0.1/"] }]],
  ["tavily", "tavily-mcp", [], { TAVILY_API_KEY: "none" }, ["tavily_extract", { urls: ["http://169.254.169.254/"] }]],
  ["notion", "@notionhq/notion-mcp-server", [], { NOTION_TOKEN: "none" }, ["API-delete-a-block", { block_id: "a" }]],
  ["airtable", "airtable-mcp-server", [], { AIRTABLE_API_KEY: "none" }, ["delete_records", { baseId: "a", tableId: "a", recordIds: ["a"] }]],
];
const waitMs = 20_000;

const entry = (name) => {
  const folder = join(modules, name), about = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const bin = typeof about.bin === "string" ? about.bin : Object.values(about.bin)[0];
  return join(folder, bin);
};
const talk = (child, messages) => new Promise((resolve) => {
  const answers = new Map();
  let rest = "";
  const timer = setTimeout(() => resolve(answers), waitMs);
  child.stdout.on("data", (bytes) => {
    rest += bytes;
    for (let at; (at = rest.indexOf("\n")) >= 0; rest = rest.slice(at + 1)) {
      const line = rest.slice(0, at);
      if (!line.trim()) continue;
      const answer = JSON.parse(line);
      answers.set(answer.id, answer);
      if (answer.id === 1) for (const message of messages.slice(1)) child.stdin.write(JSON.stringify(message) + "\n");
      if (answers.size === messages.filter((message) => message.id).length) { clearTimeout(timer); resolve(answers); }
    }
  });
  child.on("exit", () => { clearTimeout(timer); resolve(answers); });
  child.stdin.on("error", () => {});
  child.stdin.write(JSON.stringify(messages[0]) + "\n");
});
let passed = 0, failed = 0, absent = 0;
for (const [name, package_, args, env, [tool, given]] of servers) {
  if (!existsSync(join(modules, package_))) { absent++; continue; }
  const bundle = join(work, `${name}.polb`);
  const made = spawnSync(mcpc, ["library", "instantiate", "-o", bundle, `${name}/readonly`], { encoding: "utf8" });
  if (made.status !== 0) { console.log(`FAIL ${name}: ${made.stderr}`); failed++; continue; }
  const child = spawn(mcpd, ["run", "--policy", bundle, "--audit", join(work, "audit"), "--", process.execPath, entry(package_), ...args], { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "ignore"] });
  const answers = await talk(child, [
    { jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-06-18", capabilities: {}, clientInfo: { name: "live", version: "1" } } },
    { jsonrpc: "2.0", method: "notifications/initialized" },
    { jsonrpc: "2.0", id: 2, method: "tools/list", params: {} },
    { jsonrpc: "2.0", id: 3, method: "tools/call", params: { name: tool, arguments: given } },
  ]);
  child.kill();
  const shown = answers.get(2)?.result?.tools?.map((one) => one.name) ?? [];
  const denied = answers.get(3)?.result?.isError === true || answers.get(3)?.error;
  const isGood = shown.length > 0 && !shown.includes(tool === "firecrawl_scrape" || tool.startsWith("tavily") || tool.startsWith("web_fetch") ? "" : tool) && denied;
  console.log(`${isGood ? "ok  " : "FAIL"} ${name} (${package_}): ${shown.length} tools shown to readonly${isGood ? "" : ": " + JSON.stringify([...answers.values()]).slice(0, 400)}`);
  isGood ? passed++ : failed++;
}
rmSync(work, { recursive: true });
console.log(`live: ${passed} passed, ${failed} failed, ${absent} not installed`);
process.exit(failed ? 1 : 0);
