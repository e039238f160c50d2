// SPDX-License-Identifier: Apache-2.0
// What changes while the gateway runs: policies flip under load and every answer is one policy's, a bad
// configuration or bundle changes nothing and says where it is wrong, SIGTERM lets calls in flight end.
import assert from "node:assert/strict";
import { copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import net from "node:net";
import { join } from "node:path";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { alive, compile, decent, modern, openLegacy, request, rpcOf, startFixture, startGateway, until } from "./lib.mjs";
import { principals, webPolicy, webTools } from "./policies.mjs";

const FLIPS = 100;
const FLIP_MS = 40; // between two flips, so that several calls and lists fall into each

/** A server whose list has four pages, some time apart, and whose tools say what arguments came. */
function pagedServer(t) {
  const names = ["a_one", "b_one", "a_two", "b_two"];
  const answer = ({ method, params }) => {
    if (method === "initialize")
      return { protocolVersion: "2025-11-25", capabilities: { tools: {} }, serverInfo: { name: "paged", version: "1" } };
    if (method === "tools/call") return { content: [{ type: "text", text: JSON.stringify(params) }] };
    const at = Number(params?.cursor ?? 0);
    const more = at + 1 < names.length ? { nextCursor: String(at + 1) } : {};
    return { tools: [{ name: names[at], inputSchema: { type: "object" } }], ...more };
  };
  const server = createServer((req, res) => {
    const parts = [];
    req.on("data", (part) => parts.push(part));
    req.on("end", async () => {
      const message = req.method === "POST" ? JSON.parse(Buffer.concat(parts).toString()) : {};
      if (message.id === undefined) return void res.writeHead(202).end();
      if (message.method === "tools/list") await sleep(8);
      const refused = message.method === "server/discover";
      const said = refused ? { error: { code: -32601, message: "no such method" } } : { result: answer(message) };
      res.writeHead(200, { "content-type": "application/json" });
      res.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, ...said }));
    });
  });
  t.after(() => server.close());
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done(`http://127.0.0.1:${server.address().port}/mcp`));
  });
}

/** Policy "a" or "b": its own tools are listed, what it sets has its name, what it denies its reason. */
const half = (name) => `policy "flip" version 1;
server "s";
default deny;
allow tool "${name}_*";
allow tool "both" set args.first = "${name}", args.second = "${name}";
deny tool "neither" reason "${name} says no";
deny tool "neither" reason "and ${name} means it";
`;

