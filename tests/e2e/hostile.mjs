// SPDX-License-Identifier: Apache-2.0
// What the attacks share: a gateway with open grants, a raw HTTP server that says what a test
// wants it to say byte by byte, and the one answer that is right when a server misbehaves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import net from "node:net";
import { compile, modern, rpcOf, startGateway } from "./lib.mjs";
import { openPolicy, principals } from "./policies.mjs";

export const INTERNAL = -32603;

/** A gateway with a grant for each server, all tools allowed. */
export async function world(t, servers, more = {}) {
  const gateway = await startGateway(t, { principals, servers, ...more });
  const tokens = {};
  for (const alias of Object.keys(servers)) {
    const policy = await compile(gateway.dir, `open-${alias}`, openPolicy(alias));
    ({ token: tokens[alias] } = await gateway.grant({ servers: alias, policy }));
  }
  const ask = (alias, name, args = {}, more2 = {}) =>
    modern(gateway.port, alias, tokens[alias], { id: 42, params: { name, arguments: args }, ...more2 });
  const good = async (alias) => {
    const rpc = rpcOf(await ask(alias, "good"));
    assert.equal(rpc?.result?.content?.[0]?.text, "good", JSON.stringify(rpc));
  };
  return { gateway, tokens, ask, good };
}

export const rssKb = (pid) => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
export const textOf = (got) => rpcOf(got).result?.content?.[0]?.text;

/** One error of the gateway's own, for this request, with nothing of the server's in it. */
export function assertOwnError(got, why) {
  const rpc = rpcOf(got);
  assert.equal(rpc?.error?.code, INTERNAL, `${got.status} ${got.body.slice(0, 300)}`);
  assert.equal(rpc.id, 42);
  assert.ok(!/WRONG|SECOND/.test(got.body), got.body);
  if (why) assert.match(rpc.error.message, why);
}

/** A raw HTTP server that answers by the tool's name; ids are the gateway's. */
export function rawServer(t, answers) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    let bytes = Buffer.alloc(0);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (part) => {
      bytes = Buffer.concat([bytes, part]);
      const at = bytes.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/i.exec(bytes.subarray(0, at).toString())?.[1] ?? 0);
      if (at < 0 || bytes.length < at + 4 + length) return;
      const message = JSON.parse(bytes.subarray(at + 4, at + 4 + length).toString());
      bytes = bytes.subarray(at + 4 + length);
      const name = message.params.name ?? message.method;
      if (message.id !== undefined) answers[name](socket, message.id, message.params);
    });
  });
  t.after(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${server.address().port}/mcp`));
  });
}

export const JSON_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
export const SSE_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
export const result = (id, text) => ({
  jsonrpc: "2.0",
  id,
  result: { content: [{ type: "text", text }], resultType: "complete" },
});
export const answer = (id, text) => JSON.stringify(result(id, text));
export const event = (text) => `data: ${text}\n\n`;
export const plain = (socket, body, extra = "") =>
  socket.write(`${JSON_HEAD}${extra}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);

/** Writes `piece` for as long as the other side is there. */
export function pour(socket, piece) {
  const more = () => {
    while (!socket.destroyed && socket.writable) {
      if (!socket.write(piece)) {
        socket.once("drain", more);
        return;
      }
    }
  };
  more();
}
export function drip(socket, piece) {
  const timer = setInterval(() => socket.write(piece), 20);
  socket.on("close", () => clearInterval(timer));
}
