// SPDX-License-Identifier: Apache-2.0
// The listener's TLS against OpenSSL's clients: what is spoken and what not, strangers who never finish,
// the framing tests once more through it, and a certificate that changes while calls go on.
import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import https from "node:https";
import net from "node:net";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import tls from "node:tls";
import { makeAuthority, makeCertificate } from "./certs.mjs";
import { CALL, framing } from "./framing.mjs";
import {
  MCPD,
  NODE,
  compile,
  decent,
  dial,
  openLegacy,
  request,
  rpcOf,
  run,
  scratch,
  startFixture,
  startGateway,
  until,
} from "./lib.mjs";
import { principals, webPolicy, webTools } from "./policies.mjs";

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };
let authority, gateway, upstream, token, session;

/** A gateway with a certificate that `authority` signed, in certificate.pem and key.pem of its folder. */
async function secured(t, config = {}) {
  const dir = scratch(t);
  const made = await makeCertificate(dir, "first", authority);
  copyFileSync(made.file, join(dir, "certificate.pem"));
  copyFileSync(made.key, join(dir, "key.pem"));
  const settings = {
    principals,
    tls: { certificate: "certificate.pem", key: "key.pem" },
    servers: { web: { url: upstream.url } },
    ...config,
  };
  return startGateway(t, settings, { dir, ca: authority.pem });
}

/** Puts a certificate and its key in the place of those in force. */
function install(to, made) {
  for (const [from, name] of [
    [made.key, "key.pem"],
    [made.file, "certificate.pem"],
  ]) {
    copyFileSync(from, join(to.dir, `${name}.new`));
    chmodSync(join(to.dir, `${name}.new`), 0o600);
    renameSync(join(to.dir, `${name}.new`), join(to.dir, name));
  }
}

