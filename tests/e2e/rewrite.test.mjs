// SPDX-License-Identifier: Apache-2.0
// Rewrites on the wire: the server gets what the policy set and otherwise the client's own bytes, in
// both eras; what can't be set is not forwarded; the audit log names the places, never the values.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, before, describe, test } from "node:test";
import { ENVELOPE, compile, modern, openLegacy, rpcOf, startGateway } from "./lib.mjs";
import { principals } from "./policies.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
after(async () => {
  for (const fn of cleanups) await fn();
});

/** A server of 2025-11-25 that keeps the bodies of tools/call as they came. */
function keeper(t) {
  const bodies = [];
  const server = createServer((req, res) => {
    const parts = [];
    req.on("data", (part) => parts.push(part));
    req.on("end", () => {
      const body = Buffer.concat(parts).toString();
      const message = req.method === "POST" ? JSON.parse(body) : {};
      if (message.id === undefined) return void res.writeHead(202).end();
      if (message.method === "tools/call") bodies.push(body);
      const result =
        message.method === "initialize"
          ? { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "keeper", version: "1" } }
          : { content: [{ type: "text", text: "kept" }] };
      const refused = message.method === "server/discover";
      const answer = refused ? { error: { code: -32601, message: "no such method" } } : { result };
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...answer }));
    });
  });
  t.after(() => server.close());
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done({ bodies, url: `http://127.0.0.1:${server.address().port}/mcp` }));
  });
}

const policy = `policy "rewrite-e2e" version 1;
server "s";
allow tool "search" set args.perPage = min(args.perPage ?? 30, 50), args.filter.state = "open";
deny tool "search" when (args.filter.state ?? "") == "open" and (args.query ?? "") == "secret" reason "not the open ones";
allow tool "clash" set args.a = 1;
allow tool "clash" set args.a = args.b;
allow tool "add" set args.n = args.n + 1;
`;

let upstream, gateway, token, session;
before(async () => {
  upstream = await keeper(scope);
  gateway = await startGateway(scope, { principals, servers: { s: { url: upstream.url } } });
  const bundle = await compile(gateway.dir, "rewrite", policy);
  ({ token } = await gateway.grant({ servers: "s", policy: bundle }));
  session = await openLegacy(gateway.port, "s", token);
});

const eras = {
  legacy: (name, args) =>
    session.post(`{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"${name}","arguments":${args}}}`),
  modern: (name, args) =>
    modern(gateway.port, "s", token, {
      params: { name },
      body: `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"${name}","arguments":${args},"_meta":${JSON.stringify(ENVELOPE)}}}`,
    }),
};

for (const [era, send] of Object.entries(eras)) {
  describe(`rewrites (${era})`, () => {
    test("the server gets the value that the policy set, and every other byte as it was", async () => {
      const args = '{ "query" : "a\\u0062\\/", "big":12345678901234567890, "d":1.50E+2 , "filter":{ "x" : [ ] }, "perPage":1e2}';
      const got = rpcOf(await send("search", args));
      assert.equal(got.result.content[0].text, "kept", JSON.stringify(got));
      assert.ok(
        upstream.bodies
          .at(-1)
          .includes(
            '"arguments":{ "query" : "a\\u0062\\/", "big":12345678901234567890, "d":1.50E+2 , "filter":{ "x" : [ ] ,"state":"open"}, "perPage":50}',
          ),
        upstream.bodies.at(-1),
      );
      const line = gateway.audit().at(-1);
      assert.equal(line.verdict, "allow");
      assert.deepEqual(line.set, ["filter.state", "perPage"]);
      assert.ok(!JSON.stringify(line).includes("open"), "places, not values");
    });

    test("what is there already is not touched", async () => {
      const args = '{"perPage":20,"filter":{"state":"\\u006fpen"}}';
      await send("search", args);
      assert.ok(upstream.bodies.at(-1).includes(`"arguments":${args}`), upstream.bodies.at(-1));
      assert.equal(gateway.audit().at(-1).set, undefined);
    });

    test("what can't be set, or is denied once it is, does not reach the server", async () => {
      const before = upstream.bodies.length;
      const cases = [
        ["search", "{}", "unknown_rewrite", /changes argument .*filter\.state/],
        ["search", '{"filter":{},"perPage":"x"}', "unknown_rewrite", /perPage/],
        ["search", '{"filter":{},"query":"secret"}', "rule", /not the open ones/],
        ["clash", '{"b":2}', "conflicting_rewrite", /two values/],
        ["add", '{"n":1}', "unstable_rewrite", /change again/],
      ];
      for (const [name, args, cause, says] of cases) {
        const got = rpcOf(await send(name, args));
        assert.equal(got.result.isError, true, `${name} ${args}`);
        assert.equal(got.result._meta["mcpd/decision"].cause, cause, `${name} ${args}`);
        assert.match(got.result.content[0].text, says);
      }
      assert.equal(upstream.bodies.length, before);
      const line = gateway.audit().find((l) => l.cause === "rule" && l.verdict === "deny");
      assert.deepEqual(line.set, ["filter.state", "perPage"], "a deny of the rewritten call says what was judged");
    });

    test("two values that agree are one", async () => {
      await send("clash", '{"b":1}');
      assert.equal(upstream.bodies.at(-1).includes('"arguments":{"b":1,"a":1}'), true);
    });
  });
}
