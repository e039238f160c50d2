// SPDX-License-Identifier: Apache-2.0
// The reference server of the conformance runs: the SDK with what the suite's scenarios ask for.
//   --era dual      both eras on one URL, sessions for the old one
//   --era modern    2026-07-28 only
//   --era legacy    2025-11-25 and older only
// Prints one line when it listens: `ready http://127.0.0.1:PORT/mcp`.
import { randomBytes, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import * as v2 from "../node/server_v2.mjs";
import { offer } from "./tools.mjs";

const RETRY_MS = 500; /* that a client is asked to wait before it comes back to a stream */
const EVENTS_MAX = 1000; /* kept for clients that come back, of all sessions */
const BODY_MAX = 1 << 22;

const era = process.argv[process.argv.indexOf("--era") + 1] ?? "dual";
const state = v2.createRequestStateCodec({ key: randomBytes(32) });
const info = { name: "conformance-fixture", version: "1.0.0" };

function newServer(changed) {
  const options = { capabilities: { logging: {} }, requestState: { verify: state.verify } };
  return offer(new v2.McpServer(info, options), { state, changed });
}

/** Events of streams, so that a client that lost one can have the rest. */
class Events {
  kept = new Map();
  next = 1;
  async storeEvent(stream, message) {
    const id = `${this.next++}`;
    this.kept.set(id, { stream, message });
    if (this.kept.size > EVENTS_MAX) this.kept.delete(this.kept.keys().next().value);
    return id;
  }
  async getStreamIdForEventId(id) {
    return this.kept.get(id)?.stream;
  }
  async replayEventsAfter(last, { send }) {
    const stream = this.kept.get(last)?.stream;
    let is_after = false;
    for (const [id, event] of this.kept) {
      if (is_after && event.stream === stream && Object.keys(event.message).length > 0) await send(id, event.message);
      is_after ||= id === last;
    }
    return stream ?? "";
  }
}

const modern = v2.createMcpHandler(
  () =>
    newServer((what) => {
      if (what === "tool") modern.notify.toolsChanged();
      else modern.notify.promptsChanged();
    }),
  { legacy: "reject" },
);
const modernHandler = v2.toNodeHandler(modern);

const sessions = new Map();
async function legacyHandler(req, res, body) {
  const id = req.headers["mcp-session-id"];
  let transport = id === undefined ? undefined : sessions.get(id);
  if (id !== undefined && !transport) {
    res.writeHead(404).end();
    return;
  }
  if (!transport) {
    transport = new v2.NodeStreamableHTTPServerTransport({
      sessionIdGenerator: randomUUID,
      eventStore: new Events(),
      retryInterval: RETRY_MS,
      onsessioninitialized: (sid) => sessions.set(sid, transport),
      onsessionclosed: (sid) => sessions.delete(sid),
    });
    const notify = (what, server) => (what === "tool" ? server.sendToolListChanged() : server.sendPromptListChanged());
    await newServer(notify).connect(transport);
  }
  await transport.handleRequest(req, res, body);
}

async function readBody(req) {
  const parts = [];
  let size = 0;
  for await (const part of req) {
    size += part.length;
    if (size > BODY_MAX) throw new Error("the body is too large");
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parse(raw) {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}

async function isLegacy(req, raw, body) {
  if (era !== "dual") return era === "legacy";
  if (req.method !== "POST") return req.headers["mcp-session-id"] !== undefined;
  const headers = Object.entries(req.headers).filter(([name]) => !["connection", "transfer-encoding"].includes(name));
  return v2.isLegacyRequest(new Request(`http://${req.headers.host}${req.url}`, { method: "POST", headers, body: raw }), body);
}

const isHostFine = v2.localhostHostValidation();
const isOriginFine = v2.localhostOriginValidation();
const server = createServer(async (req, res) => {
  if (!isHostFine(req, res) || !isOriginFine(req, res)) return;
  if (req.url !== "/mcp") {
    res.writeHead(404).end();
    return;
  }
  const raw = await readBody(req);
  const body = parse(raw);
  if (req.method === "POST" && body === undefined) {
    res.writeHead(400, { "content-type": "application/json" });
    res.end('{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"not JSON"}}');
    return;
  }
  const handle = (await isLegacy(req, raw, body)) ? legacyHandler : modernHandler;
  await handle(req, res, body);
});
server.listen(0, "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${server.address().port}/mcp`);
});
