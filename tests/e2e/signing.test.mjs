// SPDX-License-Identifier: Apache-2.0
// Signatures: keys and signatures are openssl's, too; a gateway that trusts keys takes nothing else,
// and no older version than it has had, restarts included.
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, chmodSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { Gateway, MCPC, MCPD, NODE, assertDenied, call, compile, connect, fixture, run, scratch, until } from "./lib.mjs";

const OK = 0,
  FINDINGS = 1,
  USAGE = 2;
const policy = (version, extra = "") => `policy "signed" version ${version};
server "web";
default deny;
allow tool "echo";
${extra}`;

async function good(file, args) {
  const out = await run(file, args);
  assert.equal(out.code, OK, `${args.join(" ")}: ${out.stderr}${out.stdout}`);
  return out;
}

async function keygen(dir, name) {
  const key = join(dir, `${name}.key.pem`);
  const pub = join(dir, `${name}.pub.pem`);
  await good(MCPC, ["keygen", "-o", key, "--public", pub]);
  return { key, pub };
}

test("keygen: mode 600, nothing is overwritten, the public key alone on standard output", async (t) => {
  const dir = scratch(t);
  const { key, pub } = await keygen(dir, "a");
  assert.equal(statSync(key).mode & 0o777, 0o600);
  assert.match(readFileSync(key, "utf8"), /^-----BEGIN EC PRIVATE KEY-----\n/);
  const before = readFileSync(key);
  const again = await run(MCPC, ["keygen", "-o", key]);
  assert.equal(again.code, USAGE);
  assert.match(again.stderr, /exists/);
  assert.deepEqual(readFileSync(key), before);
  const kept = await run(MCPC, ["keygen", "-o", join(dir, "b.pem"), "--public", pub]);
  assert.equal(kept.code, USAGE);
  assert.ok(!existsSync(join(dir, "b.pem")), "half a pair is not left behind");
  const shown = await good(MCPC, ["keygen", "-o", join(dir, "c.pem")]);
  assert.match(shown.stdout, /^-----BEGIN PUBLIC KEY-----\n[^]*-----END PUBLIC KEY-----\n$/);
  assert.equal((await run(MCPC, ["keygen"])).code, USAGE);
});

test("sign and verify: the bundle stays as it was; a changed bundle, another key, no signature are told", async (t) => {
  const dir = scratch(t);
  const [a, b] = [await keygen(dir, "a"), await keygen(dir, "b")];
  const bundle = await compile(dir, "p", policy(1));
  const bytes = readFileSync(bundle);
  assert.equal((await run(MCPC, ["verify", "--key", a.pub, bundle])).code, FINDINGS, "not signed");
  await good(MCPC, ["sign", bundle, "--key", a.key]);
  assert.deepEqual(readFileSync(bundle), bytes);
  const shown = await good(MCPC, ["verify", "--key", a.pub, bundle]);
  assert.match(shown.stdout, /signed; policy "signed" version 1, identity [0-9a-f]{64}\n$/);
  assert.equal((await run(MCPC, ["verify", "--key", b.pub, bundle])).code, FINDINGS);
  const first = readFileSync(`${bundle}.sig`);
  await good(MCPC, ["sign", bundle, "--key", a.key]);
  assert.deepEqual(readFileSync(`${bundle}.sig`), first, "deterministic (RFC 6979)");
  const other = await compile(dir, "q", policy(2));
  copyFileSync(`${bundle}.sig`, `${other}.sig`);
  assert.equal((await run(MCPC, ["verify", "--key", a.pub, other])).code, FINDINGS, "of another bundle");
  bytes[bytes.length - 1] ^= 1;
  writeFileSync(bundle, bytes);
  assert.equal((await run(MCPC, ["verify", "--key", a.pub, bundle])).code, USAGE, "damaged");
});

