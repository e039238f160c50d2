// SPDX-License-Identifier: Apache-2.0
// One reading of the bytes: everything that servers and gateways have read differently
// from each other. R rows are defects seen elsewhere; "row N" are traps of the protocol.
// Each case is sent in both eras; what must hold always: nothing reached the server.
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { after, before, describe, test } from "node:test";
import { ENVELOPE, MODERN, compile, decent, modern, openLegacy, request, rpcOf, startFixture, startGateway } from "./lib.mjs";
import { openPolicy, principals, webPolicy, webTools } from "./policies.mjs";

const BODY_LIMIT = 65536;
const META = `"_meta":${JSON.stringify(ENVELOPE)}`;
const PARSE = -32700;
const INVALID = -32600;
const PARAMS = -32602;

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
let gateway, upstream, token, openToken, session, openSession;

before(async () => {
  upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  gateway = await startGateway(scope, {
    principals,
    limits: { max_body_bytes: BODY_LIMIT },
    servers: { web: { url: upstream.url }, open: { url: upstream.url } },
  });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  const open = await compile(gateway.dir, "open", openPolicy("open"));
  ({ token } = await gateway.grant({ servers: "web", policy }));
  ({ token: openToken } = await gateway.grant({ servers: "open", policy: open }));
  session = await openLegacy(gateway.port, "web", token);
  openSession = await openLegacy(gateway.port, "open", openToken);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

/** `@` in a body stands for the modern envelope and its comma: present in one era, absent in the other. */
function bytesFor(body, era) {
  const mark = era === "modern" ? `${META},` : "";
  if (Buffer.isBuffer(body)) return Buffer.from(body.toString("latin1").replace("@", mark), "latin1");
  return body.replace("@", mark);
}

const send = {
  legacy: (body, change) => session.post(bytesFor(body, "legacy"), change),
  modern: (body, change, name = "echo") => modern(gateway.port, "web", token, { params: { name }, change, body: bytesFor(body, "modern") }),
};

async function notForwarded(what, act) {
  const before = upstream.calls().length;
  const got = await act();
  assert.equal(upstream.calls().length, before, `${what}: a call reached the server`);
  return got;
}

/** Sends the case in both eras and demands a refusal with this status and code. */
function refused(name, body, code, { status = 400, id } = {}) {
  for (const era of ["legacy", "modern"]) {
    test(`${name} (${era})`, async () => {
      const got = await notForwarded(name, () => send[era](body));
      assert.equal(got.status, status, `${got.status} ${got.body}`);
      const rpc = rpcOf(got);
      assert.equal(rpc?.error?.code, code, got.body);
      assert.equal(rpc.jsonrpc, "2.0");
      if (id !== undefined) assert.equal(rpc.id, id);
    });
  }
}

/** A refusal or a denial, whichever; but an answer, and nothing forwarded. */
function neverForwarded(name, body, { change, tool } = {}) {
  for (const era of ["legacy", "modern"]) {
    test(`${name} (${era})`, async () => {
      const got = await notForwarded(name, () => send[era](body, change, tool));
      assert.ok(got.status === 200 || (got.status >= 400 && got.status < 500), `${got.status} ${got.body}`);
      if (got.status === 200) {
        const rpc = rpcOf(got);
        assert.ok(rpc.error || rpc.result?.isError === true, got.body);
      }
    });
  }
}

const msg = (params, rest = "") => `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{@${params}}${rest}}`;
const echo = (args) => msg(`"name":"echo","arguments":${args}`);

describe("a plain call, to know that the cases below differ from something that works", () => {
  for (const era of ["legacy", "modern"]) {
    test(`works (${era})`, async () => {
      const got = await send[era](echo('{"text":"plain"}'));
      assert.equal(got.status, 200, got.body);
      assert.equal(rpcOf(got).result.content[0].text, 'echo {"text":"plain"}');
      assert.equal(rpcOf(got).id, 5);
    });
  }
});

describe("R1, row 2: keys that differ by case", () => {
  refused("Name beside name", msg('"name":"echo","Name":"delete_repo","arguments":{}'), INVALID);
  refused("NAME alone", msg('"NAME":"delete_repo","arguments":{}'), INVALID);
  refused("Arguments beside arguments", msg('"name":"echo","arguments":{},"Arguments":{"text":"x"}'), INVALID);
  refused("Method beside method", msg('"name":"echo"', ',"Method":"tools/list"'), INVALID);
  refused("Params beside params", msg('"name":"echo"', ',"Params":{"name":"delete_repo"}'), INVALID);
  refused("ID beside id", msg('"name":"echo"', ',"ID":6'), INVALID);
  refused("JSONRPC beside jsonrpc", msg('"name":"echo"', ',"JSONRPC":"2.0"'), INVALID);
  refused("_Meta beside _meta", msg('"name":"echo","_Meta":{}'), INVALID);
  refused("a long s that folds to s: paramſ", msg('"name":"echo"', ',"param\u017f":{"name":"delete_repo"}'), INVALID);
  refused("the same as an escape", msg('"name":"echo"', ',"param\\u017f":{"name":"delete_repo"}'), INVALID);
  refused("argumentſ in params", msg('"name":"echo","argument\u017f":{"text":"x"}'), INVALID);
  neverForwarded("in arguments a case variant is an argument that nobody knows", echo('{"text":"a","Text":"b"}'));
});

describe("R2, row 1: keys that occur twice", () => {
  refused("name twice", msg('"name":"echo","name":"delete_repo"'), INVALID);
  refused("name, and na\\u006de", msg('"name":"echo","na\\u006de":"delete_repo"'), INVALID);
  refused("params twice", msg('"name":"echo"', ',"params":{"name":"delete_repo"}'), INVALID);
  refused("method twice", msg('"name":"echo"', ',"method":"tools/list"'), INVALID);
  refused("id twice", msg('"name":"echo"', ',"id":6'), INVALID);
  refused("jsonrpc twice", msg('"name":"echo"', ',"jsonrpc":"2.0"'), INVALID);
  refused("an argument twice", echo('{"text":"a","text":"b"}'), INVALID);
  refused("an argument twice, once escaped", echo('{"text":"a","\\u0074ext":"b"}'), INVALID);
  refused("deep inside an argument", echo('{"value":[{"a":{"b":1,"c":2,"b":3}}]}'), INVALID);
  refused("in _meta", msg('"name":"echo","x":{"a":1,"a":2}'), INVALID);
});

describe("R3, row 3: U+0000", () => {
  refused("in a key of params", msg('"name":"echo","name\\u0000":"delete_repo"'), INVALID);
  refused("in a key of the message", msg('"name":"echo"', ',"method\\u0000":"x"'), INVALID);
  refused("in the tool's name", msg('"name":"echo\\u0000"'), INVALID);
  refused("in an argument's key", echo('{"text\\u0000":"x"}'), INVALID);
  refused("in an argument's value", echo('{"text":"a\\u0000b"}'), INVALID);
  refused("raw inside a string", echo('{"text":"a\u0000b"}'), PARSE);
  refused("raw between tokens", msg('"name":\u0000"echo"'), PARSE);
});

describe("row 4: bytes that are not UTF-8", () => {
  const bad = (...bytes) => Buffer.concat([Buffer.from(echo('{"text":"').slice(0, -2)), Buffer.from(bytes), Buffer.from('"}}}')]);
  refused("overlong slash C0 AF", bad(0xc0, 0xaf), PARSE);
  refused("overlong in three bytes", bad(0xe0, 0x80, 0xaf), PARSE);
  refused("an encoded surrogate", bad(0xed, 0xa0, 0x80), PARSE);
  refused("above U+10FFFF", bad(0xf4, 0x90, 0x80, 0x80), PARSE);
  refused("a lone continuation byte", bad(0x80), PARSE);
  refused("a sequence cut short", bad(0xe2, 0x82), PARSE);
  refused("FF", bad(0xff), PARSE);
  refused("a byte order mark first", `\ufeff${echo("{}")}`, PARSE);
  refused("a lone high surrogate escape", echo('{"text":"\\ud800"}'), INVALID);
  refused("a lone low surrogate escape", echo('{"text":"\\udc00x"}'), INVALID);
  refused("a surrogate in a key", echo('{"\\ud800":1}'), INVALID);
  test("a whole pair of escapes is fine", async () => {
    const got = rpcOf(await session.post(echo('{"text":"\\ud83d\\ude00"}').replace("@", "")));
    assert.equal(got.result.content[0].text, 'echo {"text":"😀"}');
  });
});

describe("R4, row 5: the kind of the body", () => {
  const evil = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{@"name":"delete_repo","arguments":{"owner":"acme","repo":"web"}}}';
  for (const type of ["Application/json", "APPLICATION/JSON", "application/json; charset=UTF-8", 'application/json; charset="utf-8"', "application/json;charset=utf-8"]) {
    neverForwarded(`${type}: judged or refused, never waved through`, evil, { change: { "Content-Type": type }, tool: "delete_repo" });
  }
  const unsupported = ["text/plain", "application/json-seq", "application/vnd.x+json", "application/jsonx", "application/json; charset=utf-16", "application/json; charset=latin1",
    "application/json, text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "*/*", ""];
  for (const type of unsupported) {
    test(`415 for Content-Type "${type}"`, async () => {
      const got = await notForwarded(type, () => send.legacy(echo("{}"), { "Content-Type": type }));
      assert.equal(got.status, 415);
    });
  }
  test("415 without Content-Type", async () => {
    assert.equal((await notForwarded("none", () => send.legacy(echo("{}"), { "Content-Type": undefined }))).status, 415);
  });
  test("a UTF-16 body that says so", async () => {
    const body = Buffer.from(evil.replace("@", ""), "utf16le");
    const got = await notForwarded("utf-16", () => session.post(body, { "Content-Type": "application/json; charset=utf-16" }));
    assert.equal(got.status, 415);
  });
  test("a UTF-16 body that does not say so", async () => {
    const got = await notForwarded("utf-16", () => session.post(Buffer.from(evil.replace("@", ""), "utf16le")));
    assert.equal(got.status, 400);
  });
  for (const coding of ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x-gzip"]) {
    test(`a content coding: ${coding}`, async () => {
      const got = await notForwarded(coding, () => session.post(gzipSync(evil.replace("@", "")), { "Content-Encoding": coding }));
      assert.equal(got.status, 415);
    });
  }
  test("two Content-Type headers", async () => {
    const headers = [...decent(gateway.port, token, { "Mcp-Session-Id": session.sid }), ["Content-Type", "text/plain"]];
    const got = await notForwarded("two types", () => request(gateway.port, { headers, body: evil.replace("@", "") }));
    assert.ok([400, 415].includes(got.status), `${got.status}`);
  });
});

describe("R5, row 14: numbers", () => {
  const transfer = (amount) => msg(`"name":"transfer","arguments":{"to":"x","amount":${amount}}`);
  for (const amount of ["9007199254740993", "-9007199254740993", "1e999", "-1e999", "1000.0000000000000000001", "0.1000000000000000055511151231257827", "123456789012345678901234567890"]) {
    test(`a compared number that a double does not hold: ${amount}`, async () => {
      const got = await notForwarded(amount, () => session.post(transfer(amount).replace("@", "")));
      const rpc = rpcOf(got);
      assert.ok(rpc.error, got.body);
      assert.ok([PARAMS, INVALID].includes(rpc.error.code), got.body);
      if (rpc.error.code === PARAMS) assert.match(rpc.error.message, /amount/);
    });
  }
  for (const amount of ["NaN", "Infinity", "-Infinity", "+1", "01", ".5", "1.", "0x10", "1e", "1e+", "--1", "1_000", "٣"]) {
    refused(`not a JSON number: ${amount}`, transfer(amount), PARSE);
  }
  for (const [amount, allowed] of [["1000", true], ["1e3", true], ["1000.0", true], ["10E+2", true], ["1000.5", false], ["1001", false], ["1e4", false], ["0", false], ["-0", false], ["-5", false], ['"5"', false], ["null", false], ["[5]", false]]) {
    test(`${amount} is ${allowed ? "within" : "not within"} 1..1000`, async () => {
      const before = upstream.calls().length;
      const rpc = rpcOf(await session.post(transfer(amount).replace("@", "")));
      const went = upstream.calls().length - before;
      assert.equal(went, allowed ? 1 : 0, JSON.stringify(rpc));
      if (!allowed) assert.ok(rpc.error || rpc.result.isError);
    });
  }
  test("what is forwarded is the number as it was written", async () => {
    for (const literal of ["1.50", "1E2", "9007199254740993", "-0.0", "0.10000000000000000001"]) {
      await session.post(echo(`{"value":${literal}}`).replace("@", ""));
      const raw = upstream.log().at(-1).raw;
      assert.ok(new RegExp(`"value":${literal.replace(/[.+]/g, "\\$&")}[},]`).test(raw), `${literal} in ${raw}`);
    }
  });
});

describe("R6, row 9: headers that say something else than the body", () => {
  const MISMATCH = -32020;
  const sendModern = (change, opts = {}) => modern(gateway.port, "web", token, { params: { name: "echo", arguments: { text: "x" } }, change, ...opts });
  const wrong = [
    ["Mcp-Name of another tool", { "Mcp-Name": "list_issues" }],
    ["Mcp-Name in another case", { "Mcp-Name": "Echo" }],
    ["no Mcp-Name", { "Mcp-Name": undefined }],
    ["an empty Mcp-Name", { "Mcp-Name": "" }],
    ["Mcp-Method of another method", { "Mcp-Method": "tools/list" }],
    ["no Mcp-Method", { "Mcp-Method": undefined }],
    ["another version in the header", { "MCP-Protocol-Version": "2025-11-25" }],
    ["no version in the header", { "MCP-Protocol-Version": undefined }],
  ];
  for (const [name, change] of wrong) {
    test(name, async () => {
      const got = await notForwarded(name, () => sendModern(change));
      assert.equal(got.status, 400, got.body);
      assert.equal(rpcOf(got).error.code, MISMATCH, got.body);
    });
  }
  for (const extra of [["Mcp-Name", "echo"], ["Mcp-Name", "delete_repo"], ["Mcp-Method", "tools/call"], ["MCP-Protocol-Version", MODERN]]) {
    test(`${extra[0]} twice (${extra[1]})`, async () => {
      const headers = [...decent(gateway.port, token, { "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo" }), extra];
      const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/call", params: { name: "echo", arguments: {}, _meta: ENVELOPE } });
      const got = await notForwarded("twice", () => request(gateway.port, { headers, body }));
      assert.equal(got.status, 400, got.body);
    });
  }
  test("a base64 Mcp-Name is decoded exactly", async () => {
    const b64 = (s) => `=?base64?${Buffer.from(s).toString("base64")}?=`;
    assert.equal((await sendModern({ "Mcp-Name": b64("echo") })).status, 200);
    for (const value of [b64("list_issues"), "=?base64?ZWNobw?=", "=?BASE64?ZWNobw==?=", "=?base64?ZWNo bw==?="]) {
      const got = await notForwarded(value, () => sendModern({ "Mcp-Name": value }));
      assert.equal(rpcOf(got).error.code, MISMATCH, value);
    }
  });
  test("in a legacy session the headers mean nothing: the body is judged", async () => {
    const evil = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"delete_repo","arguments":{"owner":"acme","repo":"web"}}}';
    const got = await notForwarded("legacy", () => session.post(evil, { "Mcp-Name": "echo", "Mcp-Method": "tools/list" }));
    assert.ok(got.status >= 400 || rpcOf(got).result?.isError === true, got.body);
  });
  test("no Mcp-* header of the client's is passed on", async () => {
    await session.post(echo('{"text":"x"}').replace("@", ""), { "Mcp-Param-Secret": "STALE", "X-Forwarded-For": "6.6.6.6", Cookie: "a=STALE", "User-Agent": "STALE" });
    const { headers } = upstream.log().at(-1);
    assert.ok(!JSON.stringify(headers).includes("STALE"), JSON.stringify(headers));
    assert.equal(headers["x-forwarded-for"], undefined);
  });
});

describe("row 10: one era dressed up as the other", () => {
  const call = (meta) => JSON.stringify({ jsonrpc: "2.0", id: 9, method: "tools/call", params: { name: "echo", arguments: { text: "x" }, ...(meta && { _meta: meta }) } });
  const raw = (body, change) => notForwarded("era", () => request(gateway.port, { headers: decent(gateway.port, token, change), body }));
  test("a modern header without the envelope", async () => {
    const got = await raw(call(), { "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo" });
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, PARAMS, got.body);
  });
  test("the envelope under a legacy header", async () => {
    const got = await raw(call(ENVELOPE), { "MCP-Protocol-Version": "2025-11-25", "Mcp-Method": "tools/call", "Mcp-Name": "echo" });
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, -32020, got.body);
  });
  test("the envelope inside a legacy session", async () => {
    const got = await notForwarded("era", () => session.post(call(ENVELOPE)));
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, -32020, got.body);
  });
  test("initialize under a modern header", async () => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "initialize", params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } } });
    const got = await raw(body, { "MCP-Protocol-Version": MODERN, "Mcp-Method": "initialize" });
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, -32020, got.body);
  });
  test("neither: no session, no envelope", async () => {
    assert.equal((await raw(call(), {})).status, 400);
  });
  for (const key of ["protocolVersion", "clientCapabilities"]) {
    test(`an envelope without ${key}`, async () => {
      const { [`io.modelcontextprotocol/${key}`]: left, ...meta } = ENVELOPE;
      const got = await notForwarded(key, () => modern(gateway.port, "web", token, { params: { name: "echo" }, meta }));
      assert.equal(got.status, 400);
      assert.equal(rpcOf(got).error.code, PARAMS, got.body);
    });
  }
  test("a version that nobody speaks", async () => {
    const meta = { ...ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2031-01-01" };
    const got = await notForwarded("version", () => modern(gateway.port, "web", token, { params: { name: "echo" }, meta, change: { "MCP-Protocol-Version": "2031-01-01" } }));
    assert.equal(got.status, 400);
    const { error } = rpcOf(got);
    assert.equal(error.code, -32022);
    assert.ok(error.data.supported.includes(MODERN));
    assert.equal(error.data.requested, "2031-01-01");
  });
});

describe("R7, row 6: batch arrays", () => {
  const one = echo('{"text":"x"}');
  refused("one call", `[${one}]`, INVALID);
  refused("a list and a call", `[{"jsonrpc":"2.0","id":1,"method":"tools/list"},${one}]`, INVALID);
  refused("an empty array", "[]", INVALID);
  refused("an array in an array", `[[${one}]]`, INVALID);
  for (const version of ["2025-03-26", "2024-11-05"]) {
    test(`refused in a session of ${version} too`, async () => {
      const old = await openLegacy(gateway.port, "web", token, version);
      const got = await notForwarded(version, () => old.post(`[${one.replace("@", "")}]`));
      assert.equal(got.status, 400);
      assert.equal(rpcOf(got).error.code, INVALID);
    });
  }
});

describe("R8, row 15: a tools/call whose params don't decode", () => {
  const whole = (params) => `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":${params}}`;
  for (const params of ['["echo",{}]', '"echo"', "null", "5", "true", "{}", '{"arguments":{}}', '{"name":5}', '{"name":null}', '{"name":["echo"]}', '{"name":{"name":"echo"}}', '{"name":""}']) {
    neverForwarded(`params ${params}`, whole(params));
  }
  neverForwarded("no params at all", '{"jsonrpc":"2.0","id":5,"method":"tools/call"}');
  for (const args of ["null", "[]", '["x"]', '"x"', "5", "true"]) neverForwarded(`arguments ${args}`, echo(args));
  test("absent arguments are no arguments, and stay absent", async () => {
    const rpc = rpcOf(await session.post(msg('"name":"pid"').replace("@", "")));
    assert.match(rpc.result.content[0].text, /^\d+$/);
    assert.equal(upstream.calls().at(-1).arguments, undefined);
  });
});

describe("R9, row 7: ids", () => {
  const withId = (id) => `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{@"name":"echo","arguments":{"text":"x"}}}`;
  refused("no id: a call is not a notification", '{"jsonrpc":"2.0","method":"tools/call","params":{@"name":"echo","arguments":{}}}', INVALID);
  refused("no id on tools/list", '{"jsonrpc":"2.0","method":"tools/list","params":{@"x":1}}', INVALID);
  for (const id of ["null", "1.5", "{}", "[1]", "true", "9007199254740993", "-9007199254740993", `"${"x".repeat(10_000)}"`]) {
    refused(`id ${id.slice(0, 24)}`, withId(id), INVALID);
  }
  neverForwarded("id 1e400", withId("1e400"));
  for (const id of ["0", "-1", "9007199254740991", '"a"', '""', '"5"', '"\\u00e9"']) {
    test(`id ${id} comes back as it was`, async () => {
      const got = await session.post(withId(id).replace("@", ""));
      const rpc = rpcOf(got);
      if (rpc.error && id === '""') return; /* an empty id may be refused */
      assert.strictEqual(rpc.id, JSON.parse(id), got.body);
    });
  }
  test("an id in use twice at once: each call is answered for itself or refused", async () => {
    const slow = (ms) => `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"slow","arguments":{"ms":${ms}}}}`;
    const [a, b] = await Promise.all([session.post(slow(300)), session.post(slow(50))]);
    for (const [got, ms] of [[a, 300], [b, 50]]) {
      const rpc = rpcOf(got);
      if (rpc.error) continue;
      assert.equal(rpc.id, 77);
      assert.equal(rpc.result.content[0].text, `slept ${ms} ms`, "no answer is swapped");
    }
  });
  test("the server sees ids of the gateway's own", async () => {
    await session.post(withId('"client-id-MARK"').replace("@", ""));
    assert.ok(!upstream.log().at(-1).raw.includes("client-id-MARK"));
  });
  test("a notification that nobody knows is dropped", async () => {
    const got = await notForwarded("notification", () => session.post('{"jsonrpc":"2.0","method":"notifications/tools/call","params":{"name":"echo"}}'));
    assert.equal(got.status, 202);
    assert.ok(!upstream.log().some((e) => e.message?.method === "notifications/tools/call"));
  });
});

