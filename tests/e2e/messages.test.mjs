// SPDX-License-Identifier: Apache-2.0
// One reading of the message: what a well-formed document may and may not say, as a
// JSON-RPC message, as a call, and beside its headers. Rows as in bytes.test.mjs.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ENVELOPE, MODERN, decent, modern, openLegacy, request, rpcOf } from "./lib.mjs";
import { INVALID, PARAMS, echo, msg, neverForwarded, notForwarded, refused, world } from "./reading.mjs";

describe("R6, row 9: headers that say something else than the body", () => {
  const MISMATCH = -32020;
  const sendModern = (change, opts = {}) =>
    modern(world.gateway.port, "web", world.token, {
      params: { name: "echo", arguments: { text: "x" } },
      change,
      ...opts,
    });
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
  for (const extra of [
    ["Mcp-Name", "echo"],
    ["Mcp-Name", "delete_repo"],
    ["Mcp-Method", "tools/call"],
    ["MCP-Protocol-Version", MODERN],
  ]) {
    test(`${extra[0]} twice (${extra[1]})`, async () => {
      const headers = [
        ...decent(world.gateway.port, world.token, {
          "MCP-Protocol-Version": MODERN,
          "Mcp-Method": "tools/call",
          "Mcp-Name": "echo",
        }),
        extra,
      ];
      const body = JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "echo", arguments: {}, _meta: ENVELOPE },
      });
      const got = await notForwarded("twice", () => request(world.gateway.port, { headers, body }));
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
    const evil =
      '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"delete_repo","arguments":{"owner":"acme","repo":"web"}}}';
    const got = await notForwarded("legacy", () =>
      world.session.post(evil, { "Mcp-Name": "echo", "Mcp-Method": "tools/list" }),
    );
    assert.ok(got.status >= 400 || rpcOf(got).result?.isError === true, got.body);
  });
  test("no Mcp-* header of the client's is passed on", async () => {
    await world.session.post(echo('{"text":"x"}').replace("@", ""), {
      "Mcp-Param-Secret": "STALE",
      "X-Forwarded-For": "6.6.6.6",
      Cookie: "a=STALE",
      "User-Agent": "STALE",
    });
    const { headers } = world.upstream.log().at(-1);
    assert.ok(!JSON.stringify(headers).includes("STALE"), JSON.stringify(headers));
    assert.equal(headers["x-forwarded-for"], undefined);
  });
});

describe("row 10: one era dressed up as the other", () => {
  const call = (meta) =>
    JSON.stringify({
      jsonrpc: "2.0",
      id: 9,
      method: "tools/call",
      params: { name: "echo", arguments: { text: "x" }, ...(meta && { _meta: meta }) },
    });
  const raw = (body, change) =>
    notForwarded("era", () =>
      request(world.gateway.port, { headers: decent(world.gateway.port, world.token, change), body }),
    );
  test("a modern header without the envelope", async () => {
    const got = await raw(call(), { "MCP-Protocol-Version": MODERN, "Mcp-Method": "tools/call", "Mcp-Name": "echo" });
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, PARAMS, got.body);
  });
  test("the envelope under a legacy header", async () => {
    const got = await raw(call(ENVELOPE), {
      "MCP-Protocol-Version": "2025-11-25",
      "Mcp-Method": "tools/call",
      "Mcp-Name": "echo",
    });
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, -32020, got.body);
  });
  test("the envelope inside a legacy session", async () => {
    const got = await notForwarded("era", () => world.session.post(call(ENVELOPE)));
    assert.equal(got.status, 400);
    assert.equal(rpcOf(got).error.code, -32020, got.body);
  });
  test("initialize under a modern header", async () => {
    const body = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "x", version: "1" } },
    });
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
      const got = await notForwarded(key, () =>
        modern(world.gateway.port, "web", world.token, { params: { name: "echo" }, meta }),
      );
      assert.equal(got.status, 400);
      assert.equal(rpcOf(got).error.code, PARAMS, got.body);
    });
  }
  test("a version that nobody speaks", async () => {
    const meta = { ...ENVELOPE, "io.modelcontextprotocol/protocolVersion": "2031-01-01" };
    const got = await notForwarded("version", () =>
      modern(world.gateway.port, "web", world.token, {
        params: { name: "echo" },
        meta,
        change: { "MCP-Protocol-Version": "2031-01-01" },
      }),
    );
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
      const old = await openLegacy(world.gateway.port, "web", world.token, version);
      const got = await notForwarded(version, () => old.post(`[${one.replace("@", "")}]`));
      assert.equal(got.status, 400);
      assert.equal(rpcOf(got).error.code, INVALID);
    });
  }
});

describe("R8, row 15: a tools/call whose params don't decode", () => {
  const whole = (params) => `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":${params}}`;
  for (const params of [
    '["echo",{}]',
    '"echo"',
    "null",
    "5",
    "true",
    "{}",
    '{"arguments":{}}',
    '{"name":5}',
    '{"name":null}',
    '{"name":["echo"]}',
    '{"name":{"name":"echo"}}',
    '{"name":""}',
  ]) {
    neverForwarded(`params ${params}`, whole(params));
  }
  neverForwarded("no params at all", '{"jsonrpc":"2.0","id":5,"method":"tools/call"}');
  for (const args of ["null", "[]", '["x"]', '"x"', "5", "true"]) neverForwarded(`arguments ${args}`, echo(args));
  test("absent arguments are no arguments, and stay absent", async () => {
    const rpc = rpcOf(await world.session.post(msg('"name":"pid"').replace("@", "")));
    assert.match(rpc.result.content[0].text, /^\d+$/);
    assert.equal(world.upstream.calls().at(-1).arguments, undefined);
  });
});

