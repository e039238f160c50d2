// SPDX-License-Identifier: Apache-2.0
// Certificates for tests, by the openssl command: an authority, and what it signs.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run } from "./lib.mjs";

async function openssl(...args) {
  const out = await run("openssl", args);
  assert.equal(out.code, 0, `openssl ${args.join(" ")}: ${out.stderr}`);
  return out.stdout;
}

const P256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];

/** A certificate authority; `file` is its certificate. */
export async function makeAuthority(dir, name = "authority") {
  const [file, key] = [join(dir, `${name}.pem`), join(dir, `${name}.key`)];
  await openssl("req", "-x509", ...P256, "-keyout", key, "-out", file, "-days", "30", "-subj", `/CN=${name}`);
  return { file, key, pem: readFileSync(file) };
}

/** A server's certificate and key. days -1: it has expired. */
export async function makeCertificate(dir, name, authority, { days = 30, names = "DNS:localhost,IP:127.0.0.1" } = {}) {
  const [file, key, csr] = ["pem", "key", "csr"].map((end) => join(dir, `${name}.${end}`));
  await openssl("req", "-new", ...P256, "-keyout", key, "-out", csr, "-subj", `/CN=${name}`);
  const extensions = join(dir, `${name}.ext`);
  writeFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=CA:FALSE\n`);
  await openssl(
    ...["x509", "-req", "-in", csr, "-CA", authority.file, "-CAkey", authority.key, "-CAcreateserial"],
    ...["-days", String(days), "-extfile", extensions, "-out", file],
  );
  return { file, key, pem: readFileSync(file), keyPem: readFileSync(key) };
}
