// SPDX-License-Identifier: Apache-2.0
// One reading of the bytes: spellings that servers and gateways have read differently from
// each other. R rows are defects seen elsewhere; "row N" are traps of the protocol. Each
// case is sent in both eras; what must hold always: nothing reached the server.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import { decent, request, rpcOf } from "./lib.mjs";
import {
  BODY_LIMIT,
  INVALID,
  PARAMS,
  PARSE,
  echo,
  msg,
  neverForwarded,
  notForwarded,
  refused,
  send,
  world,
} from "./reading.mjs";

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
  const bad = (...bytes) =>
    Buffer.concat([Buffer.from(echo('{"text":"').slice(0, -2)), Buffer.from(bytes), Buffer.from('"}}}')]);
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
    const got = rpcOf(await world.session.post(echo('{"text":"\\ud83d\\ude00"}').replace("@", "")));
    assert.equal(got.result.content[0].text, 'echo {"text":"😀"}');
  });
});

describe("R4, row 5: the kind of the body", () => {
  const evil =
    '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{@"name":"delete_repo","arguments":{"owner":"acme","repo":"web"}}}';
  for (const type of [
    "Application/json",
    "APPLICATION/JSON",
    "application/json; charset=UTF-8",
    'application/json; charset="utf-8"',
    "application/json;charset=utf-8",
  ]) {
    neverForwarded(`${type}: judged or refused, never waved through`, evil, {
      change: { "Content-Type": type },
      tool: "delete_repo",
    });
  }
  const unsupported = [
    "text/plain",
    "application/json-seq",
    "application/vnd.x+json",
    "application/jsonx",
    "application/json; charset=utf-16",
    "application/json; charset=latin1",
    "application/json, text/plain",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "*/*",
    "",
  ];
  for (const type of unsupported) {
    test(`415 for Content-Type "${type}"`, async () => {
      const got = await notForwarded(type, () => send.legacy(echo("{}"), { "Content-Type": type }));
      assert.equal(got.status, 415);
    });
  }
  test("415 without Content-Type", async () => {
    assert.equal(
      (await notForwarded("none", () => send.legacy(echo("{}"), { "Content-Type": undefined }))).status,
      415,
    );
  });
  test("a UTF-16 body that says so", async () => {
    const body = Buffer.from(evil.replace("@", ""), "utf16le");
    const got = await notForwarded("utf-16", () =>
      world.session.post(body, { "Content-Type": "application/json; charset=utf-16" }),
    );
    assert.equal(got.status, 415);
  });
  test("a UTF-16 body that does not say so", async () => {
    const got = await notForwarded("utf-16", () => world.session.post(Buffer.from(evil.replace("@", ""), "utf16le")));
    assert.equal(got.status, 400);
  });
  for (const coding of ["gzip", "GZIP", "deflate", "br", "identity, gzip", "x-gzip"]) {
    test(`a content coding: ${coding}`, async () => {
      const got = await notForwarded(coding, () =>
        world.session.post(gzipSync(evil.replace("@", "")), { "Content-Encoding": coding }),
      );
      assert.equal(got.status, 415);
    });
  }
  test("two Content-Type headers", async () => {
    const headers = [
      ...decent(world.gateway.port, world.token, { "Mcp-Session-Id": world.session.sid }),
      ["Content-Type", "text/plain"],
    ];
    const got = await notForwarded("two types", () =>
      request(world.gateway.port, { headers, body: evil.replace("@", "") }),
    );
    assert.ok([400, 415].includes(got.status), `${got.status}`);
  });
});

