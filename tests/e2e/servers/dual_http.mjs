// SPDX-License-Identifier: Apache-2.0
// A real MCP server over Streamable HTTP on loopback.
//   --era dual      both eras on one URL, no sessions for the old one (SDK's second line)
//   --era modern    2026-07-28 only
//   --era legacy    sessions, 2025-11-25 and older (SDK's first line)
//   --answer json|sse   how a request is answered
//   --port N  --log FILE   every message that arrives becomes a line of FILE
// Prints one line when it listens: `ready http://127.0.0.1:PORT/mcp`.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import * as v1 from "../../node/server_v1.mjs";
import * as v2 from "../../node/server_v2.mjs";
import { offer, offerMore, options, record } from "./tools.mjs";

const opt = options({ port: process.env.PORT ?? "0", era: "dual", answer: "json", log: "" });
const info = { name: "fixture-http", version: "1.0.0" };

function modernHandler() {
  const factory = () => offerMore(offer(new v2.McpServer(info), v1.z.object));
  const legacy = opt.era === "modern" ? "reject" : "stateless";
  return v2.toNodeHandler(v2.createMcpHandler(factory, { legacy, responseMode: opt.answer }));
}

function legacyHandler() {
  const sessions = new Map();
  return async (req, res, body) => {
    const id = req.headers["mcp-session-id"];
    if (id !== undefined && !sessions.has(id)) {
      res.writeHead(404).end();
      return;
    }
    let transport = sessions.get(id);
    if (transport === undefined) {
      transport = new v1.StreamableHTTPServerTransport({
        sessionIdGenerator: randomUUID,
        enableJsonResponse: opt.answer === "json",
        onsessioninitialized: (sid) => sessions.set(sid, transport),
        onsessionclosed: (sid) => sessions.delete(sid),
      });
      await offerMore(offer(new v1.McpServer(info), (fields) => fields)).connect(transport);
    }
    await transport.handleRequest(req, res, body);
  };
}

async function readBody(req) {
  const parts = [];
  for await (const part of req) {
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const handle = opt.era === "legacy" ? legacyHandler() : modernHandler();
const server = createServer(async (req, res) => {
  const raw = await readBody(req);
  const message = parse(raw);
  record(opt.log, { http: req.method, url: req.url, headers: req.headers, raw, message });
  if (req.url !== "/mcp") {
    res.writeHead(404).end();
    return;
  }
  await handle(req, res, message);
});
server.listen(Number(opt.port), "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${server.address().port}/mcp`);
});
