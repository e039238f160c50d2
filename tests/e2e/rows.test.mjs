// SPDX-License-Identifier: Apache-2.0
// The rows of the list of known traps that have no file of their own, byte by byte over HTTP: side
// doors to a tool's answer, what belongs to another grant, URIs in other spellings, names that could
// be two things, headers of a tool's own, and refusals that must be told apart. Row numbers are
// those of the list; R and S rows are defects that others had.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { decent, MCPD, modern, openLegacy, request, rpcOf, run, scratch, startFixture, startGateway, compile } from "./lib.mjs";
import { plain, rawServer } from "./hostile.mjs";
import { principals } from "./policies.mjs";

const NOT_FOUND = -32601;
const INVALID = -32602;
const MISMATCH = -32020;
const DENIED = 4030;
const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
const POLICY = (alias) => `policy "rows" version 1;
server "${alias}";
default deny;
allow tool "echo", "fail", "marked", "meta";
allow tool "list_issues" when "admins" in principal.groups;
allow resource "note:///**";
deny resource "note:///secret/**" reason "not the secret ones";
allow prompt "review";
`;
let gateway, upstream;
const tokens = {};

const marked = (mark) => ({ type: "object", properties: { region: { type: "string", "x-mcp-header": mark } } });
const TOOLS = [
  { name: "marked", description: "d", inputSchema: marked("Region"), annotations: { title: "T" }, _meta: { "x/y": 1 }, extra: [1] },
  { name: "meta", description: "calls others", inputSchema: marked("Bad Name") },
];

/** A modern server by hand that keeps what it was sent. */
async function markedServer(heard) {
  const answerWith = (result) => (socket, id, params) => {
    heard.push(params);
    const body = JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } });
    plain(socket, body);
  };
  return rawServer(scope, {
    "server/discover": answerWith({ supportedVersions: ["2026-07-28"], capabilities: { tools: {} } }),
    "tools/list": answerWith({ tools: TOOLS, ttlMs: 60000, cacheScope: "public", _meta: { "a/b": 2 }, more: true }),
    marked: answerWith({ content: [{ type: "text", text: "marked" }] }),
    meta: answerWith({ content: [{ type: "text", text: "meta" }] }),
  });
}
const heard = [];

before(async () => {
  upstream = await startFixture(scope, "dual_http");
  const servers = { web: { url: upstream.url, era: "modern" }, hand: { url: await markedServer(heard) } };
  gateway = await startGateway(scope, { principals, servers });
  for (const alias of Object.keys(servers)) {
    const policy = await compile(gateway.dir, `rows-${alias}`, POLICY(alias));
    for (const principal of ["dev-1", "root-1"]) {
      const { token } = await gateway.grant({ servers: alias, policy, principal });
      tokens[`${alias} ${principal}`] = token;
    }
  }
});
after(async () => {
  for (const fn of cleanups) await fn();
});

const ask = (method, params, more = {}) =>
  modern(gateway.port, more.alias ?? "web", tokens[`${more.alias ?? "web"} ${more.principal ?? "dev-1"}`], { method, params, ...more });
const reached = () => upstream.log().filter((entry) => entry.message?.method).length;
const methodsReached = () => upstream.log().map((entry) => entry.message?.method);

/** Nothing new arrives at the server while `work` runs. */
async function nothingArrives(work) {
  const before_ = reached();
  const got = await work();
  assert.equal(reached(), before_, "a message arrived");
  return got;
}

describe("row 19, R10: no side door to a tool's answer", () => {
  for (const method of ["tasks/get", "tasks/result", "tasks/list", "tasks/cancel", "tasks/update"]) {
    test(`${method}, modern and legacy`, async () => {
      const got = await nothingArrives(() => ask(method, { taskId: "t1" }, { change: { "Mcp-Name": "t1" } }));
      assert.equal(got.status, 404);
      assert.equal(rpcOf(got).error.code, NOT_FOUND);
      const session = await openLegacy(gateway.port, "web", tokens["web dev-1"]);
      assert.equal((await nothingArrives(() => session.rpc(method, { taskId: "t1" }))).error.code, NOT_FOUND);
    });
  }
  test("what a tool links to is judged when it is read", async () => {
    const got = rpcOf(await nothingArrives(() => ask("resources/read", { uri: "note:///secret/a" })));
    assert.equal(got.error.code, DENIED);
  });
  test("a stream is not replayed to whoever asks: no GET of an event id without a session of one's own", async () => {
    const headers = decent(gateway.port, tokens["web dev-1"], { Accept: "text/event-stream", "Last-Event-ID": "1" });
    const got = await nothingArrives(() => request(gateway.port, { method: "GET", path: "/mcp/web", headers }));
    assert.ok(got.status >= 400 && got.status < 500, `${got.status}`);
  });
});