describe("R5, row 14: numbers", () => {
  const transfer = (amount) => msg(`"name":"transfer","arguments":{"to":"x","amount":${amount}}`);
  for (const amount of [
    "9007199254740993",
    "-9007199254740993",
    "1e999",
    "-1e999",
    "1000.0000000000000000001",
    "0.1000000000000000055511151231257827",
    "123456789012345678901234567890",
  ]) {
    test(`a compared number that a double does not hold: ${amount}`, async () => {
      const got = await notForwarded(amount, () => world.session.post(transfer(amount).replace("@", "")));
      const rpc = rpcOf(got);
      assert.ok(rpc.error, got.body);
      assert.ok([PARAMS, INVALID].includes(rpc.error.code), got.body);
      if (rpc.error.code === PARAMS) assert.match(rpc.error.message, /amount/);
    });
  }
  for (const amount of [
    "NaN",
    "Infinity",
    "-Infinity",
    "+1",
    "01",
    ".5",
    "1.",
    "0x10",
    "1e",
    "1e+",
    "--1",
    "1_000",
    "٣",
  ]) {
    refused(`not a JSON number: ${amount}`, transfer(amount), PARSE);
  }
  for (const [amount, allowed] of [
    ["1000", true],
    ["1e3", true],
    ["1000.0", true],
    ["10E+2", true],
    ["1000.5", false],
    ["1001", false],
    ["1e4", false],
    ["0", false],
    ["-0", false],
    ["-5", false],
    ['"5"', false],
    ["null", false],
    ["[5]", false],
  ]) {
    test(`${amount} is ${allowed ? "within" : "not within"} 1..1000`, async () => {
      const before = world.upstream.calls().length;
      const rpc = rpcOf(await world.session.post(transfer(amount).replace("@", "")));
      const went = world.upstream.calls().length - before;
      assert.equal(went, allowed ? 1 : 0, JSON.stringify(rpc));
      if (!allowed) assert.ok(rpc.error || rpc.result.isError);
    });
  }
  test("what is forwarded is the number as it was written", async () => {
    for (const literal of ["1.50", "1E2", "9007199254740993", "-0.0", "0.10000000000000000001"]) {
      await world.session.post(echo(`{"value":${literal}}`).replace("@", ""));
      const raw = world.upstream.log().at(-1).raw;
      assert.ok(new RegExp(`"value":${literal.replace(/[.+]/g, "\\$&")}[},]`).test(raw), `${literal} in ${raw}`);
    }
  });
});

describe("row 17: deep and large", () => {
  const nest = (n, open = "[", close = "]") => open.repeat(n) + close.repeat(n);
  refused("65 arrays", echo(`{"value":${nest(65)}}`), INVALID);
  refused("65 objects", echo(`{"value":${'{"a":'.repeat(65)}1${"}".repeat(65)}}`), INVALID);
  refused("5000 arrays", echo(`{"value":${nest(5000)}}`), INVALID);
  test("20,000 opening brackets and nothing else", async () => {
    const got = await notForwarded("brackets", () => world.session.post("[".repeat(20_000)));
    assert.equal(got.status, 400);
  });
  test("40 arrays are fine", async () => {
    assert.equal(
      rpcOf(await world.session.post(echo(`{"value":${nest(40)}}`).replace("@", ""))).result.isError ?? false,
      false,
    );
  });
  for (const over of [1, 1000]) {
    test(`a body ${over} bytes over the limit`, async () => {
      const frame = echo('{"text":""}').replace("@", "");
      const body = frame.replace('""', `"${"x".repeat(BODY_LIMIT - frame.length + over)}"`);
      const got = await notForwarded("large", () => world.session.post(body));
      assert.equal(got.status, 413);
    });
  }
  test("a body at the limit", async () => {
    const frame = echo('{"text":""}').replace("@", "");
    const body = frame.replace('""', `"${"x".repeat(BODY_LIMIT - frame.length)}"`);
    assert.equal(body.length, BODY_LIMIT);
    assert.equal((await world.session.post(body)).status, 200);
  });
  test("a length that lies: refused from the header, before the body is read", async () => {
    const got = await request(world.gateway.port, {
      headers: [
        ...decent(world.gateway.port, world.token, { "Mcp-Session-Id": world.session.sid }),
        ["Content-Length", "99999999999"],
      ],
      length: false,
      body: "{",
    });
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
    assert.equal((await world.session.post(`\r\n\t ${one.replace("@", "")} \n`)).status, 200);
  });
});