function put(from, to) {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

describe("a policy that changes while calls go on", () => {
  test(`${FLIPS} flips: no request is lost, each answer is exactly one policy's`, async (t) => {
    const gateway = await startGateway(t, { principals, servers: { s: { url: await pagedServer(t) } } });
    const bundles = [await compile(gateway.dir, "a", half("a")), await compile(gateway.dir, "b", half("b"))];
    const live = join(gateway.dir, "live.polb");
    put(bundles[0], live);
    const { token } = await gateway.grant({ servers: "s", policy: live });
    const session = await openLegacy(gateway.port, "s", token);
    const seen = { calls: new Set(), lists: new Set(), denials: new Set() };
    let isOver = false;
    let count = 0;
    const one = {
      calls: async () => {
        const got = await session.rpc("tools/call", { name: "both", arguments: { x: 1 } });
        const sent = JSON.parse(got.result.content[0].text).arguments;
        assert.equal(sent.first, sent.second, JSON.stringify(sent));
        return sent.first;
      },
      denials: async () => {
        const got = await session.rpc("tools/call", { name: "neither", arguments: {} });
        const { reason } = got.result._meta["mcpd/decision"];
        assert.equal(got.result.isError, true);
        assert.match(reason, /^[ab] says no|^and [ab] means it/);
        assert.ok(got.result.content[0].text.includes(reason));
        return /\b[ab]\b/.exec(reason)[0];
      },
      lists: async () => {
        const got = await session.rpc("tools/list", {});
        const names = got.result.tools.map((tool) => tool.name).join(" ");
        assert.ok(["a_one a_two", "b_one b_two"].includes(names.replaceAll(/ ?both/g, "")), names);
        return names[0];
      },
    };
    const caller = async (kind) => {
      while (!isOver) {
        seen[kind].add(await one[kind]());
        count++;
      }
    };
    const callers = Object.keys(one).flatMap((kind) => [caller(kind), caller(kind)]);
    const flips = (async () => {
      for (let i = 1; i <= FLIPS; i++) {
        put(bundles[i % 2], live);
        gateway.proc.child.kill("SIGHUP");
        await sleep(FLIP_MS);
      }
      isOver = true;
    })();
    await Promise.all([...callers, flips]);
    for (const [kind, names] of Object.entries(seen)) assert.deepEqual([...names].sort(), ["a", "b"], kind);
    assert.ok(count > FLIPS, `${count} requests`);
    const loaded = gateway.proc.stderr.match(/policy loaded/g).length;
    assert.ok(loaded > FLIPS / 4, `${loaded} loads`);
  });

  test("without a signal: noticed with the next requests", async (t) => {
    const gateway = await startGateway(t, { principals, servers: { s: { url: await pagedServer(t) } } });
    const bundles = [await compile(gateway.dir, "a", half("a")), await compile(gateway.dir, "b", half("b"))];
    const live = join(gateway.dir, "live.polb");
    put(bundles[0], live);
    const { token } = await gateway.grant({ servers: "s", policy: live });
    const ask = async () => {
      const got = rpcOf(await modern(gateway.port, "s", token, { params: { name: "both", arguments: {} } }));
      return JSON.parse(got.result.content[0].text).arguments.first;
    };
    assert.equal(await ask(), "a");
    put(bundles[1], live);
    await until("the new one", async () => (await ask()) === "b");
  });

  test("a bundle that can't be loaded: the one before stays, and the log says why", async (t) => {
    const gateway = await startGateway(t, { principals, servers: { s: { url: await pagedServer(t) } } });
    const bundle = await compile(gateway.dir, "a", half("a"));
    const live = join(gateway.dir, "live.polb");
    put(bundle, live);
    const { token } = await gateway.grant({ servers: "s", policy: live });
    const ask = () => modern(gateway.port, "s", token, { params: { name: "both", arguments: {} } });
    assert.equal((await ask()).status, 200);
    const bytes = readFileSync(bundle);
    for (const bad of [Buffer.alloc(0), bytes.subarray(0, bytes.length / 2), Buffer.from("no bundle")]) {
      const before = (gateway.proc.stderr.match(/policy not loaded/g) ?? []).length;
      writeFileSync(`${live}.new`, bad);
      renameSync(`${live}.new`, live);
      gateway.proc.child.kill("SIGHUP");
      await until(
        "the log says so",
        () => (gateway.proc.stderr.match(/policy not loaded .* kept=the one before/g) ?? []).length > before,
      );
      assert.ok(rpcOf(await ask()).result.content[0].text.includes('"first":"a"'));
    }
  });
});

describe("a configuration that changes", () => {
  async function setUp(t) {
    const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
    const gateway = await startGateway(t, { principals, servers: { web: { url: upstream.url } } });
    const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
    const { token } = await gateway.grant({ servers: "web", policy });
    const text = readFileSync(gateway.config, "utf8");
    const change = (fn) => {
      const config = JSON.parse(text.split("\n").slice(1).join("\n"));
      fn(config);
      writeFileSync(gateway.config, JSON.stringify(config, null, 2));
      gateway.proc.child.kill("SIGHUP");
    };
    const call = (name, args, options = {}) => modern(gateway.port, "web", token, { params: { name, arguments: args }, ...options });
    return { gateway, token, change, call };
  }

  test("groups, principals, hosts and origins are taken from it at SIGHUP", async (t) => {
    const { gateway, change, call } = await setUp(t);
    const remove = () => call("delete_repo", { owner: "acme", repo: "web" });
    assert.equal(rpcOf(await remove()).result.isError, true);
    change((config) => (config.principals["dev-1"].groups = ["admins"]));
    await until("an admin may", async () => rpcOf(await remove()).result.isError !== true);
    change((config) => {
      config.allowed_hosts = ["gateway.test"];
      config.allowed_origins = ["https://console.test"];
    });
    const asked = { change: { Host: "gateway.test", Origin: "https://console.test" } };
    await until("the host is known", async () => (await call("echo", { text: "x" }, asked)).status === 200);
    change((config) => delete config.principals["dev-1"]);
    await until("nobody any more", async () => (await call("echo", { text: "x" })).status === 401);
    change(() => {});
    await until("back again", async () => (await call("echo", { text: "x" })).status === 200);
    assert.doesNotMatch(gateway.proc.stderr, /takes a restart/);
  });

  test("what takes a restart is named, and goes on as it was", async (t) => {
    const { gateway, change, call } = await setUp(t);
    change((config) => {
      config.servers.other = { url: "http://127.0.0.1:9/mcp" };
      config.limits = { max_depth: 5 };
      config.store = "elsewhere.db";
    });
    for (const key of ["servers", "limits", "store"])
      await until(key, () => new RegExp(`takes a restart key=${key}$`, "m").test(gateway.proc.stderr));
    assert.doesNotMatch(gateway.proc.stderr, /restart key=(listen|audit|principals)/);
    assert.equal((await call("echo", { text: "x" })).status, 200);
  });

  test("a wrong one changes nothing; all its mistakes are in the log, with line and key", async (t) => {
    const { gateway, token, call } = await setUp(t);
    writeFileSync(
      gateway.config,
      '{\n  "principals": { "other": { "groups": "x" } },\n  "servers": { "web": { "url": "http://127.0.0.1:9/" } },\n  "limit": {}\n}\n',
    );
    gateway.proc.child.kill("SIGHUP");
    await until("both mistakes", () =>
      /stays why=.*mcpd\.jsonc:2: principals\.other\.groups: must be a list of strings\n[^]*stays why=.*mcpd\.jsonc:4: limit: unknown key, did you mean "limits"\?/.test(
        gateway.proc.stderr,
      ),
    );
    assert.equal((await call("echo", { text: "x" })).status, 200, `the grant of ${token.slice(0, 2)}... still holds`);
    writeFileSync(gateway.config, "{");
    gateway.proc.child.kill("SIGHUP");
    await until("no JSON", () => /stays why=.*mcpd\.jsonc:1: /.test(gateway.proc.stderr));
    assert.equal((await call("echo", { text: "x" })).status, 200);
  });
});

describe("SIGTERM", () => {
  async function setUp(t, limits) {
    const upstream = await startFixture(t, "dual_http", ["--era", "legacy"]);
    const gateway = await startGateway(t, { principals, servers: { web: { url: upstream.url } }, limits });
    const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
    const { token } = await gateway.grant({ servers: "web", policy });
    const slow = (ms) => modern(gateway.port, "web", token, { params: { name: "slow", arguments: { ms } } });
    await slow(1);
    return { gateway, token, slow, upstream };
  }

  test("calls in flight end as they would have, nobody new is let in, then it exits with 0", async (t) => {
    const { gateway, slow, upstream } = await setUp(t, { drain_timeout_ms: 4000 });
    const before = upstream.calls().length;
    const calls = Array.from({ length: 20 }, () => slow(700));
    await until("all are at the server", () => upstream.calls().length === before + 20);
    const start = Date.now();
    gateway.proc.child.kill("SIGTERM");
    await until("no listener", async () => {
      const socket = net.connect(gateway.port, "127.0.0.1");
      const refused = await new Promise((done) => {
        socket.once("error", () => done(true));
        socket.once("connect", () => done(false));
      });
      socket.destroy();
      return refused;
    });
    for (const got of await Promise.all(calls)) {
      assert.equal(got.status, 200);
      assert.equal(rpcOf(got).result.content[0].text, "slept 700 ms");
    }
    assert.equal(await gateway.proc.ended, 0);
    assert.ok(Date.now() - start < 3500, "it does not wait for its limit");
  });

  test("what is still in flight at the limit is cut", async (t) => {
    const { gateway, slow } = await setUp(t, { drain_timeout_ms: 300 });
    const late = slow(20_000).catch((error) => error);
    await sleep(200);
    const start = Date.now();
    gateway.proc.child.kill("SIGTERM");
    assert.equal(await gateway.proc.ended, 0);
    assert.ok(Date.now() - start < 2500, `${Date.now() - start} ms`);
    const got = await late;
    assert.ok(got instanceof Error || got.status === 0 || rpcOf(got).error, JSON.stringify(got));
    assert.ok(!alive(gateway.proc.child.pid));
  });

  test("a client that keeps its connection is told that this answer was the last", async (t) => {
    const { gateway, token } = await setUp(t, { drain_timeout_ms: 4000 });
    const session = await openLegacy(gateway.port, "web", token);
    const headers = decent(gateway.port, token, { "Mcp-Session-Id": session.sid, "MCP-Protocol-Version": "2025-11-25" });
    const body = '{"jsonrpc":"2.0","id":9,"method":"tools/call","params":{"name":"slow","arguments":{"ms":500}}}';
    const last = request(gateway.port, { headers, body });
    await sleep(150);
    gateway.proc.child.kill("SIGTERM");
    const got = await last;
    assert.equal(got.status, 200);
    assert.equal(got.headers.connection, "close");
  });
});
