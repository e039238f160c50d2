// SPDX-License-Identifier: Apache-2.0
// What every end-to-end test uses: a scratch folder, a compiled policy, a gateway on
// a free port, grants, fixture servers, raw HTTP without any library in between, and
// the audit log. Everything started here is stopped when the test that asked ends.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { fileURLToPath } from "node:url";
import * as v1 from "../node/client_v1.mjs";
import * as v2 from "../node/client_v2.mjs";

const here = dirname(fileURLToPath(import.meta.url));
export const ROOT = resolve(here, "../..");
export const MCPC = resolve(process.env.MCPC ?? join(ROOT, "build/cc/mcpc"));
export const MCPD = resolve(process.env.MCPD ?? join(ROOT, "build/cc/mcpd"));
export const NODE = process.execPath;
export const MODERN = "2026-07-28";
export const LEGACY = "2025-11-25";
const PACKAGES = join(ROOT, "tests/node/node_modules/@modelcontextprotocol");
export const FILESYSTEM = join(PACKAGES, "server-filesystem/dist/index.js");
export const EVERYTHING = join(PACKAGES, "server-everything/dist/index.js");
export const fixture = (name) => join(here, "servers", `${name}.mjs`);

const START_MS = 15_000; /* until a server says that it is ready; sanitizer builds are slow */
const STOP_MS = 5_000; /* from SIGTERM to SIGKILL */
const RAW_MS = 15_000; /* for one raw exchange */

