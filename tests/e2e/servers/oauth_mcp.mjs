// SPDX-License-Identifier: Apache-2.0
// A real MCP server that is an OAuth resource: a request needs a token whose audience is this server
// and which its authorization server (asked by introspection, each time) calls active.
//   --issuer URL  --port N  --log FILE
//   --metadata header|wellknown|no   where its resource metadata is told of
//   --challenge all|calls            what needs a token
//   --scope "read"                   in the challenge and in the metadata; empty: none
//   --admin yes                      delete_repo needs the scope "admin" (403)
//   --audience yes|no                is the audience checked
//   --introspect look                asks a back door, for issuers that take no secret
//   --key VALUE                      no OAuth: an X-Api-Key header of that value
import { createServer } from "node:http";
import * as v1 from "../../node/server_v1.mjs";
import * as v2 from "../../node/server_v2.mjs";
import { offer, options, record } from "./tools.mjs";

const opt = options({
  issuer: "",
  port: "0",
  log: "",
  metadata: "header",
  challenge: "all",
  scope: "read",
  admin: "no",
  audience: "yes",
  key: "",
  reject: "no",
  introspect: "rfc7662",
});
const factory = () => offer(new v2.McpServer({ name: "fixture-oauth", version: "1.0.0" }), v1.z.object);
const handle = v2.toNodeHandler(v2.createMcpHandler(factory, { legacy: "stateless", responseMode: "json" }));
const basic = Buffer.from("resource-server:resource-server-secret-of-the-fixture").toString("base64");
let base;

async function introspect(token) {
  if (opt.introspect === "look") {
    return (await fetch(`${opt.issuer}/look`, { method: "POST", body: JSON.stringify({ access: token }) })).json();
  }
  const answer = await fetch(`${opt.issuer}/token/introspection`, {
    method: "POST",
    headers: { Authorization: `Basic ${basic}`, "Content-Type": "application/x-www-form-urlencoded" },
    body: new URLSearchParams({ token }),
  });
  return answer.json();
}

function refuse(res, status, error, scope) {
  const parts = [];
  if (error) parts.push(`error="${error}"`);
  if (scope) parts.push(`scope="${scope}"`);
  if (opt.metadata === "header") parts.push(`resource_metadata="${base}/.well-known/oauth-protected-resource/mcp"`);
  res.writeHead(status, { "WWW-Authenticate": `Bearer ${parts.join(", ")}` }).end("not for you");
}

// What is wrong with the request, answered; true when nothing is.
async function admits(req, res, message) {
  if (opt.key) {
    if (req.headers["x-api-key"] === opt.key) return true;
    res.writeHead(401).end();
    return false;
  }
  if (opt.challenge === "calls" && message?.method !== "tools/call") return true;
  const token = /^Bearer (\S+)$/.exec(req.headers.authorization ?? "")?.[1];
  if (!token) {
    refuse(res, 401, "", opt.scope);
    return false;
  }
  const said = await introspect(token);
  const audiences = [said.aud].flat();
  if (!said.active || opt.reject === "yes" || (opt.audience === "yes" && !audiences.includes(`${base}/mcp`))) {
    refuse(res, 401, "invalid_token", opt.scope);
    return false;
  }
  const scopes = (said.scope ?? "").split(" ");
  if (opt.admin === "yes" && message?.params?.name === "delete_repo" && !scopes.includes("admin")) {
    refuse(res, 403, "insufficient_scope", "admin");
    return false;
  }
  record(opt.log, { message, scope: said.scope, client: said.client_id, sub: said.sub });
  return true;
}

async function readBody(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

const server = createServer(async (req, res) => {
  const raw = await readBody(req);
  if (opt.metadata !== "no" && req.url === "/.well-known/oauth-protected-resource/mcp") {
    const doc = { resource: `${base}/mcp`, authorization_servers: [opt.issuer] };
    if (opt.scope) doc.scopes_supported = opt.scope.split(" ");
    res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(doc));
    return;
  }
  if (req.url !== "/mcp") {
    res.writeHead(404).end();
    return;
  }
  let message;
  try {
    message = JSON.parse(raw);
  } catch {}
  if (await admits(req, res, message)) await handle(req, res, message);
});
server.listen(Number(opt.port), "127.0.0.1", () => {
  base = `http://127.0.0.1:${server.address().port}`;
  console.log(`ready ${base}/mcp`);
});
