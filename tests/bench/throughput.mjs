// SPDX-License-Identifier: Apache-2.0
// Requests a second, latency, CPU a request and memory of mcpd, beside a direct connection and
// nginx as a plain reverse proxy, in one run: rounds are interleaved, so that what else the
// machine does hits all alike, and medians are shown. The proxy under test has CPU 0; the load
// generator (wrk) and the upstream share CPU 1. CPU a request is what the proxy's threads ran,
// by the kernel's own count, over the requests answered; where a row "waited for a CPU", other work
// had it, and of that row only CPU a request says something.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { MCPC, MCPD, B } = process.env;
const BODY_BYTES = 494;
const ROUNDS = 5;
const SECONDS = 2;
const TOOL = "create_issue";
const PROXY_CPU = "0";
const LOAD_CPU = "1";
const START_MS = 10_000;
const MODERN = "2026-07-28";
const IDLE_CONNECTIONS = 400;

const dir = mkdtempSync(join(tmpdir(), "mcpd-bench-"));
const children = [];

function pinned(cpu, command) {
  return availableParallelism() > 1 && have("taskset", "--version") ? ["taskset", "-c", cpu, ...command] : command;
}

function have(program, ...args) {
  return !spawnSync(program, args, { stdio: "ignore" }).error;
}