test("sign: a key that others may read is refused, and one of another kind", async (t) => {
  const dir = scratch(t);
  const { key } = await keygen(dir, "a");
  const bundle = await compile(dir, "p", policy(1));
  chmodSync(key, 0o640);
  const out = await run(MCPC, ["sign", bundle, "--key", key]);
  assert.equal(out.code, USAGE);
  assert.match(out.stderr, /chmod 600/);
  const p384 = join(dir, "p384.pem");
  await good("openssl", ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384", "-out", p384]);
  chmodSync(p384, 0o600);
  const wrong = await run(MCPC, ["sign", bundle, "--key", p384]);
  assert.equal(wrong.code, USAGE);
  assert.match(wrong.stderr, /P-256/);
  assert.ok(!existsSync(`${bundle}.sig`));
});

test("openssl verifies what sign made, and verify takes what openssl signed", async (t) => {
  const dir = scratch(t);
  const ours = await keygen(dir, "ours");
  const bundle = await compile(dir, "p", policy(7));
  const message = join(dir, "message");
  writeFileSync(message, (await good(MCPC, ["sign", "--message", bundle])).stdout);
  assert.match(readFileSync(message, "utf8"), /^mcpc bundle signature 1\npolicy signed\nversion 7\nidentity sha256:[0-9a-f]{64}\n$/);
  await good(MCPC, ["sign", bundle, "--key", ours.key]);
  const checked = await good("openssl", ["dgst", "-sha256", "-verify", ours.pub, "-signature", `${bundle}.sig`, message]);
  assert.match(checked.stdout, /Verified OK/);
  for (const make of [
    ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  ]) {
    const [key, pub] = [join(dir, "openssl.pem"), join(dir, "openssl.pub.pem")];
    await good("openssl", [...make, "-out", key]);
    await good("openssl", ["pkey", "-in", key, "-pubout", "-out", pub]);
    await good("openssl", ["dgst", "-sha256", "-sign", key, "-out", `${bundle}.sig`, message]);
    await good(MCPC, ["verify", bundle, "--key", pub]);
    chmodSync(key, 0o600);
    await good(MCPC, ["sign", bundle, "--key", key]);
    await good(MCPC, ["verify", bundle, "--key", pub]);
  }
});

const web = { web: { command: [NODE, fixture("dual_stdio")] } };
const principals = { ann: {} };

/** A gateway that trusts one key, and what makes, signs and installs a version of its policy. */
async function trusting(t, more = {}) {
  const dir = scratch(t);
  const { key, pub } = await keygen(dir, "trusted");
  const gateway = new Gateway(dir, { servers: web, principals, trusted_keys: ["trusted.pub.pem"], ...more });
  t.after(() => gateway.stop());
  const bundle = join(dir, "live.polb");
  const install = async (version, extra, { signer = key, sigFirst = false, noSig = false } = {}) => {
    const made = await compile(dir, `v${version}`, policy(version, extra));
    if (!noSig) await good(MCPC, ["sign", made, "--key", signer]);
    const move = { polb: () => renameSync(made, bundle), sig: () => renameSync(`${made}.sig`, `${bundle}.sig`) };
    if (sigFirst) move.sig();
    move.polb();
    if (!noSig && !sigFirst) move.sig();
  };
  const log = () => gateway.proc.stderr;
  const reload = async (what) => {
    const from = log().length;
    gateway.proc.child.kill("SIGHUP");
    return until(`log line ${what}`, () => what.test(log().slice(from)) && log().slice(from));
  };
  return { dir, key, pub, gateway, bundle, install, log, reload };
}

test("a gateway with trusted keys: unsigned, wrongly signed and damaged bundles leave the one before", async (t) => {
  const { dir, gateway, bundle, install, reload } = await trusting(t);
  await install(1);
  await gateway.start();
  const { token } = await gateway.grant({ principal: "ann", servers: "web", policy: bundle });
  const client = await connect(t, "v1", gateway.url("web"), token);
  const ask = () => call(client, "echo", { text: "hello" });
  assert.equal((await ask()).isError, false);

  await install(2, 'deny tool "echo" reason "version two";', { noSig: true });
  await reload(/policy not loaded .*trusted keys/); // the signature there is still that of version 1
  assert.equal((await ask()).isError, false, "version 1 stays in force");

  rmSync(`${bundle}.sig`);
  await reload(/policy not loaded .*not signed/);
  assert.equal((await ask()).isError, false);

  const stranger = await keygen(dir, "stranger");
  await install(2, 'deny tool "echo" reason "version two";', { signer: stranger.key });
  await reload(/policy not loaded .*trusted keys/);
  assert.equal((await ask()).isError, false);

  await good(MCPC, ["sign", bundle, "--key", join(dir, "trusted.key.pem")]);
  await reload(/policy loaded .*version=2/);
  assertDenied(await ask(), { reason: "version two" });
});

test("it does not matter which of bundle and signature comes first", async (t) => {
  const { gateway, bundle, install } = await trusting(t);
  await install(1);
  await gateway.start();
  const { token } = await gateway.grant({ principal: "ann", servers: "web", policy: bundle });
  const client = await connect(t, "v1", gateway.url("web"), token);
  for (const [version, sigFirst] of [[2, true], [3, false]]) {
    await install(version, `deny tool "echo" reason "now ${version}";`, { sigFirst });
    await until(`version ${version} acts`, async () => {
      const got = await call(client, "echo", { text: "x" });
      return got.isError && got.text.includes(`now ${version}`);
    });
  }
});

test("an older version is refused, also after a restart, unless allow_rollback", async (t) => {
  const { dir, gateway, bundle, install, reload } = await trusting(t);
  await install(5, 'deny tool "echo" reason "five";');
  await gateway.start();
  const { token } = await gateway.grant({ principal: "ann", servers: "web", policy: bundle });
  const client = await connect(t, "v1", gateway.url("web"), token);
  assertDenied(await call(client, "echo", { text: "x" }), { reason: "five" });
  await install(4);
  await reload(/policy not loaded .*version 4 is older than version 5/);
  assertDenied(await call(client, "echo", { text: "x" }), { reason: "five" });

  await gateway.stop();
  await gateway.start();
  const after = await connect(t, "v1", gateway.url("web"), token);
  const got = await call(after, "echo", { text: "x" }).catch((error) => ({ isError: true, text: String(error) }));
  assert.equal(got.isError, true, "nothing is in force, so nothing is allowed");
  const refused = await run(MCPD, ["grant", "create", "--config", gateway.config, "--principal", "ann", "--server", "web", "--policy", bundle]);
  assert.notEqual(refused.code, OK);
  assert.match(refused.stderr, /version 4 is older than version 5/);

  await gateway.stop();
  const config = readFileSync(gateway.config, "utf8");
  writeFileSync(gateway.config, config.replace('"trusted_keys"', '"allow_rollback": true, "trusted_keys"'));
  await gateway.start();
  const back = await connect(t, "v1", gateway.url("web"), token);
  assert.equal((await call(back, "echo", { text: "x" })).isError, false);
  assert.match(gateway.proc.stderr, /older version of a policy is let in/);
  assert.ok(existsSync(join(dir, "mcpd.db")));
});

test("grant create takes no bundle that the gateway would refuse; a missing key stops both", async (t) => {
  const { dir, gateway, bundle, install } = await trusting(t);
  await install(1, "", { noSig: true });
  const create = ["grant", "create", "--config", gateway.config, "--principal", "ann", "--server", "web", "--policy", bundle];
  const unsigned = await run(MCPD, create);
  assert.notEqual(unsigned.code, OK);
  assert.match(unsigned.stderr, /not signed/);
  assert.equal(unsigned.stdout, "", "no token");
  await good(MCPC, ["sign", bundle, "--key", join(dir, "trusted.key.pem")]);
  await good(MCPD, create);
  rmSync(join(dir, "trusted.pub.pem"));
  for (const args of [create, ["check", "--config", gateway.config], ["serve", "--config", gateway.config]]) {
    const out = await run(MCPD, args);
    assert.notEqual(out.code, OK, args.join(" "));
    assert.match(out.stderr, /trusted key .*trusted\.pub\.pem can't be used: No such file/);
  }
});

test("trusted_keys: an empty list and wrong types are mistakes in the configuration", async (t) => {
  const dir = scratch(t);
  for (const [value, why] of [
    [{ trusted_keys: [] }, /names no key/],
    [{ trusted_keys: "a.pem" }, /must be a list of strings/],
    [{ trusted_keys: ["a.pem"], allow_rollback: "yes" }, /must be true or false/],
  ]) {
    const gateway = new Gateway(dir, { servers: web, ...value });
    const out = await run(MCPD, ["check", "--config", gateway.config]);
    assert.equal(out.code, USAGE, JSON.stringify(value));
    assert.match(out.stderr, why);
  }
});
