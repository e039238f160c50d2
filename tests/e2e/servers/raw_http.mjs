// SPDX-License-Identifier: Apache-2.0
// An upstream that misbehaves on request. It speaks just enough of 2025-11-25 to be
// called; the name of the tool that is called chooses the fault (see `faults`).
//   --port N --log FILE --huge BYTES     as in dual_http.mjs; `huge` answers with so many bytes
// Paths: /mcp (all tools on one page), /pages (one tool a page), /down (503 to everything),
// /loop (a list whose cursor never ends), /other (where the redirect leads; nothing may arrive there).
import { createServer } from "node:http";
import { options, record } from "./tools.mjs";

const opt = options({ port: "0", log: "", huge: String(64 * 1024 * 1024) });
const json = { "content-type": "application/json" };
const sse = { "content-type": "text/event-stream" };
const text = (s) => ({ content: [{ type: "text", text: s }] });
const answer = (id, result) => JSON.stringify({ jsonrpc: "2.0", id, result });
const event = (data) => `event: message\ndata: ${data}\n\n`;
const ids = { issued: 0, live: "" };

function whole(res, headers, body, status = 200) {
  res.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  res.end(body);
}

function flood(res, id, bytes) {
  const block = "x".repeat(65536);
  res.writeHead(200, json);
  res.write(`{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":{"content":[{"type":"text","text":"`);
  let left = bytes;
  const more = () => {
    while (left > 0) {
      left -= block.length;
      if (!res.write(block)) {
        res.once("drain", more);
        return;
      }
    }
    res.end('"}]}}');
  };
  res.on("error", () => {});
  more();
}

const other = (id) => (typeof id === "number" ? id + 1 : `${id}x`);
const retyped = (id) => (typeof id === "number" ? String(id) : 1);

/** Every fault is a tool; the rest of its life the server behaves. */
const faults = {
  good: (res, id) => whole(res, json, answer(id, text("good"))),
  wrong_id: (res, id) => whole(res, json, answer(other(id), text("WRONG"))),
  retyped_id: (res, id) => whole(res, json, answer(retyped(id), text("WRONG"))),
  no_id: (res) => whole(res, json, '{"jsonrpc":"2.0","result":{"content":[{"type":"text","text":"WRONG"}]}}'),
  two_answers: (res, id) => whole(res, sse, event(answer(id, text("first"))) + event(answer(id, text("SECOND")))),
  foreign_first: (res, id) =>
    whole(res, sse, event(answer(other(id), text("WRONG"))) + event(answer(id, text("right")))),
  asks_back: (res, id) =>
    whole(
      res,
      sse,
      event('{"jsonrpc":"2.0","id":"up-1","method":"sampling/createMessage","params":{"messages":[],"maxTokens":1}}') +
        event(answer(id, text("right"))),
    ),
  split_event: (res, id) =>
    whole(
      res,
      sse,
      `: a comment\r\nid: 7\r\nevent: message\r\ndata: {"jsonrpc":"2.0",\r\ndata: "id":${JSON.stringify(id)},\r\n` +
        'data: "result":{"content":[{"type":"text","text":"joined"}]}}\r\n\r\n',
    ),
  other_event: (res, id) =>
    whole(res, sse, `event: gossip\ndata: ${answer(id, text("WRONG"))}\n\n` + event(answer(id, text("right")))),
  no_final_line: (res, id) => whole(res, sse, `data: ${answer(id, text("WRONG"))}\n`),
  bad_json: (res, id) => whole(res, json, answer(id, text("WRONG")).slice(0, -1)),
  twice_key: (res, id) =>
    whole(
      res,
      json,
      `{"jsonrpc":"2.0","id":${JSON.stringify(id)},"result":${JSON.stringify(text("right"))},"result":${JSON.stringify(text("WRONG"))}}`,
    ),
  bad_utf8: (res, id) => {
    res.writeHead(200, json);
    const [head, tail] = answer(id, text("@")).split("@");
    res.end(Buffer.concat([Buffer.from(head), Buffer.from([0xc0, 0xaf]), Buffer.from(tail)]));
  },
  array: (res, id) => whole(res, json, `[${answer(id, text("WRONG"))}]`),
  html: (res, id) => whole(res, { "content-type": "text/html" }, `<html>${answer(id, text("WRONG"))}</html>`),
  accepted: (res) => whole(res, {}, "", 202),
  empty: (res) => whole(res, json, ""),
  cut: (res, id) => {
    const body = answer(id, text("WRONG"));
    res.writeHead(200, { ...json, "content-length": body.length });
    res.write(body.slice(0, 20));
    setTimeout(() => res.destroy(), 20);
  },
  huge: (res, id) => flood(res, id, Number(opt.huge)),
  hang: () => {},
  redirect: (res) => whole(res, { location: `http://127.0.0.1:${server.address().port}/other` }, "", 307),
  unauthorized: (res) =>
    whole(
      res,
      { "www-authenticate": 'Bearer resource_metadata="http://127.0.0.1:1/secret-realm"' },
      "UPSTREAM-BODY",
      401,
    ),
  broken: (res) => whole(res, json, '{"secret":"UPSTREAM-BODY"}', 500),
  leaky: (res, id) =>
    whole(
      res,
      { ...json, "set-cookie": "up=1", "x-upstream": "yes", "mcp-session-id": "UPSTREAM-SESSION" },
      answer(id, text("leaky")),
    ),
  error: (res, id) =>
    whole(
      res,
      json,
      JSON.stringify({ jsonrpc: "2.0", id, error: { code: -32001, message: "the server's own error" } }),
    ),
  /* 404 once for a session, then as if nothing had been: the gateway must start a new one. */
  gone_once: (res, id, state) => {
    if (!state.gone) {
      state.gone = true;
      ids.live = "";
      whole(res, {}, "", 404);
      return;
    }
    whole(res, json, answer(id, text("after a new session")));
  },
};
const state = {};
const list = Object.keys(faults).map((name) => ({
  name,
  inputSchema: { type: "object", properties: { note: { type: "string" } } },
}));

