// SPDX-License-Identifier: Apache-2.0
// Programs that people put before a server: the Inspector's command line, which asks and leaves, and
// mcp-remote, which gives a remote server to clients that know stdio only. Both carry the grant in a
// header, and must not be led into a login that the gateway does not offer.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { call, compile, connectStdio, NODE, ROOT, run, startFixture, startGateway } from "./lib.mjs";
import { openPolicy, principals } from "./policies.mjs";

const MODULES = join(ROOT, "tests/node/node_modules");
const INSPECTOR = join(MODULES, "@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const REMOTE = join(MODULES, "mcp-remote/dist/proxy.js");
const PATIENCE_MS = 60_000; /* both load a lot before they begin */

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
let gateway, token, home;

before(async () => {
  home = mkdtempSync(join(tmpdir(), "mcpd-e2e-home-")); /* where these programs keep what they keep */
  scope.after(() => rmSync(home, { recursive: true, force: true }));
  const upstream = await startFixture(scope, "dual_http");
  gateway = await startGateway(scope, { principals, servers: { web: { url: upstream.url } } });
  const policy = await compile(gateway.dir, "open", openPolicy("web"));
  ({ token } = await gateway.grant({ servers: "web", policy }));
});
after(async () => {
  for (const fn of cleanups) await fn();
});

describe("the Inspector's command line", () => {
  /** What it prints for one method, read as JSON. */
  async function inspect(args, bearer = token) {
    const env = ["-i", `HOME=${home}`, `PATH=${process.env.PATH}`, NODE, "--disable-warning=ExperimentalWarning"];
    const target = ["--cli", gateway.url("web"), "--transport", "http", "--header", `Authorization: Bearer ${bearer}`];
    return run("env", [...env, INSPECTOR, ...target, ...args], { cwd: home, timeout: PATIENCE_MS });
  }

  test("lists tools", { timeout: PATIENCE_MS }, async () => {
    const out = await inspect(["--method", "tools/list"]);
    assert.equal(out.code, 0, out.stderr);
    const names = JSON.parse(out.stdout).tools.map((tool) => tool.name);
    assert.ok(names.includes("echo") && names.includes("create_issue"), out.stdout);
  });

  test("calls one, and hears of a denial", { timeout: PATIENCE_MS }, async () => {
    const said = await inspect(["--method", "tools/call", "--tool-name", "echo", "--tool-arg", "text=hello"]);
    assert.equal(said.code, 0, said.stderr);
    assert.match(said.stdout, /hello/);
    const out = await inspect(["--method", "tools/call", "--tool-name", "forbidden"]);
    assert.match(out.stdout + out.stderr, /Denied by policy|not found|never this one/, `${out.stdout}${out.stderr}`);
  });

  test("with a wrong token it fails, and soon", { timeout: PATIENCE_MS }, async () => {
    const out = await inspect(["--method", "tools/list"], "wrong");
    assert.notEqual(out.code, 0, out.stdout);
    assert.doesNotMatch(out.stdout, /create_issue/);
  });
});

describe("mcp-remote", () => {
  test("gives the gateway to a client of stdio", { timeout: PATIENCE_MS }, async (t) => {
    const args = [REMOTE, gateway.url("web"), "--allow-http", "--transport", "http-only", "--header", `Authorization:Bearer ${token}`];
    const env = { HOME: home, PATH: process.env.PATH, MCP_REMOTE_CONFIG_DIR: home };
    const client = await connectStdio(t, "v1", NODE, args, { env });
    const { tools } = await client.listTools();
    assert.ok(tools.some((tool) => tool.name === "echo"));
    assert.match((await call(client, "echo", { text: "across" })).text, /across/);
    const denied = await call(client, "forbidden").catch((error) => ({ text: String(error) }));
    assert.match(denied.text, /never this one|not found/);
  });
});