before(async () => {
  authority = await makeAuthority(scratch(scope));
  upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  gateway = await secured(scope, { limits: { handshake_timeout_ms: 1500, max_handshakes: 16 } });
  const policy = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  ({ token } = await gateway.grant({ servers: "web", policy }));
  session = await openLegacy(gateway.port, "web", token);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

const s_client = (input, ...args) =>
  run("openssl", ["s_client", "-connect", `127.0.0.1:${gateway.port}`, "-CAfile", authority.file, ...args], {
    input,
    timeout: 10_000,
  });

/** The subject of the certificate that a fresh connection meets. */
function subject(port) {
  return new Promise((done, fail) => {
    const socket = dial(port, { ca: authority.pem });
    socket.on("secureConnect", () => {
      done(socket.getPeerCertificate().subject.CN);
      socket.destroy();
    });
    socket.on("error", fail);
  });
}

async function answers(to = gateway, sid = session) {
  const headers = decent(to.port, token, { "Mcp-Session-Id": sid.sid, "MCP-Protocol-Version": "2025-11-25" });
  const got = await request(to.port, { headers, body: CALL });
  return got.status === 200 && rpcOf(got).result?.content?.[0]?.text?.startsWith("echo ");
}

describe("what is spoken", () => {
  test("TLS 1.2 with an ECDHE and AEAD suite; an authority vouches for it", async () => {
    const out = await s_client("", "-tls1_2", "-verify_return_error", "-verify_hostname", "localhost");
    assert.match(out.stdout, /Protocol\s*: TLSv1\.2/);
    assert.match(out.stdout, /Cipher\s*: ECDHE-ECDSA-(AES\d+-GCM|CHACHA20)/);
    assert.match(out.stdout, /Verify return code: 0 \(ok\)/);
  });
  for (const version of ["-tls1", "-tls1_1"]) {
    test(`${version} is refused`, async () => {
      const out = await s_client("", version, "-cipher", "ALL:@SECLEVEL=0");
      assert.match(out.stdout, /Cipher is \(NONE\)/);
      assert.match(out.stderr, /alert protocol version|no protocols available/);
    });
  }
  for (const suite of [
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA",
    "AES128-GCM-SHA256",
    "DHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-AES128-CCM8",
    "ECDHE-ECDSA-CAMELLIA128-SHA256",
  ]) {
    test(`${suite} is refused`, async () => {
      const out = await s_client("", "-tls1_2", "-cipher", `${suite}:@SECLEVEL=0`);
      assert.match(out.stdout, /Cipher is \(NONE\)/, out.stdout);
    });
  }
  for (const suite of [
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
  ]) {
    test(`${suite} is spoken`, async () => {
      const out = await s_client("", "-tls1_2", "-cipher", suite);
      assert.match(out.stdout, new RegExp(`Cipher\\s*: ${suite}`));
    });
  }
  test("ALPN: http/1.1 is chosen, h2 alone is refused", async () => {
    assert.match((await s_client("", "-alpn", "h2,http/1.1")).stdout, /ALPN protocol: http\/1\.1/);
    assert.match((await s_client("", "-alpn", "h2")).stderr, /alert no application protocol/);
  });
  test("a client's wish to renegotiate is refused", async () => {
    const out = await run("bash", [
      "-c",
      `(sleep 0.3; echo R; sleep 0.5) | openssl s_client -tls1_2 -CAfile ${authority.file} -connect 127.0.0.1:${gateway.port} 2>&1`,
    ]);
    assert.match(out.stdout, /RENEGOTIATING/);
    assert.match(out.stdout, /no.renegotiation|unexpected eof|alert/i, out.stdout);
    assert.ok(await answers());
  });
  test("a ticket spares the second handshake", async () => {
    const file = join(gateway.dir, "ticket.pem");
    assert.match((await s_client("", "-tls1_2", "-sess_out", file)).stdout, /New, TLSv1/);
    assert.match((await s_client("", "-tls1_2", "-sess_in", file)).stdout, /Reused, TLSv1/);
  });
  test("an answer ends with close_notify", async () => {
    const bytes = `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    const got = await run("bash", [
      "-c",
      `(printf '${bytes}'; sleep 0.5) | openssl s_client -msg -CAfile ${authority.file} -connect 127.0.0.1:${gateway.port}`,
    ]);
    assert.match(got.stdout, /HTTP\/1\.1 4\d\d/);
    assert.match(got.stdout, /<<< TLS.*Alert.*close_notify/);
  });
});

describe("clients", () => {
  for (const line of ["v1", "v2"]) {
    test(`the SDK's ${line} client over https`, async () => {
      const url = gateway.url("web").replace("127.0.0.1", "localhost");
      const out = await run("env", [
        `NODE_EXTRA_CA_CERTS=${authority.file}`,
        NODE,
        join(import.meta.dirname, "tls_client.mjs"),
        line,
        url,
        token,
      ]);
      assert.equal(out.code, 0, out.stderr);
      assert.match(out.stdout, /echo/);
    });
  }
  test("curl, with what it trusts and without", async () => {
    const url = `https://localhost:${gateway.port}/mcp/web`;
    const trusting = await run("curl", ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "--cacert", authority.file, url]);
    assert.equal(trusting.stdout, "401");
    const other = await run("curl", ["-sS", url]);
    assert.equal(other.code, 60, other.stderr);
  });
  test("keep-alive, and an argument of 3 MB there and back", async () => {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ca: authority.pem });
    const text = "0123456789abcdef".repeat(200_000);
    for (const body of [
      CALL,
      JSON.stringify({ jsonrpc: "2.0", id: 6, method: "tools/call", params: { name: "echo", arguments: { text } } }),
      CALL,
    ]) {
      const got = await new Promise((done, fail) => {
        const headers = {
          ...Object.fromEntries(decent(gateway.port, token, { "Mcp-Session-Id": session.sid })),
          "MCP-Protocol-Version": "2025-11-25",
        };
        const req = https.request({ port: gateway.port, host: "localhost", path: "/mcp/web", method: "POST", headers, agent }, (res) => {
          const parts = [];
          res.on("data", (part) => parts.push(part));
          res.on("end", () => done({ status: res.statusCode, body: Buffer.concat(parts).toString() }));
        });
        req.on("error", fail);
        req.end(body);
      });
      assert.equal(got.status, 200);
      assert.equal(JSON.parse(got.body).result.content[0].text, `echo ${JSON.stringify(JSON.parse(body).params.arguments)}`);
    }
    agent.destroy();
  });
});