/** Starts a server; `ready` is looked for on its standard output, or (a function) asked. */
async function start(cpu, command, ready) {
  const [file, ...args] = pinned(cpu, command);
  const child = spawn(file, args, { cwd: dir, stdio: ["ignore", "pipe", "pipe"] });
  let out = "";
  let err = "";
  children.push(child);
  child.stdout.on("data", (part) => (out += part));
  child.stderr.on("data", (part) => (err = (err + part).slice(-2000)));
  for (let waited = 0; waited < START_MS && child.exitCode === null; waited += 20) {
    const found = typeof ready === "function" ? await ready() : ready.exec(out);
    if (found) return { pid: child.pid, found };
    await sleep(20);
  }
  throw new Error(`${command[0]} did not start: ${err}`);
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function listens(port) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1", () => done(true));
    socket.on("error", () => done(false));
    socket.on("close", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

/** A call that the policy allows for one repository and not for the other: same tool, same size. */
function body(repo) {
  const call = {
    jsonrpc: "2.0",
    id: 4711,
    method: "tools/call",
    params: {
      name: TOOL,
      arguments: { owner: "acme", repo, title: "Login form loses its state", body: "", labels: ["bug", "ui"] },
      _meta: {
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": { name: "wrk", version: "4" },
      },
    },
  };
  const text = "When the form is sent twice the second answer wins and the page shows the first. ".repeat(8);
  call.params.arguments.body = text.slice(0, BODY_BYTES - JSON.stringify(call).length);
  const file = join(dir, `${repo}.json`);
  writeFileSync(file, JSON.stringify(call));
  return file;
}

/** One call outside of the measurement: is the row what its name says? */
function ask(row) {
  const headers = {
    "Content-Type": "application/json",
    Accept: "application/json, text/event-stream",
    "MCP-Protocol-Version": MODERN,
    "Mcp-Method": "tools/call",
    "Mcp-Name": TOOL,
    Authorization: `Bearer ${row.token}`,
  };
  return new Promise((done, fail) => {
    const { request: send } = row.url.startsWith("https:") ? https : http;
    const request = send(row.url, { method: "POST", headers, agent: false, rejectUnauthorized: false }, (response) => {
      let text = "";
      response.on("data", (part) => (text += part));
      response.on("end", () => done(`${response.statusCode} ${text}`));
    });
    request.on("error", fail);
    request.end(readFileSync(row.body));
  });
}

/** What the process's threads ran, and what they waited for a CPU that others had, in ns. */
function scheduled(pid) {
  const sum = { ran: 0, waited: 0 };
  for (const task of pid ? readdirSync(`/proc/${pid}/task`) : []) {
    const [ran, waited] = readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ").map(Number);
    sum.ran += ran;
    sum.waited += waited;
  }
  return sum;
}

function memory(pid) {
  const kib = (file, key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, "m").exec(readFileSync(`/proc/${pid}/${file}`, "utf8"))[1]);
  return { rss: kib("status", "VmRSS"), dirty: kib("smaps_rollup", "Private_Dirty") };
}

function load(row, connections, seconds) {
  const [file, ...args] = pinned(LOAD_CPU, [
    "wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "-s", join(here, "call.lua"), row.url,
  ]);
  const env = { ...process.env, BENCH_BODY: row.body, BENCH_TOOL: TOOL, BENCH_TOKEN: row.token };
  const before = scheduled(row.pid);
  const out = execFileSync(file, args, { env, encoding: "utf8" });
  const after = scheduled(row.pid);
  const ran = after.ran - before.ran;
  const waited = after.waited - before.waited;
  const [requests, took, p50, p99, failures] = /^bench (.*)$/m.exec(out)[1].split(" ").map(Number);
  if (failures) throw new Error(`${row.name}: ${failures} requests failed\n${out}`);
  return { rate: requests / took, p50, p99, cpu: ran / 1000 / requests, waited: waited / (ran + waited || 1) };
}

function median(values) {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

function measure(rows, connections, rounds, seconds) {
  const samples = rows.map(() => []);
  for (let round = 0; round < rounds; round++) {
    rows.forEach((row, i) => samples[i].push(load(row, connections, seconds)));
  }
  return samples.map((list) =>
    Object.fromEntries(["rate", "p50", "p99", "cpu", "waited"].map((key) => [key, median(list.map((s) => s[key]))])),
  );
}

function print(rows, figures, connections) {
  const nginx = figures[rows.findIndex((row) => row.name === "nginx")];
  console.log(`\n  ${String(connections).padStart(2)} connection${connections > 1 ? "s" : " "}      requests/s   to nginx    p50 us    p99 us   CPU us/request   to nginx   waited for a CPU`);
  rows.forEach((row, i) => {
    const f = figures[i];
    const ratio = (value, base) => (nginx && value ? `${(value / base).toFixed(2)}x` : "-").padStart(9);
    console.log(
      `  ${row.name.padEnd(17)}${f.rate.toFixed(0).padStart(11)} ${ratio(f.rate, nginx?.rate)} ${f.p50.toFixed(0).padStart(10)}` +
        `${f.p99.toFixed(0).padStart(10)} ${(f.cpu ? f.cpu.toFixed(1) : "-").padStart(15)}  ${ratio(f.cpu, nginx?.cpu)} ${(f.waited * 100).toFixed(0).padStart(15)} %`,
    );
  });
}

async function startNginx(upstream) {
  const port = await freePort();
  const secure = await freePort();
  writeFileSync(
    join(dir, "nginx.conf"),
    `daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log stderr error;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 100000000;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream mcp { server 127.0.0.1:${upstream}; keepalive 64; keepalive_requests 100000000; }
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${secure} ssl;
    ssl_certificate tls.pem; ssl_certificate_key tls.key; ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;
    location / { proxy_pass http://mcp; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  const server = await start(PROXY_CPU, ["nginx", "-p", dir, "-e", "stderr", "-c", join(dir, "nginx.conf")], () => listens(port));
  const row = { pid: server.pid, token: "none" };
  return [
    { ...row, name: "nginx", url: `http://127.0.0.1:${port}/mcp` },
    { ...row, name: "nginx, TLS", url: `https://127.0.0.1:${secure}/mcp` },
  ];
}

/** For nginx and mcpd alike: a key on P-256, signed by itself. */
function makeCertificate() {
  const args = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", join(dir, "tls.key")];
  execFileSync("openssl", ["req", "-x509", ...args, "-out", join(dir, "tls.pem"), "-days", "2", "-subj", "/CN=bench"], { stdio: "ignore" });
}

async function startMcpd(upstream, { name = "mcpd", more = {} } = {}) {
  const config = join(dir, `${name}.jsonc`);
  const bundle = join(dir, "rules40.polb");
  writeFileSync(
    config,
    JSON.stringify({
      listen: "127.0.0.1:0",
      store: `${name}.db`,
      audit: `${name}.jsonl`,
      limits: { head_timeout_ms: 60000 },
      ...more,
      principals: { "agent-7": { groups: ["everybody", "eng", "team-0"] } },
      servers: { s0: { url: `http://127.0.0.1:${upstream}/mcp`, era: "legacy" } },
    }),
  );
  execFileSync(MCPC, ["compile", join(here, "rules40.pol"), "-o", bundle], { stdio: ["ignore", "ignore", "inherit"] });
  const grant = ["grant", "create", "--config", config, "--principal", "agent-7", "--server", "s0", "--policy", bundle];
  const token = execFileSync(MCPD, grant, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  const server = await start(PROXY_CPU, [MCPD, "serve", "--config", config], /ready on (https?:\S+)/);
  return { pid: server.pid, url: `${server.found[1]}/mcp/s0`, token };
}

/** What an open connection that says nothing costs, in KiB of private memory. */
async function costOfConnections(server) {
  const { port, protocol } = new URL(server.url);
  const isSecure = protocol === "https:";
  const before = memory(server.pid).dirty;
  const sockets = [];
  for (let i = 0; i < IDLE_CONNECTIONS; i++) {
    const options = { port: Number(port), host: "127.0.0.1", rejectUnauthorized: false };
    const socket = isSecure ? tls.connect(options) : net.connect(options);
    sockets.push(socket);
    await new Promise((done, fail) => socket.once(isSecure ? "secureConnect" : "connect", done).once("error", fail));
    socket.on("error", () => {});
    socket.write("POST /mcp/s0 HTTP/1.1\r\n"); /* a head has begun: its buffer is there */
  }
  await sleep(300);
  const cost = (memory(server.pid).dirty - before) / IDLE_CONNECTIONS;
  for (const socket of sockets) socket.destroy();
  return cost;
}

async function main() {
  const upstream = await start(LOAD_CPU, [join(B, "tests/bench/bench_upstream"), join(here, "rules40.tools.json")], /ready (\d+)/);
  const port = upstream.found[1];
  const allowed = body("web");
  const denied = body("elsewhere");
  makeCertificate();
  const mcpd = await startMcpd(port);
  const secure = await startMcpd(port, { name: "secure", more: { tls: { certificate: "tls.pem", key: "tls.key" } } });
  await sleep(500);
  const fresh = memory(mcpd.pid);
  const rows = [{ name: "direct", url: `http://127.0.0.1:${port}/mcp`, token: "none", body: allowed }];
  if (have("nginx", "-v")) for (const row of await startNginx(port)) rows.push({ ...row, body: allowed });
  else console.log("  nginx is not installed: no row and no ratios for it");
  rows.push({ name: "mcpd, allowed", ...mcpd, body: allowed }, { name: "mcpd, denied", ...mcpd, body: denied });
  rows.push({ name: "mcpd, TLS", ...secure, body: allowed });
  for (const row of rows) {
    const got = await ask(row);
    const wanted = row.body === denied ? '"isError":true' : '"isError":false';
    if (!got.startsWith("200 ") || !got.includes(wanted)) throw new Error(`${row.name}: unexpected answer: ${got}`);
  }
  console.log(`Throughput: one tools/call of ${BODY_BYTES} bytes, keep-alive; medians of ${ROUNDS} interleaved rounds of ${SECONDS} s`);
  print(rows, measure(rows, 32, ROUNDS, SECONDS), 32);
  print(rows, measure(rows, 1, 3, 1), 1);
  await sleep(500);
  const loaded = memory(mcpd.pid);
  console.log(`\n  memory of ${IDLE_CONNECTIONS} client connections, KiB each, private and dirty`);
  for (const [name, server] of [["plain", mcpd], ["TLS", secure]]) {
    console.log(`  ${name.padEnd(22)}${(await costOfConnections(server)).toFixed(1).padStart(11)}`);
  }
  console.log("\n  memory of mcpd, KiB      resident   private and dirty");
  for (const [name, m] of [["idle, just started", fresh], ["idle, after the load", loaded]]) {
    console.log(`  ${name.padEnd(22)}${String(m.rss).padStart(11)} ${String(m.dirty).padStart(19)}`);
  }
}

try {
  if (have("wrk", "-v")) await main();
  else console.log("Throughput: SKIPPED, wrk is not installed");
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
}
