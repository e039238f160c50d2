// SPDX-License-Identifier: Apache-2.0
// The gateway as the client that the suite examines: starts one in front of the suite's server and
// sends a plain SDK client through it, which uses all that is offered.
//   gw_client.mjs [--direct] URL, with the suite's MCP_CONFORMANCE_* and GW_POLICY, an allow-all bundle
// With --direct there is no gateway: what that counts is what the gateway is compared with.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Gateway, MODERN } from "../e2e/lib.mjs";
import { Client, StreamableHTTPClientTransport } from "../node/client_v2.mjs";

const CALL_MS = 8_000; /* less than the suite's patience with a scenario */

const url = process.argv.at(-1);
const isDirect = process.argv.includes("--direct");
const revision = process.env.MCP_CONFORMANCE_PROTOCOL_VERSION;
const { toolCalls } = JSON.parse(process.env.MCP_CONFORMANCE_CONTEXT ?? "{}");

function newClient() {
  const capabilities = { elicitation: { form: { applyDefaults: true } }, sampling: {} };
  const modern = revision === MODERN && { versionNegotiation: { mode: { pin: MODERN } } };
  const client = new Client({ name: "conformance-client", version: "1.0.0" }, { capabilities, ...modern });
  client.setRequestHandler("elicitation/create", ({ params }) => ({
    action: "accept",
    content: params.requestedSchema?.properties?.confirmed ? { confirmed: true } : {},
  }));
  return client;
}

/** Something that fits a schema of primitive properties. */
function argumentsFor({ properties = {}, required = [] }) {
  const sample = { number: 5, integer: 5, boolean: true, string: "sample" };
  return Object.fromEntries(required.map((name) => [name, sample[properties[name]?.type] ?? "sample"]));
}

/** The calls that a scenario wants: its own, or one of each tool. */
function callsOf(tools) {
  if (toolCalls) return toolCalls;
  const calls = tools.map((tool) => ({ name: tool.name, arguments: argumentsFor(tool.inputSchema) }));
  const echo = calls.find((call) => call.name === "json_schema_echo");
  if (echo) echo.arguments = { schema: tools.find((tool) => tool.name === "json_schema_2020_12_tool").inputSchema };
  return calls;
}

/** Uses everything; what fails does not keep the rest from being tried. */
async function useAll(client) {
  const failures = [];
  const timeout = CALL_MS;
  const attempt = (work) => work.catch((error) => failures.push(error));
  const { tools } = await client.listTools(undefined, { timeout });
  for (const call of callsOf(tools)) await attempt(client.callTool(call, { timeout }));
  const offered = client.getServerCapabilities() ?? {};
  if (offered.resources) {
    for (const { uri } of (await client.listResources()).resources) await attempt(client.readResource({ uri }));
  }
  if (offered.prompts) {
    for (const { name } of (await client.listPrompts()).prompts) await attempt(client.getPrompt({ name }));
  }
  if (failures.length > 0) throw new AggregateError(failures, "calls failed");
}

async function use(target, headers = {}) {
  const client = newClient();
  try {
    await client.connect(new StreamableHTTPClientTransport(new URL(target), { requestInit: { headers } }));
    await useAll(client);
  } finally {
    await client.close().catch(() => {});
  }
}

async function throughGateway(dir) {
  const gateway = new Gateway(dir, { servers: { up: { url } }, principals: { tester: { groups: [] } } });
  try {
    await gateway.start();
    const { token } = await gateway.grant({ principal: "tester", servers: "up", policy: process.env.GW_POLICY });
    await use(gateway.url("up"), { Authorization: `Bearer ${token}` });
  } finally {
    await gateway.stop();
    if (process.env.GW_VERBOSE) console.error(gateway.proc?.stderr);
  }
}

const dir = mkdtempSync(join(tmpdir(), "mcpd-conformance-"));
try {
  await (isDirect ? use(url) : throughGateway(dir));
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