describe("row 8: members that no message has", () => {
  refused("an extra member", msg('"name":"echo"', ',"extra":1'), INVALID);
  refused("result beside method", msg('"name":"echo"', ',"result":{}'), INVALID);
  refused("error beside method", msg('"name":"echo"', ',"error":{"code":1,"message":"x"}'), INVALID);
  refused("a response that nobody asked for", '{"jsonrpc":"2.0","id":1,"result":{}}', INVALID);
  refused("an error that nobody asked for", '{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}', INVALID);
  refused("no jsonrpc", '{"id":5,"method":"tools/call","params":{@"name":"echo"}}', INVALID);
  refused("jsonrpc 1.0", '{"jsonrpc":"1.0","id":5,"method":"tools/call","params":{@"name":"echo"}}', INVALID);
  refused("jsonrpc as a number", '{"jsonrpc":2.0,"id":5,"method":"tools/call","params":{@"name":"echo"}}', INVALID);
  refused("a method that is no string", '{"jsonrpc":"2.0","id":5,"method":["tools/call"],"params":{@"name":"echo"}}', INVALID);
  for (const body of ["5", '"tools/call"', "null", "true", "{}"]) refused(`the whole body is ${body}`, body, INVALID);
});

describe("row 12: names that look alike", () => {
  for (const name of ["Echo", "ECHO", "echo ", " echo", "ｅcho", "ec\u200bho", "еcho", "echo\u0301", "echo\\n", "e\\u0063ho\\u200d", "list_issues\\u00a0", "delete_repo ", "Delete_Repo"]) {
    test(`"${name}" is not a tool`, async () => {
      const rpc = rpcOf(await notForwarded(name, () => session.post(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"${name}","arguments":{}}}`)));
      assert.equal(rpc.result?.isError, true, JSON.stringify(rpc));
      assert.equal(rpc.result._meta["mcpd/decision"].cause, "unknown_tool");
    });
  }
  test("an escape of the same name is the same name", async () => {
    const rpc = rpcOf(await session.post('{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"\\u0065cho","arguments":{"text":"x"}}}'));
    assert.equal(rpc.result.content[0].text, 'echo {"text":"x"}');
  });
});

describe("row 16: keys that mean something to JavaScript", () => {
  for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
    test(`${key} is an argument that nobody knows`, async () => {
      const rpc = rpcOf(await notForwarded(key, () => session.post(echo(`{"text":"x","${key}":{"admin":true}}`).replace("@", ""))));
      assert.equal(rpc.result?.isError, true, JSON.stringify(rpc));
    });
    test(`${key} inside a value is forwarded as data`, async () => {
      await openSession.post(echo(`{"value":{"${key}":{"admin":true}}}`).replace("@", ""));
      assert.ok(upstream.log().at(-1).raw.includes(`"value":{"${key}":{"admin":true}}`));
    });
    test(`a tool called ${key} is not a tool`, async () => {
      const rpc = rpcOf(await notForwarded(key, () => session.post(msg(`"name":"${key}"`).replace("@", ""))));
      assert.equal(rpc.result?.isError, true);
    });
  }
});

describe("row 17: deep and large", () => {
  const nest = (n, open = "[", close = "]") => open.repeat(n) + close.repeat(n);
  refused("65 arrays", echo(`{"value":${nest(65)}}`), INVALID);
  refused("65 objects", echo(`{"value":${'{"a":'.repeat(65)}1${"}".repeat(65)}}`), INVALID);
  refused("5000 arrays", echo(`{"value":${nest(5000)}}`), INVALID);
  test("20,000 opening brackets and nothing else", async () => {
    const got = await notForwarded("brackets", () => session.post("[".repeat(20_000)));
    assert.equal(got.status, 400);
  });
  test("40 arrays are fine", async () => {
    assert.equal(rpcOf(await session.post(echo(`{"value":${nest(40)}}`).replace("@", ""))).result.isError ?? false, false);
  });
  for (const over of [1, 1000]) {
    test(`a body ${over} bytes over the limit`, async () => {
      const frame = echo('{"text":""}').replace("@", "");
      const body = frame.replace('""', `"${"x".repeat(BODY_LIMIT - frame.length + over)}"`);
      const got = await notForwarded("large", () => session.post(body));
      assert.equal(got.status, 413);
    });
  }
  test("a body at the limit", async () => {
    const frame = echo('{"text":""}').replace("@", "");
    const body = frame.replace('""', `"${"x".repeat(BODY_LIMIT - frame.length)}"`);
    assert.equal(body.length, BODY_LIMIT);
    assert.equal((await session.post(body)).status, 200);
  });
  test("a length that lies: refused from the header, before the body is read", async () => {
    const got = await request(gateway.port, { headers: [...decent(gateway.port, token, { "Mcp-Session-Id": session.sid }), ["Content-Length", "99999999999"]], length: false, body: "{" });
    assert.equal(got.status, 413);
  });
});

describe("row 18: one message, the whole body", () => {
  const one = echo('{"text":"x"}');
  refused("bytes after it", `${one}x`, PARSE);
  refused("two documents", `${one}${one}`, PARSE);
  refused("two lines", `${one}\n${one}`, PARSE);
  refused("a comment", `/* x */${one}`, PARSE);
  refused("a line comment", `${one} // x`, PARSE);
  refused("a trailing comma", one.replace(/}}}$/, "},}}"), PARSE);
  refused("a trailing comma in an array", echo('{"value":[1,]}'), PARSE);
  refused("single quotes", one.replaceAll('"', "'"), PARSE);
  refused("an unquoted key", msg('name:"echo"'), PARSE);
  refused("nothing", "", PARSE);
  refused("white space", "  \n", PARSE);
  refused("half a message", one.slice(0, -2), PARSE);
  refused("a raw line end in a string", echo('{"text":"a\nb"}'), PARSE);
  refused("white space that JSON does not have", `\u00a0${one}`, PARSE);
  refused("a vertical tab", `\v${one}`, PARSE);
  refused("TRUE", echo('{"value":TRUE}'), PARSE);
  refused("an escape that JSON does not have", echo('{"text":"\\x41"}'), PARSE);
  test("white space around it is fine", async () => {
    assert.equal((await session.post(`\r\n\t ${one.replace("@", "")} \n`)).status, 200);
  });
});