describe("R11: the gateway has no tool of its own that could reach others", () => {
  test("its list is the server's, less what the policy hides", async () => {
    const { tools } = rpcOf(await ask("tools/list", {})).result;
    assert.deepEqual(tools.map((tool) => tool.name).sort(), ["echo", "fail"]);
  });
});

describe("row 13: an alias can't hold the separator of prefixed names", () => {
  for (const alias of ["a__b", "A", "a.b", "", "-a", "a/b", "a".repeat(65)]) {
    test(`"${alias}" is no alias`, async (t) => {
      const dir = scratch(t);
      const file = join(dir, "mcpd.jsonc");
      writeFileSync(file, JSON.stringify({ principals: {}, servers: { [alias]: { url: "http://127.0.0.1:1/mcp" } } }));
      assert.equal((await run(MCPD, ["check", "--config", file])).code, 2);
    });
  }
});

describe("row 20: a call that wants to be a task is a plain call", () => {
  test("task does not travel", async () => {
    const got = rpcOf(await ask("tools/call", { name: "echo", arguments: { text: "x" }, task: { ttl: 1000 } }));
    assert.ok(got.result, JSON.stringify(got));
    assert.equal(upstream.calls().at(-1).task, undefined);
  });
});

describe("row 21: answers and state that nobody asked for", () => {
  for (const extra of [{ inputResponses: { a: { action: "accept" } } }, { requestState: "forged" }]) {
    test(`${Object.keys(extra)[0]} on a first call never stands for the policy`, async () => {
      const denied = rpcOf(await nothingArrives(() => ask("tools/call", { name: "list_issues", arguments: {}, ...extra })));
      assert.equal(denied.result.isError, true);
      assert.equal(denied.result._meta["mcpd/decision"].verdict, "deny");
    });
  }
});

describe("row 31: cursors are the gateway's", () => {
  for (const method of ["tools/list", "resources/list", "prompts/list"]) {
    test(`${method} with another's cursor`, async () => {
      const got = rpcOf(await nothingArrives(() => ask(method, { cursor: "of-another-grant" })));
      assert.equal(got.error.code, INVALID);
    });
  }
});

describe("row 32: a URI is judged in one spelling only", () => {
  for (const uri of [
    "NOTE:///secret/a",
    "note:///x/../secret/a",
    "note:///%73ecret/a",
    "note:///secret%2Fa",
    "note:///./secret/a",
    "note:////secret/a",
    "note:///secret\\a",
    "note:///a\u0000b",
    " note:///today",
  ]) {
    test(JSON.stringify(uri), async () => {
      const got = await nothingArrives(() => ask("resources/read", { uri }, { change: { "Mcp-Name": `=?base64?${Buffer.from(uri).toString("base64")}?=` } }));
      assert.ok(rpcOf(got).error, got.body);
    });
  }
  test("the plain one is read", async () => {
    assert.ok(rpcOf(await ask("resources/read", { uri: "note:///today" })).result);
  });
});