function listTools(path, message) {
  const at = Number(message.params?.cursor ?? 0);
  if (path === "/pages") {
    return { tools: [list[at]], ...(at + 1 < list.length && { nextCursor: String(at + 1) }) };
  }
  if (path === "/loop") {
    return { tools: [{ ...list[0], name: `t${at}` }], nextCursor: String(at + 1) };
  }
  return { tools: list };
}

function initialize(res, message) {
  ids.issued += 1;
  ids.live = `upstream-session-${ids.issued}`;
  whole(
    res,
    { ...json, "mcp-session-id": ids.live },
    answer(message.id, {
      protocolVersion: "2025-11-25",
      capabilities: { tools: {} },
      serverInfo: { name: "fixture-raw", version: "1.0.0" },
    }),
  );
}

function serve(path, req, res, message) {
  if (path === "/down") {
    whole(res, {}, "UPSTREAM-BODY", 503);
  } else if (message?.method === "initialize") {
    initialize(res, message);
  } else if (req.method === "DELETE") {
    whole(res, {}, "", 204);
  } else if (req.method !== "POST" || message?.method === "server/discover") {
    whole(res, {}, "", message ? 400 : 405);
  } else if (req.headers["mcp-session-id"] !== ids.live) {
    whole(res, {}, "", 404);
  } else if (message?.id === undefined) {
    whole(res, {}, "", 202);
  } else if (message.method === "tools/list") {
    whole(res, json, answer(message.id, listTools(path, message)));
  } else if (message.method === "tools/call" && faults[message.params.name]) {
    faults[message.params.name](res, message.id, state);
  } else {
    whole(
      res,
      json,
      JSON.stringify({ jsonrpc: "2.0", id: message.id, error: { code: -32601, message: "no such method" } }),
    );
  }
}

const server = createServer(async (req, res) => {
  const parts = [];
  for await (const part of req) {
    parts.push(part);
  }
  const raw = Buffer.concat(parts).toString("utf8");
  let message;
  try {
    message = JSON.parse(raw);
  } catch {
    message = undefined;
  }
  record(opt.log, { http: req.method, url: req.url, headers: req.headers, raw, message });
  serve(req.url, req, res, message);
});
server.listen(Number(opt.port), "127.0.0.1", () => {
  console.log(`ready http://127.0.0.1:${server.address().port}/mcp`);
});