describe("strangers", () => {
  const plain = (bytes, { wait = 4000 } = {}) =>
    new Promise((done) => {
      const parts = [];
      const socket = net.connect(gateway.port, "127.0.0.1", () => socket.write(bytes));
      const timer = setTimeout(() => socket.destroy(), wait);
      socket.on("data", (part) => parts.push(part));
      socket.on("error", () => {});
      socket.on("close", () => {
        clearTimeout(timer);
        done(Buffer.concat(parts).toString("latin1"));
      });
    });
  test("plain HTTP: 400, whatever the token", async () => {
    const before = upstream.calls().length;
    const head = decent(gateway.port, token, { "Mcp-Session-Id": session.sid }).map(([k, v]) => `${k}: ${v}\r\n`);
    const got = await plain(`POST /mcp/web HTTP/1.1\r\n${head.join("")}Content-Length: ${CALL.length}\r\n\r\n${CALL}`);
    assert.match(got, /^HTTP\/1\.1 400 /);
    assert.equal(upstream.calls().length, before);
  });
  test("half a hello is over when its time is", async () => {
    const start = Date.now();
    const got = await plain(Buffer.from("160301020001", "hex"), { wait: 8000 });
    assert.equal(got, "");
    assert.ok(Date.now() - start < 5000, "the handshake's deadline");
  });
  test("a hello that comes byte by byte, for ever: over as well", async () => {
    const hello = Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), Buffer.alloc(500, 1)]);
    const start = Date.now();
    await new Promise((done) => {
      const socket = net.connect(gateway.port, "127.0.0.1", async () => {
        for (const byte of hello) {
          if (socket.destroyed) break;
          socket.write(Buffer.from([byte]));
          await sleep(20);
        }
      });
      socket.on("error", () => {});
      socket.on("close", done);
    });
    assert.ok(Date.now() - start < 5000);
  });
  test("200 who never finish keep out nobody who does", async (t) => {
    const sockets = Array.from({ length: 200 }, () => {
      const socket = net.connect(gateway.port, "127.0.0.1", () => socket.write(Buffer.from("1603010200", "hex")));
      return socket.on("error", () => {});
    });
    t.after(() => sockets.forEach((s) => s.destroy()));
    await sleep(100);
    const start = Date.now();
    assert.ok(await answers());
    assert.ok(Date.now() - start < 1400, "before any handshake's deadline");
  });
  test("garbage of every kind of record", async () => {
    for (const hex of ["1503030002022a", "1703030005aaaaaaaaaa", "1403030001017f", "8080010301", "ff", "16fefd0000"]) {
      assert.doesNotMatch(await plain(Buffer.from(hex, "hex")), /HTTP/);
    }
    assert.ok(await answers());
  });
  test("a client that leaves at any moment", async () => {
    for (let i = 0; i < 30; i++) {
      await new Promise((done) => {
        const socket = tls.connect({ port: gateway.port, host: "127.0.0.1", servername: "localhost", ca: authority.pem });
        socket.on("error", () => {});
        socket.on("close", done);
        setTimeout(() => socket.destroy(), i);
      });
    }
    assert.ok(await answers());
  });
});

describe("row 25 through TLS", () => framing(() => ({ port: gateway.port, token, session, upstream })));

