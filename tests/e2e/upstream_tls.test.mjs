// SPDX-License-Identifier: Apache-2.0
// Upstreams behind TLS: only who can prove to be the server named in the configuration is spoken to,
// by nothing older than TLS 1.2, and never over a connection that other authorities vouched for.
import assert from "node:assert/strict";
import { chmodSync, writeFileSync } from "node:fs";
import net from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import tls from "node:tls";
import { makeAuthority, makeCertificate } from "./certs.mjs";
import { MCPD, compile, modern, rpcOf, run, scratch, startFixture, startGateway } from "./lib.mjs";
import { principals } from "./policies.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
after(async () => {
  for (const fn of cleanups) await fn();
});

/** TLS in front of a plain port; says how many handshakes were completed. */
function front(t, port, options) {
  const seen = { secured: 0, connections: 0 };
  const server = tls.createServer(options, (client) => {
    seen.secured++;
    const plain = net.connect(port, "127.0.0.1");
    client.pipe(plain).pipe(client);
    for (const socket of [client, plain]) socket.on("error", () => (client.destroy(), plain.destroy()));
  });
  server.on("connection", () => seen.connections++);
  server.on("tlsClientError", () => {});
  t.after(() => server.close());
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => done({ seen, url: `https://localhost:${server.address().port}/mcp` }));
  });
}

let gateway, token, upstream, dir;
const fronts = {};

before(async () => {
  upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  const plain = Number(new URL(upstream.url).port);
  dir = scratch(scope);
  const [ours, theirs] = [await makeAuthority(dir, "ours"), await makeAuthority(dir, "theirs")];
  const made = {
    good: await makeCertificate(dir, "good", ours),
    expired: await makeCertificate(dir, "expired", ours, { days: -1 }),
    elsewhere: await makeCertificate(dir, "elsewhere", ours, { names: "DNS:other.test,IP:127.0.0.2" }),
    foreign: await makeCertificate(dir, "foreign", theirs),
  };
  const of = (name) => ({ cert: made[name].pem, key: made[name].keyPem });
  const old = { ...of("good"), minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "ALL:@SECLEVEL=0" };
  fronts.good = await front(scope, plain, of("good"));
  fronts.tls12 = await front(scope, plain, { ...of("good"), maxVersion: "TLSv1.2" });
  fronts.tls13 = await front(scope, plain, { ...of("good"), minVersion: "TLSv1.3" });
  fronts.expired = await front(scope, plain, of("expired"));
  fronts.elsewhere = await front(scope, plain, of("elsewhere"));
  fronts.foreign = await front(scope, plain, of("foreign"));
  fronts.tls11 = await front(scope, plain, old);
  const servers = Object.fromEntries(
    Object.entries(fronts).map(([name, { url }]) => [name, { url, ca_file: join(dir, "ours.pem"), era: "legacy" }]),
  );
  /* The same place as "good", for those who trust others. */
  servers.unvouched = { url: fronts.good.url, era: "legacy" };
  servers.misvouched = { url: fronts.good.url, ca_file: join(dir, "theirs.pem"), era: "legacy" };
  gateway = await startGateway(scope, { principals, servers });
  const text = `policy "open" version 1;\n${Object.keys(servers)
    .map((name) => `server "${name}";`)
    .join("\n")}\ndefault deny;\nallow tool "*";\n`;
  const policy = await compile(gateway.dir, "open", text);
  ({ token } = await gateway.grant({ servers: Object.keys(servers), policy }));
});

const call = async (server) =>
  rpcOf(await modern(gateway.port, server, token, { params: { name: "echo", arguments: { text: "x" } } }));

describe("servers that prove who they are", () => {
  for (const name of ["good", "tls12", "tls13"]) {
    test(name, async () => {
      assert.equal((await call(name)).result.content[0].text, 'echo {"text":"x"}');
    });
  }
});

describe("servers that don't", () => {
  for (const [name, why] of [
    ["expired", /certificate has expired|SSL peer certificate/],
    ["elsewhere", /SSL: no alternative|SSL peer certificate/],
    ["foreign", /SSL peer certificate|unable to get/],
    ["tls11", /SSL connect error/],
    ["unvouched", /SSL peer certificate/],
    ["misvouched", /SSL peer certificate/],
  ]) {
    test(name, async () => {
      const before = upstream.calls().length;
      await call("good"); // so that a good connection to the same place lies ready
      const got = await call(name);
      assert.equal(got.result, undefined, JSON.stringify(got));
      assert.match(got.error.message, /can't be reached/);
      assert.doesNotMatch(got.error.message, /certificate|SSL|localhost/);
      assert.equal(upstream.calls().length, before + 1, "the good call alone");
      assert.match(gateway.proc.stderr, new RegExp(`server=${name} why=(${why.source})`));
      if (fronts[name] && name !== "good") assert.ok(fronts[name].seen.connections > 0);
    });
  }
});

describe("the file of authorities", () => {
  const check = async (t, server) => {
    const folder = scratch(t);
    const file = join(folder, "mcpd.jsonc");
    writeFileSync(join(folder, "bad.pem"), "no certificate\n");
    chmodSync(join(folder, "bad.pem"), 0o600);
    writeFileSync(file, JSON.stringify({ listen: "127.0.0.1:0", servers: { s: server } }));
    return run(MCPD, ["check", "--config", file]);
  };
  test("missing or no certificates: said by check, and nothing starts", async (t) => {
    for (const [ca_file, why] of [
      ["none.pem", /none\.pem: No such file/],
      ["bad.pem", /the authorities .*bad\.pem: /],
    ]) {
      const out = await check(t, { url: "https://localhost/mcp", ca_file });
      assert.equal(out.code, 2);
      assert.match(out.stderr, why);
    }
  });
  test("for a server without TLS", async (t) => {
    for (const server of [{ url: "http://localhost:1/mcp" }, { command: ["true"] }]) {
      const out = await check(t, { ...server, ca_file: "bad.pem" });
      assert.equal(out.code, 2);
      assert.match(out.stderr, /servers\.s\.ca_file: belongs to a server with an https: url/);
    }
  });
});
