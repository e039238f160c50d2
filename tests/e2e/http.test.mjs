// SPDX-License-Identifier: Apache-2.0
// The listener: framing that could be read in two ways is refused (row 25), a page in
// somebody's browser gets nothing (S6, row 27), and every status is the documented one.
import assert from "node:assert/strict";
import net from "node:net";
import { after, before, describe, test } from "node:test";
import { CALL, framing } from "./framing.mjs";
import {
  compile,
  connect,
  decent,
  modern,
  openLegacy,
  request,
  rpcOf,
  startFixture,
  startGateway,
  toolNames,
} from "./lib.mjs";
import { devTools, principals, webPolicy, webTools } from "./policies.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
let gateway, upstream, token, other, session;

before(async () => {
  upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  gateway = await startGateway(scope, {
    principals,
    allowed_hosts: ["gateway.test:8330"],
    allowed_origins: ["https://console.test"],
    servers: { web: { url: upstream.url } },
  });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  ({ token } = await gateway.grant({ servers: "web", policy }));
  ({ token: other } = await gateway.grant({ servers: "web", policy, principal: "ci-robot" }));
  session = await openLegacy(gateway.port, "web", token);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

const good = (change = {}) =>
  decent(gateway.port, token, { "Mcp-Session-Id": session.sid, "MCP-Protocol-Version": "2025-11-25", ...change });

async function notForwarded(act) {
  const before = upstream.calls().length;
  const got = await act();
  assert.equal(upstream.calls().length, before, "a call reached the server");
  return got;
}

describe("row 25: framing", () => framing(() => ({ port: gateway.port, token, session, upstream })));

describe("S6, row 27: a page in a browser, a name that was rebound", () => {
  for (const host of [
    "evil.test",
    "evil.test:80",
    "127.0.0.1.evil.test",
    "localhost.evil.test",
    "localhost",
    "0.0.0.0",
    "127.0.0.1",
    "127.0.0.2",
    "127.0.0.1:1",
    "[::1]",
    "gateway.test",
    "x@127.0.0.1",
    "",
  ]) {
    test(`Host "${host}"`, async () => {
      const got = await notForwarded(() => request(gateway.port, { headers: good({ Host: host }), body: CALL }));
      assert.ok([400, 403].includes(got.status), `${got.status}`);
    });
  }
  for (const host of ["127.0.0.1", "localhost", "[::1]", "LOCALHOST"]) {
    test(`Host ${host}:PORT is the gateway`, async () => {
      assert.equal(
        (await request(gateway.port, { headers: good({ Host: `${host}:${gateway.port}` }), body: CALL })).status,
        200,
      );
    });
  }
  test("a Host that the operator listed", async () => {
    assert.equal(
      (await request(gateway.port, { headers: good({ Host: "gateway.test:8330" }), body: CALL })).status,
      200,
    );
  });
  for (const origin of [
    "https://evil.test",
    "null",
    "http://localhost",
    "http://127.0.0.1",
    "https://console.test.evil.test",
    "http://console.test",
    "https://console.test:444",
    "file://",
    "",
  ]) {
    test(`Origin "${origin}"`, async () => {
      const got = await notForwarded(() => request(gateway.port, { headers: good({ Origin: origin }), body: CALL }));
      assert.equal(got.status, 403);
      assert.equal(got.headers["access-control-allow-origin"], undefined);
    });
  }
  test("the gateway's own address is no allowed Origin either", async () => {
    assert.equal(
      (await notForwarded(() => request(gateway.port, { headers: good({ Origin: gateway.base }), body: CALL }))).status,
      403,
    );
  });
  test("an Origin that the operator listed", async () => {
    const got = await request(gateway.port, { headers: good({ Origin: "https://console.test" }), body: CALL });
    assert.equal(got.status, 200);
  });
  test("two Origins", async () => {
    const headers = [...good({ Origin: "https://console.test" }), ["Origin", "https://evil.test"]];
    assert.ok([400, 403].includes((await notForwarded(() => request(gateway.port, { headers, body: CALL }))).status));
  });
  test("a preflight gets no permission", async () => {
    const headers = [
      ["Host", `127.0.0.1:${gateway.port}`],
      ["Origin", "https://evil.test"],
      ["Access-Control-Request-Method", "POST"],
      ["Access-Control-Request-Headers", "authorization"],
    ];
    const got = await request(gateway.port, { method: "OPTIONS", headers, length: false });
    assert.ok(got.status >= 400, `${got.status}`);
    assert.ok(!Object.keys(got.headers).some((name) => name.startsWith("access-control-")));
  });
  test("the form that a page could send without a preflight", async () => {
    const got = await notForwarded(() =>
      request(gateway.port, { headers: good({ "Content-Type": "text/plain" }), body: CALL }),
    );
    assert.equal(got.status, 415);
  });
});

describe("statuses of the endpoint", () => {
  const ask = (options) => notForwarded(() => request(gateway.port, { headers: good(), ...options }));
  test("405 for PUT, PATCH; GET is of a session", async () => {
    for (const [method, status] of [
      ["GET", 400],
      ["PUT", 405],
      ["PATCH", 405],
    ]) {
      const got = await ask({ method, headers: good({ "Mcp-Session-Id": undefined }), length: false });
      assert.equal(got.status, status, method);
    }
  });
  test("every /.well-known/ path is 404 with no body", async () => {
    for (const path of [
      "/.well-known/oauth-protected-resource",
      "/.well-known/oauth-protected-resource/mcp/web",
      "/.well-known/oauth-authorization-server",
      "/.well-known/openid-configuration",
    ]) {
      for (const headers of [good(), [["Host", `127.0.0.1:${gateway.port}`]]]) {
        const got = await ask({ method: "GET", path, headers, length: false });
        assert.equal(got.status, 404, path);
        assert.equal(got.body, "", path);
      }
    }
  });
  test("406 when the client does not take both kinds of answer", async () => {
    for (const accept of ["application/json", "text/event-stream", "text/html", "*/json", undefined]) {
      assert.equal((await ask({ headers: good({ Accept: accept }), body: CALL })).status, 406, String(accept));
    }
  });
  test("Accept with parameters and in another order", async () => {
    const got = await request(gateway.port, {
      headers: good({ Accept: "text/event-stream;q=0.5, application/json" }),
      body: CALL,
    });
    assert.equal(got.status, 200);
  });
  test("no session id: 400; one that nobody has: 404; one of another grant: 404", async () => {
    const without = await ask({ headers: good({ "Mcp-Session-Id": undefined }), body: CALL });
    assert.equal(without.status, 400);
    for (const sid of [
      "x",
      "00000000-0000-0000-0000-000000000000",
      `${session.sid}x`,
      session.sid.toUpperCase() + "A",
    ]) {
      assert.equal((await ask({ headers: good({ "Mcp-Session-Id": sid }), body: CALL })).status, 404, sid);
    }
    const foreign = await ask({ headers: good({ Authorization: `Bearer ${other}` }), body: CALL });
    assert.equal(foreign.status, 404, "a session is good with its own grant only");
  });
  test("a version that is not spoken: 400", async () => {
    for (const version of ["2031-01-01", "1", "", "2025-11-25 "]) {
      const got = await request(gateway.port, { headers: good({ "MCP-Protocol-Version": version }), body: CALL });
      if (version.trim() === "2025-11-25") continue; /* white space around a value is no part of it */
      assert.equal(got.status, 400, version);
    }
  });
  test("DELETE ends the session: 204, then 404", async () => {
    const mine = await openLegacy(gateway.port, "web", token);
    const headers = good({ "Mcp-Session-Id": mine.sid });
    const foreign = good({ "Mcp-Session-Id": mine.sid, Authorization: `Bearer ${other}` });
    assert.equal(
      (await ask({ method: "DELETE", headers: foreign, length: false })).status,
      404,
      "another's session can't be ended",
    );
    assert.equal((await mine.post(CALL)).status, 200);
    assert.equal((await ask({ method: "DELETE", headers, length: false })).status, 204);
    assert.equal((await ask({ headers, body: CALL })).status, 404);
    assert.equal((await ask({ method: "DELETE", headers, length: false })).status, 404);
  });
  test("DELETE in the revision without sessions: 405", async () => {
    const headers = good({ "MCP-Protocol-Version": "2026-07-28" });
    assert.equal((await ask({ method: "DELETE", headers, length: false })).status, 405);
  });
  test("session ids are long, printable, different", async () => {
    const ids = new Set();
    for (let i = 0; i < 5; i++) ids.add((await openLegacy(gateway.port, "web", token)).sid);
    assert.equal(ids.size, 5);
    for (const id of ids) assert.match(id, /^[\x21-\x7e]{16,}$/);
  });
  test("methods that are not offered: -32601, in-band for legacy, 404 for modern", async () => {
    for (const method of [
      "roots/list",
      "sampling/createMessage",
      "elicitation/create",
      "tasks/result",
      "nonsense",
      "tools/Call",
    ]) {
      const got = await ask({ body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: {} }) });
      assert.equal(got.status, 200, method);
      assert.equal(rpcOf(got).error.code, -32601, method);
      const now = await notForwarded(() => modern(gateway.port, "web", token, { method }));
      assert.equal(now.status, 404, method);
      assert.equal(rpcOf(now).error.code, -32601, method);
    }
  });
  test("server/discover offers tools and nothing else, and is the gateway's own", async () => {
    const got = await modern(gateway.port, "web", token, { method: "server/discover" });
    assert.equal(got.status, 200, got.body);
    const { result } = rpcOf(got);
    assert.ok(result.supportedVersions.includes("2026-07-28"));
    assert.deepEqual(Object.keys(result.capabilities), ["tools"]);
    assert.equal(result.resultType, "complete");
    assert.equal(result.cacheScope, "private");
  });
  test("tools/list in the modern era is private to the grant", async () => {
    const { result } = rpcOf(await modern(gateway.port, "web", token, { method: "tools/list" }));
    assert.deepEqual(result.tools.map((x) => x.name).sort(), devTools);
    assert.equal(result.cacheScope, "private");
    assert.equal(result.resultType, "complete");
    assert.equal(result.nextCursor, undefined);
  });
  test("initialize answers an old version with itself, an unknown one with the newest", async () => {
    for (const [asked, given] of [
      ["2024-10-07", "2024-10-07"],
      ["2024-11-05", "2024-11-05"],
      ["2025-03-26", "2025-03-26"],
      ["2025-06-18", "2025-06-18"],
      ["2025-11-25", "2025-11-25"],
      ["1999-01-01", "2025-11-25"],
    ]) {
      const body = JSON.stringify({
        jsonrpc: "2.0",
        id: 0,
        method: "initialize",
        params: { protocolVersion: asked, capabilities: {}, clientInfo: { name: "x", version: "1" } },
      });
      const got = await request(gateway.port, { headers: decent(gateway.port, token), body });
      assert.equal(got.status, 200, got.body);
      const { result } = rpcOf(got);
      assert.equal(result.protocolVersion, given);
      assert.deepEqual(Object.keys(result.capabilities), ["tools"]);
    }
  });
  test("ping is answered by the gateway", async () => {
    assert.deepEqual(await session.rpc("ping"), { jsonrpc: "2.0", id: 1, result: {} });
  });
  test("no answer leaks what the gateway is built on", async () => {
    const got = await request(gateway.port, { headers: good(), body: CALL });
    for (const name of ["server", "x-powered-by", "set-cookie", "access-control-allow-origin"])
      assert.equal(got.headers[name], undefined, name);
  });
  test("200 idle connections do not keep a client out", async (t) => {
    const sockets = Array.from({ length: 200 }, () => net.connect(gateway.port, "127.0.0.1").on("error", () => {}));
    t.after(() => sockets.forEach((s) => s.destroy()));
    const client = await connect(t, "v2 auto", gateway.url("web"), token);
    assert.deepEqual(await toolNames(client), devTools);
  });
});
