// SPDX-License-Identifier: Apache-2.0
// A server that misbehaves: the client hears one clear error of the gateway's own, never
// the server's bytes, never another call's answer, and the next call works.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { call, compile, connect, openLegacy, rpcOf, startFixture, startGateway, toolNames } from "./lib.mjs";
import { openPolicy, principals } from "./policies.mjs";

const INTERNAL = -32603;
const TIMEOUT_MS = 700;
const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
const tokens = {};
let gateway, upstream, session, lan;

before(async () => {
  upstream = await startFixture(scope, "raw_http", ["--huge", String(4 * 1024 * 1024)]);
  const at = (path) => ({ url: new URL(path, upstream.url).href, era: "legacy" });
  gateway = await startGateway(scope, {
    principals,
    limits: { upstream_timeout_ms: TIMEOUT_MS, max_result_bytes: 262144, max_tools: 64 },
    servers: {
      raw: at("/mcp"),
      pages: at("/pages"),
      loop: at("/loop"),
      down: at("/down"),
      auto: { url: upstream.url },
      nobody: { url: "http://127.0.0.1:1/mcp", era: "legacy" },
    },
  });
  for (const alias of ["raw", "pages", "loop", "down", "auto", "nobody"]) {
    const policy = await compile(gateway.dir, `open-${alias}`, openPolicy(alias));
    ({ token: tokens[alias] } = await gateway.grant({ servers: alias, policy }));
  }
  session = await openLegacy(gateway.port, "raw", tokens.raw);
  lan = (alias) => openLegacy(gateway.port, alias, tokens[alias]);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

/** Nothing that only the server could have said may reach the client. */
function assertOwnError(got) {
  const rpc = rpcOf(got);
  assert.ok(rpc?.error, `an error: ${got.status} ${got.body}`);
  assert.equal(rpc.error.code, INTERNAL, got.body);
  assert.equal(rpc.id, 42);
  assert.ok(rpc.error.message.length > 10, "a message that a person can read");
  for (const leak of ["WRONG", "SECOND", "UPSTREAM", "secret"])
    assert.ok(!got.bytes.includes(leak), `${leak} leaked: ${got.body}`);
  assert.equal(got.headers["www-authenticate"], undefined);
}

const ask = (tool, s = session) =>
  s.post(`{"jsonrpc":"2.0","id":42,"method":"tools/call","params":{"name":"${tool}","arguments":{}}}`);

async function stillWorks() {
  const rpc = rpcOf(await ask("good"));
  assert.equal(rpc.result?.content?.[0]?.text, "good", JSON.stringify(rpc));
}

describe("answers that are no answer", () => {
  const faults = {
    wrong_id: "S9, row 22: another request's id",
    retyped_id: "S9: the id in another type",
    no_id: "a response without an id",
    bad_json: "JSON that is cut short",
    twice_key: "R2 on the way back: a key twice",
    bad_utf8: "row 4 on the way back: bytes that are not UTF-8",
    array: "row 24: an array",
    html: "row 24: another media type",
    accepted: "row 24: 202 to a request",
    empty: "an empty body",
    cut: "a connection cut in the middle",
    huge: "a body over the limit",
    hang: "no answer within the time limit",
    redirect: "row 26: a redirect",
    broken: "a 500 with a body",
    no_final_line: "row 23: an event without its blank line",
  };
  for (const [tool, name] of Object.entries(faults)) {
    test(name, async () => {
      const began = Date.now();
      assertOwnError(await ask(tool));
      if (tool === "hang") assert.ok(Date.now() - began < TIMEOUT_MS + 3000, "within the limit");
      await stillWorks();
    });
  }
  test("row 30: a challenge becomes a result that names the command, nothing of it is relayed", async () => {
    const got = await ask("unauthorized");
    const { result } = rpcOf(got);
    assert.equal(result.isError, true);
    assert.match(result.content[0].text, /mcpd connect raw/);
    assert.ok(!got.bytes.includes("UPSTREAM") && got.headers["www-authenticate"] === undefined, got.body);
    await stillWorks();
  });
  test("row 26: nothing was sent to where the redirect pointed", () => {
    assert.ok(!upstream.log().some((e) => e.url === "/other"));
  });
});

describe("answers that are odd but right", () => {
  for (const [tool, text, name] of [
    ["split_event", "joined", "row 23: data over several lines, CRLF, a comment, an id"],
    ["two_answers", "first", "S9, row 22: the first of two answers counts"],
    ["foreign_first", "right", "row 22: an answer for somebody else comes first"],
    ["asks_back", "right", "row 22: the server asks the client something"],
    ["other_event", "right", "row 23: an event of another name is none"],
  ]) {
    test(name, async () => {
      const got = await ask(tool);
      const rpc = rpcOf(got);
      assert.equal(rpc.id, 42);
      if (rpc.error) {
        assertOwnError(got); /* refusing the whole stream is strict, and allowed */
      } else {
        assert.equal(rpc.result.content[0].text, text, got.body);
      }
      for (const leak of ["WRONG", "SECOND", "sampling"]) assert.ok(!got.body.includes(leak), `${leak}: ${got.body}`);
      await stillWorks();
    });
  }
  test("data over several lines must be read", async () => {
    assert.equal(rpcOf(await ask("split_event")).result?.content[0].text, "joined");
  });
  test("row 30: cookies, session ids and odd headers of the server stay there", async () => {
    const got = await ask("leaky");
    assert.equal(rpcOf(got).result.content[0].text, "leaky");
    assert.equal(got.headers["set-cookie"], undefined);
    assert.equal(got.headers["x-upstream"], undefined);
    assert.ok(!got.bytes.includes("UPSTREAM-SESSION"));
  });
  test("the server's own JSON-RPC error reaches the client as an error", async () => {
    const rpc = rpcOf(await ask("error"));
    assert.equal(rpc.id, 42);
    assert.ok(rpc.error);
  });
});

describe("the server's life", () => {
  test("S1: a session that the server forgot (404) is made anew, and the client sees nothing of it", async () => {
    const rpc = rpcOf(await ask("gone_once"));
    if (rpc.error) {
      /* A call that may have started is not sent twice by itself: then the next one works. */
      assert.equal(rpc.error.code, INTERNAL);
      assert.equal(rpcOf(await ask("gone_once")).result.content[0].text, "after a new session");
    } else {
      assert.equal(rpc.result.content[0].text, "after a new session");
    }
    await stillWorks();
  });
  test("all pages of the list arrive as one", async (t) => {
    const client = await connect(t, "v1", gateway.url("pages"), tokens.pages);
    const all = await connect(t, "v1", gateway.url("raw"), tokens.raw);
    assert.deepEqual(await toolNames(client), await toolNames(all));
  });
  test("a list whose cursor never ends is refused, not followed for ever", async () => {
    const s = await lan("loop");
    const rpc = await s.rpc("tools/list", {});
    assert.equal(rpc.error?.code, INTERNAL, JSON.stringify(rpc).slice(0, 300));
    assert.ok(upstream.log().filter((e) => e.url === "/loop").length < 200);
  });
  test("a server that is down, one that is not there: an error each, in time", async () => {
    for (const alias of ["down", "nobody"]) {
      const s = await lan(alias);
      const rpc = await s.rpc("tools/call", { name: "good", arguments: {} });
      assert.equal(rpc.error?.code, INTERNAL, `${alias}: ${JSON.stringify(rpc)}`);
      assert.ok(!JSON.stringify(rpc).includes("UPSTREAM-BODY"));
    }
    await stillWorks();
  });
  test("S2: one server down does not touch the list of another", async (t) => {
    const client = await connect(t, "v1", gateway.url("raw"), tokens.raw);
    assert.ok((await toolNames(client)).length > 10);
  });
  test("the era is found out, and found out again after it was remembered", async (t) => {
    const client = await connect(t, "v2 modern", gateway.url("auto"), tokens.auto);
    assert.equal((await call(client, "good")).text, "good");
    const probes = upstream.log().filter((e) => e.message?.method === "server/discover").length;
    assert.equal((await call(client, "good")).text, "good");
    assert.equal(
      upstream.log().filter((e) => e.message?.method === "server/discover").length,
      probes,
      "no second probe",
    );
  });
  test("a denied call never touches a server that hangs", async () => {
    const began = Date.now();
    const rpc = rpcOf(await ask("forbidden"));
    assert.equal(rpc.result.isError, true);
    assert.match(rpc.result.content[0].text, /never this one/);
    assert.ok(Date.now() - began < TIMEOUT_MS);
  });
  test("a client that hangs up leaves the gateway well", async () => {
    await assert.rejects(
      session.post(
        '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"hang","arguments":{}}}',
        {},
        { ms: 100 },
      ),
    );
    await stillWorks();
  });
  test("50 calls at once, each with its own answer", async () => {
    const ids = Array.from({ length: 50 }, (_, i) => 1000 + i);
    const answers = await Promise.all(
      ids.map((id) =>
        session.post(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":{"name":"good","arguments":{}}}`),
      ),
    );
    answers.forEach((got, i) => {
      assert.equal(rpcOf(got).id, ids[i]);
      assert.equal(rpcOf(got).result?.content[0].text, "good", got.body);
    });
  });
});