describe("rows 9, 11, R6: the headers of a tool's own", () => {
  const call = (args, change) => ask("tools/call", { name: "marked", arguments: args }, { alias: "hand", change });
  const B64 = (s) => `=?base64?${Buffer.from(s).toString("base64")}?=`;
  const rows = [
    ["as it is", { region: "us west" }, { "Mcp-Param-Region": "us west" }, true],
    ["in any case of the name", { region: "eu" }, { "mcp-param-REGION": "eu" }, true],
    ["in base64", { region: "é" }, { "Mcp-Param-Region": B64("é") }, true],
    ["missing", { region: "eu" }, {}, false],
    ["another value", { region: "eu" }, { "Mcp-Param-Region": "us" }, false],
    ["of nothing", {}, { "Mcp-Param-Region": "us" }, false],
    ["of null", { region: null }, { "Mcp-Param-Region": "null" }, false],
    ["base64 without padding", { region: "Hello" }, { "Mcp-Param-Region": "=?base64?SGVsbG8?=" }, false],
    ["base64 with other characters", { region: "Hello" }, { "Mcp-Param-Region": "=?base64?SGVs!!!bG8=?=" }, false],
    ["base64 of another spelling", { region: "Hello" }, { "Mcp-Param-Region": "=?base64?SGVsbG9=?=" }, false],
    ["one that no tool has", {}, { "Mcp-Param-Other": "x" }, true],
  ];
  for (const [name, args, change, isFine] of rows) {
    test(name, async () => {
      const got = await call(args, change);
      assert.equal(got.status, isFine ? 200 : 400, got.body);
      if (isFine) assert.equal(rpcOf(got).result.content[0].text, "marked");
      else assert.equal(rpcOf(got).error.code, MISMATCH);
    });
  }
  test("twice: refused before anything else", async () => {
    const headers = [
      ...decent(gateway.port, tokens["hand dev-1"], { "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "marked" }),
      ["Mcp-Param-Region", "eu"],
      ["mcp-param-region", "eu"],
    ];
    assert.equal((await request(gateway.port, { path: "/mcp/hand", headers, body: "{}" })).status, 400);
  });
  test("a tool with a wrong mark is not listed, and can't be called", async () => {
    const { tools } = rpcOf(await ask("tools/list", {}, { alias: "hand" })).result;
    assert.deepEqual(
      tools.map((tool) => tool.name),
      ["marked"],
    );
    const calls = heard.length;
    const got = rpcOf(await ask("tools/call", { name: "meta", arguments: {} }, { alias: "hand" }));
    assert.equal(got.error.code, INVALID);
    assert.equal(heard.length, calls, "it reached the server");
  });
});

describe("S4: what a list has besides names stays", () => {
  test("members of tools and of the result", async () => {
    const { result } = rpcOf(await ask("tools/list", {}, { alias: "hand" }));
    assert.deepEqual(result.tools, [TOOLS[0]]);
    assert.equal(result.more, true);
    assert.equal(result._meta["a/b"], 2);
  });
});

describe("S5, S8: one principal's list is never another's", () => {
  test("asked in turn, in both orders", async () => {
    const names = async (principal) => rpcOf(await ask("tools/list", {}, { principal })).result.tools.map((t) => t.name);
    for (const [principal, isAdmin] of [["root-1", true], ["dev-1", false], ["root-1", true]]) {
      assert.equal((await names(principal)).includes("list_issues"), isAdmin, principal);
    }
    const { result } = rpcOf(await ask("tools/list", {}));
    assert.deepEqual([result.ttlMs, result.cacheScope], [0, "private"]);
  });
});

describe("S7: what was wrong can be told from the answer", () => {
  test("a denial, an unknown tool, bad input, a tool's own error, an unknown method", async () => {
    const denied = rpcOf(await ask("tools/call", { name: "list_issues", arguments: {} }));
    assert.equal(denied.result._meta["mcpd/decision"].verdict, "deny");
    const unknown = rpcOf(await ask("tools/call", { name: "no_such_tool", arguments: {} }));
    assert.equal(unknown.result._meta["mcpd/decision"].verdict, "deny");
    assert.notEqual(unknown.result._meta["mcpd/decision"].cause, "forbidden");
    const bad = rpcOf(await ask("tools/call", { name: "echo", arguments: [] }));
    assert.equal(bad.error.code, INVALID);
    const failed = rpcOf(await ask("tools/call", { name: "fail", arguments: {} }));
    assert.equal(failed.result.isError, true);
    assert.equal(failed.result._meta?.["mcpd/decision"], undefined);
    const method = await ask("no/such", {});
    assert.deepEqual([method.status, rpcOf(method).error.code], [404, NOT_FOUND]);
  });
});

describe("row 28, S8: a session belongs to the grant that opened it", () => {
  test("another principal's grant gets 404, and the session goes on", async () => {
    const mine = await openLegacy(gateway.port, "web", tokens["web dev-1"]);
    const headers = decent(gateway.port, tokens["web root-1"], { "Mcp-Session-Id": mine.sid });
    const body = '{"jsonrpc":"2.0","id":1,"method":"tools/list"}';
    assert.equal((await request(gateway.port, { path: "/mcp/web", headers, body })).status, 404);
    assert.ok((await mine.rpc("tools/list", {})).result);
    assert.ok(!methodsReached().includes("initialize"), "the server behind is stateless");
  });
});