describe("R9, row 7: ids", () => {
  const withId = (id) =>
    `{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{@"name":"echo","arguments":{"text":"x"}}}`;
  refused(
    "no id: a call is not a notification",
    '{"jsonrpc":"2.0","method":"tools/call","params":{@"name":"echo","arguments":{}}}',
    INVALID,
  );
  refused("no id on tools/list", '{"jsonrpc":"2.0","method":"tools/list","params":{@"x":1}}', INVALID);
  for (const id of [
    "null",
    "1.5",
    "{}",
    "[1]",
    "true",
    "9007199254740993",
    "-9007199254740993",
    `"${"x".repeat(10_000)}"`,
  ]) {
    refused(`id ${id.slice(0, 24)}`, withId(id), INVALID);
  }
  neverForwarded("id 1e400", withId("1e400"));
  for (const id of ["0", "-1", "9007199254740991", '"a"', '""', '"5"', '"\\u00e9"']) {
    test(`id ${id} comes back as it was`, async () => {
      const got = await world.session.post(withId(id).replace("@", ""));
      const rpc = rpcOf(got);
      if (rpc.error && id === '""') return; /* an empty id may be refused */
      assert.strictEqual(rpc.id, JSON.parse(id), got.body);
    });
  }
  test("an id in use twice at once: each call is answered for itself or refused", async () => {
    const slow = (ms) =>
      `{"jsonrpc":"2.0","id":77,"method":"tools/call","params":{"name":"slow","arguments":{"ms":${ms}}}}`;
    const [a, b] = await Promise.all([world.session.post(slow(300)), world.session.post(slow(50))]);
    for (const [got, ms] of [
      [a, 300],
      [b, 50],
    ]) {
      const rpc = rpcOf(got);
      if (rpc.error) continue;
      assert.equal(rpc.id, 77);
      assert.equal(rpc.result.content[0].text, `slept ${ms} ms`, "no answer is swapped");
    }
  });
  test("the server sees ids of the gateway's own", async () => {
    await world.session.post(withId('"client-id-MARK"').replace("@", ""));
    assert.ok(!world.upstream.log().at(-1).raw.includes("client-id-MARK"));
  });
  test("a notification that nobody knows is dropped", async () => {
    const got = await notForwarded("notification", () =>
      world.session.post('{"jsonrpc":"2.0","method":"notifications/tools/call","params":{"name":"echo"}}'),
    );
    assert.equal(got.status, 202);
    assert.ok(!world.upstream.log().some((e) => e.message?.method === "notifications/tools/call"));
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
  refused(
    "a method that is no string",
    '{"jsonrpc":"2.0","id":5,"method":["tools/call"],"params":{@"name":"echo"}}',
    INVALID,
  );
  for (const body of ["5", '"tools/call"', "null", "true", "{}"]) refused(`the whole body is ${body}`, body, INVALID);
});

describe("row 12: names that look alike", () => {
  for (const name of [
    "Echo",
    "ECHO",
    "echo ",
    " echo",
    "ｅcho",
    "ec\u200bho",
    "еcho",
    "echo\u0301",
    "echo\\n",
    "e\\u0063ho\\u200d",
    "list_issues\\u00a0",
    "delete_repo ",
    "Delete_Repo",
  ]) {
    test(`"${name}" is not a tool`, async () => {
      const rpc = rpcOf(
        await notForwarded(name, () =>
          world.session.post(
            `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"${name}","arguments":{}}}`,
          ),
        ),
      );
      assert.equal(rpc.result?.isError, true, JSON.stringify(rpc));
      assert.equal(rpc.result._meta["mcpd/decision"].cause, "unknown_tool");
    });
  }
  test("an escape of the same name is the same name", async () => {
    const rpc = rpcOf(
      await world.session.post(
        '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"\\u0065cho","arguments":{"text":"x"}}}',
      ),
    );
    assert.equal(rpc.result.content[0].text, 'echo {"text":"x"}');
  });
});

describe("row 16: keys that mean something to JavaScript", () => {
  for (const key of ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"]) {
    test(`${key} is an argument that nobody knows`, async () => {
      const rpc = rpcOf(
        await notForwarded(key, () =>
          world.session.post(echo(`{"text":"x","${key}":{"admin":true}}`).replace("@", "")),
        ),
      );
      assert.equal(rpc.result?.isError, true, JSON.stringify(rpc));
    });
    test(`${key} inside a value is forwarded as data`, async () => {
      await world.openSession.post(echo(`{"value":{"${key}":{"admin":true}}}`).replace("@", ""));
      assert.ok(world.upstream.log().at(-1).raw.includes(`"value":{"${key}":{"admin":true}}`));
    });
    test(`a tool called ${key} is not a tool`, async () => {
      const rpc = rpcOf(await notForwarded(key, () => world.session.post(msg(`"name":"${key}"`).replace("@", ""))));
      assert.equal(rpc.result?.isError, true);
    });
  }
});