/** A folder that is gone when the test `t` is over. */
export function scratch(t) {
  const dir = mkdtempSync(join(tmpdir(), "mcpd-e2e-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Runs a program to its end; never throws for an exit code. */
export function run(file, args, { cwd, input, timeout = 30_000 } = {}) {
  return new Promise((done) => {
    const child = execFile(file, args, { cwd, timeout, maxBuffer: 1 << 24 }, (error, stdout, stderr) => {
      done({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
    child.stdin.on("error", () => {});
    child.stdin.end(input ?? "");
  });
}

/** Compiles policy text; returns the bundle's path. `tools` become the pinned snapshot beside it. */
export async function compile(dir, name, text, tools) {
  if (tools) {
    writeFileSync(join(dir, `${name}.tools.json`), JSON.stringify({ tools }, null, 2));
  }
  const source = join(dir, `${name}.pol`);
  const bundle = join(dir, `${name}.polb`);
  writeFileSync(source, text);
  const out = await run(MCPC, ["compile", source, "-o", bundle]);
  assert.equal(out.code, 0, `mcpc compile ${name}.pol: ${out.stderr}${out.stdout}`);
  return bundle;
}

/* ---- processes ---- */

/** Starts a program and waits for the first line of its output that `ready` matches. */
export async function start(file, args, { cwd, env, ready }) {
  const child = spawn(file, args, { cwd, env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  const proc = {
    child,
    stderr: "",
    match: null,
    ended: new Promise((done) => child.once("close", (code, signal) => done(signal ?? code))),
  };
  child.stderr.on("data", (part) => (proc.stderr += part));
  const lines = createInterface({ input: child.stdout });
  const seen = [];
  const first = new Promise((done) => {
    lines.on("line", (line) => {
      seen.push(line);
      const m = ready.exec(line);
      if (m) done(m);
    });
    child.once("error", (error) => done(error));
    child.once("close", () => done(null));
  });
  proc.match = await Promise.race([first, sleep(START_MS, undefined, { ref: false })]);
  if (!Array.isArray(proc.match)) {
    child.kill("SIGKILL");
    throw new Error(`${file} ${args.join(" ")}: not ready; stdout ${JSON.stringify(seen)}, stderr ${proc.stderr}`);
  }
  proc.lines = seen;
  return proc;
}

/** Asks a process to end, insists after STOP_MS; returns its exit code or signal. */
export async function stop(proc, signal = "SIGTERM") {
  if (proc.child.exitCode !== null || proc.child.signalCode !== null) {
    return proc.ended;
  }
  proc.child.kill(signal);
  const timer = setTimeout(() => proc.child.kill("SIGKILL"), STOP_MS);
  const how = await proc.ended;
  clearTimeout(timer);
  return how;
}

/** A port that was free a moment ago, for servers that can't be told to take any. */
export function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

export function alive(pid) {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

/** Polls until `probe` gives something true; fails with `what` after `ms`. */
export async function until(what, probe, ms = 5_000) {
  const end = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    assert.ok(Date.now() < end, `waited ${ms} ms in vain: ${what}`);
    await sleep(20);
  }
}

export function jsonLines(file) {
  if (!existsSync(file)) return [];
  return readFileSync(file, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}

/** A fixture HTTP server with its record of what arrived. */
export async function startFixture(t, name, args = []) {
  const log = join(scratch(t), `${name}.log`);
  const proc = await start(NODE, [fixture(name), "--log", log, ...args], { ready: /^ready (http:\S+)$/ });
  t.after(() => stop(proc, "SIGKILL"));
  const log_of = () => jsonLines(log);
  return { ...proc, url: proc.match[1], log: log_of, calls: () => callsIn(log_of()) };
}

/** The tools/call messages among recorded ones. */
export function callsIn(entries) {
  return entries.filter((e) => e.message?.method === "tools/call").map((e) => e.message.params);
}

/* ---- the gateway ---- */

/** The authorities (PEM) of the ports that speak TLS: whatever is sent there by hand goes through it. */
const trusted = new Map();

/** A connection to a port, through TLS where it speaks that. */
export function dial(port, options = {}) {
  const ca = trusted.get(port);
  if (ca === undefined) return net.connect(port, "127.0.0.1");
  return tls.connect({ port, host: "127.0.0.1", servername: "localhost", ca, ...options });
}

/** The event at which a connection of dial() may be written to. */
export const dialled = (socket) => (socket.encrypted ? "secureConnect" : "connect");

/**
 * A gateway in its own folder. options: dir, servers, principals, and anything else of mcpd.jsonc.
 * start() and stop() may be called again: the store and the audit log stay.
 */
export class Gateway {
  constructor(dir, config) {
    this.dir = dir;
    this.config = join(dir, "mcpd.jsonc");
    this.auditFile = join(dir, "audit.jsonl");
    this.storeFile = join(dir, "mcpd.db");
    const whole = { listen: "127.0.0.1:0", store: "mcpd.db", audit: "audit.jsonl", principals: {}, ...config };
    writeFileSync(this.config, `// written by a test\n${JSON.stringify(whole, null, 2)}\n`);
  }
  async start() {
    this.proc = await start(MCPD, ["serve", "--config", this.config], {
      cwd: this.dir,
      ready: /^mcpd: ready on (https?:\/\/127\.0\.0\.1:(\d+))$/,
    });
    this.base = this.proc.match[1];
    this.port = Number(this.proc.match[2]);
    trusted.delete(this.port);
    if (this.base.startsWith("https:")) trusted.set(this.port, this.ca);
    return this;
  }
  stop(signal) {
    return this.proc ? stop(this.proc, signal) : undefined;
  }
  url(alias) {
    return `${this.base}/mcp/${alias}`;
  }
  /** Creates a grant by the command, as a person would; returns its token and id. */
  async grant({ principal = "dev-1", servers, policy, expires, label }) {
    const args = ["grant", "create", "--config", this.config, "--principal", principal, "--policy", policy];
    for (const alias of [servers].flat()) args.push("--server", alias);
    if (expires) args.push("--expires", expires);
    if (label) args.push("--label", label);
    const out = await run(MCPD, args);
    assert.equal(out.code, 0, `mcpd grant create: ${out.stderr}`);
    assert.match(out.stdout, /^[\x21-\x7e]+\n$/, "the token and a newline, nothing else");
    const id = /grant (g_\w+) for /.exec(out.stderr)?.[1];
    assert.ok(id, `the grant's id on standard error: ${out.stderr}`);
    return { token: out.stdout.trim(), id };
  }
  async revoke(id) {
    const out = await run(MCPD, ["grant", "revoke", "--config", this.config, id]);
    assert.equal(out.code, 0, `mcpd grant revoke: ${out.stderr}`);
  }
  async grants() {
    const out = await run(MCPD, ["grant", "list", "--config", this.config, "--json"]);
    assert.equal(out.code, 0, `mcpd grant list: ${out.stderr}`);
    return JSON.parse(out.stdout);
  }
  audit() {
    return jsonLines(this.auditFile);
  }
}

/** Makes and starts a gateway that stops with the test. */
export async function startGateway(t, config, { dir, ca } = {}) {
  const gateway = new Gateway(dir ?? scratch(t), config);
  gateway.ca = ca;
  t.after(() => gateway.stop());
  await gateway.start();
  return gateway;
}

/* ---- SDK clients ---- */

const KINDS = {
  v1: { sdk: v1 },
  "v2 legacy": { sdk: v2 },
  "v2 auto": { sdk: v2, versionNegotiation: { mode: "auto" } },
  "v2 modern": { sdk: v2, versionNegotiation: { mode: { pin: MODERN } } },
};
export const CLIENTS = Object.keys(KINDS);

function newClient(kind) {
  const { sdk, versionNegotiation } = KINDS[kind];
  const options = { capabilities: {}, ...(versionNegotiation && { versionNegotiation }) };
  return { sdk, client: new sdk.Client({ name: `test-${kind.replace(" ", "-")}`, version: "1.0.0" }, options) };
}

/** A connected SDK client over HTTP; closed when the test ends. */
export async function connect(t, kind, url, token) {
  const { sdk, client } = newClient(kind);
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  await client.connect(new sdk.StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
  t.after(() => client.close().catch(() => {}));
  return client;
}

/** A connected SDK client over the standard input and output of a command. */
export async function connectStdio(t, kind, command, args, options = {}) {
  const { sdk, client } = newClient(kind);
  const transport = new sdk.StdioClientTransport({ command, args, stderr: "ignore", ...options });
  await client.connect(transport);
  t.after(() => client.close().catch(() => {}));
  return Object.assign(client, { childPid: transport.pid });
}

/** Calls a tool; gives the joined text, whether it is an error, and the decision if there is one. */
export async function call(client, name, args) {
  const result = await client.callTool({ name, ...(args && { arguments: args }) });
  const text = (result.content ?? []).map((c) => c.text ?? "").join("");
  return { text, isError: result.isError === true, decision: result._meta?.["mcpd/decision"], result };
}

export async function toolNames(client) {
  return (await client.listTools()).tools.map((tool) => tool.name).sort();
}

/** The shape that every denial has. */
export function assertDenied(got, { cause, reason, source, policy }) {
  assert.equal(got.isError, true, `expected a denial, got: ${got.text}`);
  assert.match(got.text, /^Denied by policy "/);
  assert.equal(got.decision?.verdict, "deny");
  if (cause) assert.equal(got.decision.cause, cause);
  if (policy) assert.equal(got.decision.policy, policy);
  if (reason) assert.ok(got.text.includes(reason) && got.decision.reason.includes(reason), `reason in: ${got.text}`);
  if (source) {
    assert.equal(got.decision.source, source);
    assert.ok(got.text.includes(`[${source}]`), `source line in: ${got.text}`);
  }
}

/* ---- HTTP by hand ---- */

/** Sends bytes on a fresh connection and reads until it closes or one response is whole. */
export function exchange(port, bytes, { ms = RAW_MS, half = false } = {}) {
  return new Promise((done, fail) => {
    const socket = dial(port);
    const timer = setTimeout(() => {
      socket.destroy();
      fail(
        new Error(
          `no whole response within ${ms} ms; got ${JSON.stringify(Buffer.concat(parts).toString("latin1").slice(0, 500))}`,
        ),
      );
    }, ms);
    const parts = [];
    const finish = (ended) => {
      const response = parseResponse(Buffer.concat(parts), ended);
      if (response === null) return;
      clearTimeout(timer);
      socket.destroy();
      done(response);
    };
    socket.on(dialled(socket), () => (half ? socket.end(bytes) : socket.write(bytes)));
    socket.on("data", (part) => {
      parts.push(part);
      finish(false);
    });
    socket.on("error", () => finish(true));
    socket.on("close", () => finish(true));
  });
}

/** One response from raw bytes: null while more is to come; status 0 when the peer just closed. */
function parseResponse(bytes, ended) {
  const at = bytes.indexOf("\r\n\r\n");
  if (at < 0) return ended ? { status: 0, headers: {}, body: "", bytes } : null;
  const [first, ...rest] = bytes.subarray(0, at).toString("latin1").split("\r\n");
  const headers = {};
  for (const line of rest) {
    const colon = line.indexOf(":");
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  const status = Number(first.split(" ")[1]);
  const raw = bytes.subarray(at + 4);
  const body = readBody(status, headers, raw, ended);
  return body === null ? null : { status, headers, body: body.toString("utf8"), bytes };
}

function readBody(status, headers, raw, ended) {
  if (status === 204 || status === 304) return Buffer.alloc(0);
  if (headers["content-length"] !== undefined) {
    const length = Number(headers["content-length"]);
    return raw.length >= length || ended ? raw.subarray(0, length) : null;
  }
  if (headers["transfer-encoding"] === "chunked") return dechunk(raw, ended);
  return ended ? raw : null;
}

function dechunk(raw, ended) {
  const out = [];
  for (let at = 0; ;) {
    const eol = raw.indexOf("\r\n", at);
    if (eol < 0) return ended ? Buffer.concat(out) : null;
    const size = Number.parseInt(raw.subarray(at, eol).toString("latin1"), 16);
    if (size === 0) return Buffer.concat(out);
    if (raw.length < eol + 2 + size) return ended ? Buffer.concat(out) : null;
    out.push(raw.subarray(eol + 2, eol + 2 + size));
    at = eol + 2 + size + 2;
  }
}

/**
 * A request by hand. `headers` is a list of [name, value] so that repeats and odd spellings are possible;
 * `body` is a string or bytes; Content-Length is added unless `length` is false.
 */
export function request(
  port,
  { method = "POST", path = "/mcp/web", headers = [], body = "", length = true, version = "HTTP/1.1", ...opts },
) {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(body, "utf8");
  const head = [`${method} ${path} ${version}`, ...headers.map(([k, v]) => `${k}: ${v}`)];
  if (length && (bytes.length > 0 || method === "POST")) head.push(`Content-Length: ${bytes.length}`);
  return exchange(port, Buffer.concat([Buffer.from(head.join("\r\n") + "\r\n\r\n", "latin1"), bytes]), opts);
}

/** The last JSON-RPC message of a response, whether plain JSON or the events of a stream. */
export function rpcOf(response) {
  if (/^text\/event-stream/.test(response.headers["content-type"] ?? "")) {
    const data = response.body.split(/\r?\n\r?\n/).map((e) =>
      e
        .split(/\r?\n/)
        .filter((l) => l.startsWith("data:"))
        .map((l) => l.slice(5).trim())
        .join("\n"),
    );
    const last = data.filter(Boolean).at(-1);
    return last ? JSON.parse(last) : undefined;
  }
  return response.body ? JSON.parse(response.body) : undefined;
}

/** What a decent client sends, changed by `change` ({Name: value}; undefined leaves the header out). */
export function decent(port, token, change = {}) {
  const all = {
    Host: `127.0.0.1:${port}`,
    Authorization: `Bearer ${token}`,
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    ...change,
  };
  return Object.entries(all).filter(([, v]) => v !== undefined);
}

/** A session of 2025-11-25 by hand. post() sends any bytes in it; call() one tools/call. */
export async function openLegacy(port, alias, token, version = LEGACY) {
  const path = `/mcp/${alias}`;
  const hello = {
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: version, capabilities: {}, clientInfo: { name: "by-hand", version: "1" } },
  };
  const first = await request(port, { path, headers: decent(port, token), body: JSON.stringify(hello) });
  assert.equal(first.status, 200, `initialize: ${first.status} ${first.body}`);
  const sid = first.headers["mcp-session-id"];
  assert.ok(sid, "initialize answers with a session id");
  const base = { "Mcp-Session-Id": sid, "MCP-Protocol-Version": version };
  const post = (body, change = {}, opts = {}) =>
    request(port, { path, headers: decent(port, token, { ...base, ...change }), body, ...opts });
  const ready = await post('{"jsonrpc":"2.0","method":"notifications/initialized"}');
  assert.equal(ready.status, 202, "initialized is accepted");
  let next = 1;
  const rpc = async (method, params) =>
    rpcOf(await post(JSON.stringify({ jsonrpc: "2.0", id: next++, method, params })));
  return { sid, post, rpc, call: (name, args) => rpc("tools/call", { name, arguments: args }), hello: rpcOf(first) };
}

export const ENVELOPE = {
  "io.modelcontextprotocol/protocolVersion": MODERN,
  "io.modelcontextprotocol/clientCapabilities": {},
  "io.modelcontextprotocol/clientInfo": { name: "by-hand", version: "1" },
};

/** One stateless request of 2026-07-28 by hand; `change` changes headers, `meta` replaces the envelope. */
export function modern(
  port,
  alias,
  token,
  { method = "tools/call", params = {}, id = 1, change = {}, meta = ENVELOPE, body } = {},
) {
  const message = { jsonrpc: "2.0", id, method, params: { ...params, _meta: meta } };
  const named = method === "resources/read" ? params.uri : params.name;
  const name = named === undefined ? {} : { "Mcp-Name": named };
  const headers = decent(port, token, { "MCP-Protocol-Version": MODERN, "Mcp-Method": method, ...name, ...change });
  return request(port, { path: `/mcp/${alias}`, headers, body: body ?? JSON.stringify(message) });
}