describe("another certificate", () => {
  test("SIGHUP: the new one for who comes, the old connections go on", async (t) => {
    const mine = await secured(t);
    assert.equal(await subject(mine.port), "first");
    const open = dial(mine.port);
    t.after(() => open.destroy());
    await new Promise((done) => open.once("secureConnect", done));
    install(mine, await makeCertificate(mine.dir, "second", authority));
    mine.proc.child.kill("SIGHUP");
    await until("the second one", async () => (await subject(mine.port)) === "second");
    const said = new Promise((done) => open.once("data", (part) => done(part.toString())));
    open.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.match(await said, /^HTTP\/1\.1 4/);
  });

  test("changed files are seen without a word; bad ones keep what is, and the log says why", async (t) => {
    const mine = await secured(t);
    const bad = await makeCertificate(mine.dir, "bad", authority, { days: -1 });
    install(mine, bad);
    await until("the log says so", () => /stays in force why=the certificate .*: it has expired/.test(mine.proc.stderr), 12_000);
    assert.equal(await subject(mine.port), "first");
    writeFileSync(join(mine.dir, "certificate.pem"), readFileSync(join(mine.dir, "first.pem")));
    await until("the log says so", () => /the key is not that of the file's first/.test(mine.proc.stderr), 12_000);
    assert.equal(await subject(mine.port), "first");
    install(mine, await makeCertificate(mine.dir, "third", authority));
    await until("the third one", async () => (await subject(mine.port)) === "third", 12_000);
  });

  test("a certificate that changes twenty times while calls go on: every call is answered", async (t) => {
    const mine = await secured(t);
    const policy = await compile(mine.dir, "web-web", webPolicy("web"), webTools);
    const grant = await mine.grant({ servers: "web", policy });
    const made = [await makeCertificate(mine.dir, "a", authority), await makeCertificate(mine.dir, "b", authority)];
    const opened = await openLegacy(mine.port, "web", grant.token);
    let calls = 0;
    let isOver = false;
    const caller = async () => {
      while (!isOver) {
        const got = await opened.call("echo", { text: "x" });
        assert.equal(got.result.content[0].text, 'echo {"text":"x"}');
        calls++;
      }
    };
    const callers = [caller(), caller(), caller()];
    for (let i = 0; i < 20; i++) {
      install(mine, made[i % 2]);
      mine.proc.child.kill("SIGHUP");
      await sleep(60);
    }
    isOver = true;
    await Promise.all(callers);
    assert.ok(calls > 10, `${calls} calls`);
  });
});

describe("starting", () => {
  async function refused(t, config, change = () => {}) {
    const dir = scratch(t);
    const made = await makeCertificate(dir, "c", authority);
    change(made);
    const file = join(dir, "mcpd.jsonc");
    writeFileSync(file, JSON.stringify({ listen: "127.0.0.1:0", tls: { certificate: "c.pem", key: "c.key" }, ...config }));
    const out = await run(MCPD, ["check", "--config", file]);
    const served = await run(MCPD, ["serve", "--config", file], { timeout: 10_000 });
    assert.ok(out.code === 2 && served.code > 0, `${out.code} ${served.code}`);
    return out.stderr;
  }
  test("a key that others may read", async (t) => {
    assert.match(await refused(t, {}, (made) => chmodSync(made.key, 0o644)), /others have access to it/);
  });
  test("no key, no certificate, a key of another", async (t) => {
    assert.match(await refused(t, { tls: { certificate: "c.pem" } }), /mcpd\.jsonc:1: tls: needs "key"/);
    assert.match(await refused(t, { tls: { certificate: "no.pem", key: "c.key" } }), /no\.pem: No such file/);
    const other = await makeCertificate(scratch(t), "other", authority);
    assert.match(await refused(t, {}, (made) => copyFileSync(other.key, made.key)), /the key is not that of/);
  });
  test("beyond loopback: TLS, or the setting that says without", async (t) => {
    const listen = { listen: "0.0.0.0:0", allowed_hosts: ["gateway.test"] };
    assert.match(await refused(t, { ...listen, tls: undefined }), /listen: is not a loopback address/);
    assert.match(await refused(t, { listen: "0.0.0.0:0" }), /"allowed_hosts" must say/);
    for (const more of [{}, { tls: undefined, listen_without_tls: true }]) {
      const dir = scratch(t);
      await makeCertificate(dir, "c", authority);
      const file = join(dir, "mcpd.jsonc");
      writeFileSync(file, JSON.stringify({ ...listen, tls: { certificate: "c.pem", key: "c.key" }, ...more }));
      assert.equal((await run(MCPD, ["check", "--config", file])).code, 0);
    }
  });
});
