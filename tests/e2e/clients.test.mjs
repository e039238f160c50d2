// SPDX-License-Identifier: Apache-2.0
// Every SDK client against every kind of upstream, through the gateway: what may be
// seen is listed, what is allowed arrives, what is denied never does, all is on record.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  CLIENTS,
  EVERYTHING,
  FILESYSTEM,
  Gateway,
  MCPC,
  NODE,
  assertDenied,
  call,
  callsIn,
  compile,
  connect,
  fixture,
  freePort,
  jsonLines,
  run,
  scratch,
  start,
  startFixture,
  startGateway,
  stop,
  toolNames,
  until,
} from "./lib.mjs";
import { adminTools, devTools, openPolicy, principals, webPolicy, webSource, webToolsOf } from "./policies.mjs";

const http = [];
for (const era of ["legacy", "modern", "dual"]) {
  for (const answer of ["json", "sse"]) http.push({ alias: `http-${era}-${answer}`, era, answer });
}
const stdio = ["legacy", "modern", "dual", "strict"].map((era) => ({ alias: `stdio-${era}`, era }));

describe("every client, every upstream", () => {
  const cleanups = [];
  const scope = { after: (fn) => cleanups.unshift(fn) };
  const upstream = new Map();
  const grants = new Map();
  let gateway;

  before(async () => {
    const dir = scratch(scope);
    const servers = {};
    for (const { alias, era, answer } of http) {
      const server = await startFixture(scope, "dual_http", ["--era", era, "--answer", answer]);
      upstream.set(alias, { entries: server.log });
      servers[alias] = { url: server.url };
    }
    for (const { alias, era } of stdio) {
      const log = join(dir, `${alias}.log`);
      upstream.set(alias, { entries: () => jsonLines(log) });
      servers[alias] = { command: [NODE, fixture("dual_stdio"), "--era", era, "--log", log], inherit_env: ["PATH"] };
    }
    gateway = new Gateway(dir, { servers, principals });
    scope.after(() => gateway.stop());
    await gateway.start();
    for (const { alias, era } of [...http, ...stdio]) {
      const policy = await compile(dir, `web-${alias}`, webPolicy(alias), webToolsOf(era));
      const dev = await gateway.grant({ principal: "dev-1", servers: alias, policy });
      const admin = await gateway.grant({ principal: "root-1", servers: alias, policy });
      grants.set(alias, { dev, admin });
    }
  });
  after(async () => {
    for (const fn of cleanups) await fn();
  });

  for (const { alias } of [...http, ...stdio]) {
    for (const kind of CLIENTS) {
      test(`${kind} client -> ${alias}`, async (t) => {
        const { dev } = grants.get(alias);
        const up = upstream.get(alias);
        const reached = () => callsIn(up.entries());
        const client = await connect(t, kind, gateway.url(alias), dev.token);
        const mark = `${kind} to ${alias}`;

        assert.deepEqual(await toolNames(client), devTools, "delete_repo is hidden from dev-1");

        const opened = await call(client, "create_issue", { owner: "acme", repo: "web", title: mark });
        assert.equal(opened.text, `opened in acme/web: ${mark}`);
        assert.equal(opened.isError, false);

        const own = await call(client, "fail", {});
        assert.equal(own.isError, true, "a tool's own failure stays the tool's");
        assert.match(own.text, /failed by itself/);
        assert.equal(own.decision, undefined, "and is not dressed up as a denial");

        const before = reached().length;
        assertDenied(await call(client, "create_issue", { owner: "evil", repo: "web", title: mark }), {
          cause: "rule",
          policy: "web-e2e",
          reason: "issues are opened in our repositories",
          source: webSource(alias, 'reason "issues are opened'),
        });
        assertDenied(await call(client, "merge", { owner: "acme", repo: "web", number: 3, method: "rebase" }), {
          cause: "rule",
          reason: "only squash merges",
          source: webSource(alias, 'reason "only squash'),
        });
        assertDenied(await call(client, "delete_repo", { owner: "acme", repo: "web" }), {
          cause: "rule",
          reason: "deletions are for admins",
        });
        assertDenied(await call(client, "no_such_tool", {}), { cause: "unknown_tool" });
        assertDenied(await call(client, "echo", { text: "x", sudo: true }), { cause: "unknown_argument" });
        assert.equal(reached().length, before, "no denied call reached the server");
      });
    }

    test(`audit of ${alias}: one line a decision, keys and no values`, async (t) => {
      const { dev } = grants.get(alias);
      const client = await connect(t, "v1", gateway.url(alias), dev.token);
      const before = gateway.audit().length;
      await call(client, "create_issue", { owner: "acme", repo: "web", title: "MARK-allowed", body: "MARK-body" });
      await call(client, "create_issue", { owner: "MARK-evil", repo: "web", title: "t" });
      const lines = gateway
        .audit()
        .slice(before)
        .filter((l) => l.event === "decision" && l.method === "tools/call");
      assert.equal(lines.length, 2);
      const [yes, no] = lines;
      const common = { principal: "dev-1", grant: dev.id, server: alias, tool: "create_issue", policy: "web-e2e" };
      for (const [key, value] of Object.entries(common)) {
        assert.equal(yes[key], value, key);
        assert.equal(no[key], value, key);
      }
      assert.equal(yes.verdict, "allow");
      assert.deepEqual([...yes.argument_keys].sort(), ["body", "owner", "repo", "title"]);
      assert.equal(no.verdict, "deny");
      assert.equal(no.cause, "rule");
      assert.equal(no.source, webSource(alias, 'reason "issues are opened'));
      assert.match(no.reason, /our repositories/);
      assert.match(no.time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
      assert.match(no.policy_id, /^[0-9a-f]{64}$/);
      assert.ok(!JSON.stringify(lines).includes("MARK-"), "no argument value is written");
    });

    test(`identity on ${alias}: an admin sees and may call what dev-1 may not`, async (t) => {
      const { admin } = grants.get(alias);
      const client = await connect(t, "v2 auto", gateway.url(alias), admin.token);
      assert.deepEqual(await toolNames(client), adminTools);
      assert.equal((await call(client, "delete_repo", { owner: "acme", repo: "old" })).text, "deleted acme/old");
    });
  }
});

/** The server's own definitions of three of its tools, as `mcpc pin` saves them. */
async function pinFiles(dir, root) {
  const file = join(dir, "all.json");
  const out = await run(MCPC, ["pin", "--stdio", "-o", file, "--", NODE, FILESYSTEM, root]);
  assert.equal(out.code, 0, out.stderr);
  const names = ["read_text_file", "list_directory", "write_file"];
  return JSON.parse(readFileSync(file, "utf8")).tools.filter((tool) => names.includes(tool.name));
}
const fsPolicy = (root) => `policy "fs-e2e" version 1;
server "fs" tools "fs-e2e.tools.json";
let root = "${root}";
default deny;
allow tool "read_*", "list_directory";
allow tool "write_file" when args.path starts with "\${root}/" and not (args.path contains "..");
deny tool "write_file" when args.path ends with ".env" reason "settings are not written by tools";
`;

describe("server-filesystem as published, over stdio", () => {
  const cleanups = [];
  const scope = { after: (fn) => cleanups.unshift(fn) };
  let gateway, token, root;

  before(async () => {
    const dir = scratch(scope);
    mkdirSync(join(dir, "files"));
    root = realpathSync(join(dir, "files"));
    writeFileSync(join(root, "hello.txt"), "hello from disk\n");
    gateway = new Gateway(dir, {
      principals,
      servers: { fs: { command: [NODE, FILESYSTEM, root], inherit_env: ["PATH", "HOME"] } },
    });
    scope.after(() => gateway.stop());
    await gateway.start();
    const policy = await compile(dir, "fs-e2e", fsPolicy(root), await pinFiles(dir, root));
    ({ token } = await gateway.grant({ servers: "fs", policy }));
  });
  after(async () => {
    for (const fn of cleanups) await fn();
  });

  for (const kind of CLIENTS) {
    test(`${kind} client -> server-filesystem`, async (t) => {
      const client = await connect(t, kind, gateway.url("fs"), token);
      assert.deepEqual(
        await toolNames(client),
        ["list_directory", "read_text_file", "write_file"],
        "what the snapshot does not know is hidden",
      );
      assert.match((await call(client, "read_text_file", { path: join(root, "hello.txt") })).text, /hello from disk/);
      const file = join(root, `${kind.replace(" ", "-")}.txt`);
      assert.equal((await call(client, "write_file", { path: file, content: "x" })).isError, false);
      assertDenied(await call(client, "write_file", { path: join(root, ".env"), content: "x" }), {
        cause: "rule",
        reason: "settings are not written",
      });
      assertDenied(await call(client, "write_file", { path: "/etc/motd", content: "x" }), { cause: "default" });
      assertDenied(await call(client, "move_file", { source: file, destination: "/tmp/x" }), { cause: "unknown_tool" });
    });
  }
});

test("server-everything as published, over HTTP", async (t) => {
  const port = await freePort();
  const upstream = await start(NODE, [EVERYTHING, "streamableHttp"], { env: { PORT: String(port) }, ready: /./ });
  t.after(() => stop(upstream, "SIGKILL"));
  await until("server-everything listens", () =>
    fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    ),
  );
  const gateway = await startGateway(t, { principals, servers: { every: { url: `http://127.0.0.1:${port}/mcp` } } });
  const policy = await compile(gateway.dir, "open-every", openPolicy("every"));
  const { token } = await gateway.grant({ servers: "every", policy });
  for (const kind of CLIENTS) {
    const client = await connect(t, kind, gateway.url("every"), token);
    assert.ok((await toolNames(client)).includes("echo"), kind);
    assert.match((await call(client, "echo", { message: `by ${kind}` })).text, new RegExp(`by ${kind}`));
    const image = await client.callTool({ name: "get-tiny-image", arguments: {} });
    assert.ok(
      image.content.some((c) => c.type === "image" && c.data.length > 1000),
      "content that is not text arrives too",
    );
    assertDenied(await call(client, "forbidden", {}), { cause: "rule", reason: "never this one" });
  }
});
