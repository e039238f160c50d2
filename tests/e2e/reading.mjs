// SPDX-License-Identifier: Apache-2.0
// What the tests of strict reading share: a gateway before a server that keeps a record, and
// ways to say "refused in both eras" and "never forwarded" in one line.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ENVELOPE, compile, modern, openLegacy, rpcOf, startFixture, startGateway } from "./lib.mjs";
import { openPolicy, principals, webPolicy, webTools } from "./policies.mjs";

export const BODY_LIMIT = 65536;
export const PARSE = -32700;
export const INVALID = -32600;
export const PARAMS = -32602;
const META = `"_meta":${JSON.stringify(ENVELOPE)}`;

/** Filled before the first test: gateway, upstream, token, and two legacy sessions. */
export const world = {};

const cleanups = [];
const scope = { after: (fn) => cleanups.unshift(fn) };

before(async () => {
  world.upstream = await startFixture(scope, "dual_http", ["--era", "legacy"]);
  const { url } = world.upstream;
  world.gateway = await startGateway(scope, {
    principals,
    limits: { max_body_bytes: BODY_LIMIT },
    servers: { web: { url }, open: { url } },
  });
  const { gateway } = world;
  const pinned = await compile(gateway.dir, "web-web", webPolicy("web"), webTools);
  const open = await compile(gateway.dir, "open", openPolicy("open"));
  world.token = (await gateway.grant({ servers: "web", policy: pinned })).token;
  world.session = await openLegacy(gateway.port, "web", world.token);
  const other = await gateway.grant({ servers: "open", policy: open });
  world.openSession = await openLegacy(gateway.port, "open", other.token);
});
after(async () => {
  for (const fn of cleanups) await fn();
});

/** `@` in a body stands for the modern envelope and its comma: present in one era, absent in the other. */
function bytesFor(body, era) {
  const mark = era === "modern" ? `${META},` : "";
  if (Buffer.isBuffer(body)) return Buffer.from(body.toString("latin1").replace("@", mark), "latin1");
  return body.replace("@", mark);
}

export const send = {
  legacy: (body, change) => world.session.post(bytesFor(body, "legacy"), change),
  modern: (body, change, name = "echo") =>
    modern(world.gateway.port, "web", world.token, { params: { name }, change, body: bytesFor(body, "modern") }),
};

export async function notForwarded(what, act) {
  const before = world.upstream.calls().length;
  const got = await act();
  assert.equal(world.upstream.calls().length, before, `${what}: a call reached the server`);
  return got;
}

/** Sends the case in both eras and demands a refusal with this status and code. */
export function refused(name, body, code, { status = 400, id } = {}) {
  for (const era of ["legacy", "modern"]) {
    test(`${name} (${era})`, async () => {
      const got = await notForwarded(name, () => send[era](body));
      assert.equal(got.status, status, `${got.status} ${got.body}`);
      const rpc = rpcOf(got);
      assert.equal(rpc?.error?.code, code, got.body);
      assert.equal(rpc.jsonrpc, "2.0");
      if (id !== undefined) assert.equal(rpc.id, id);
    });
  }
}

/** A refusal or a denial, whichever; but an answer, and nothing forwarded. */
export function neverForwarded(name, body, { change, tool } = {}) {
  for (const era of ["legacy", "modern"]) {
    test(`${name} (${era})`, async () => {
      const got = await notForwarded(name, () => send[era](body, change, tool));
      assert.ok(got.status === 200 || (got.status >= 400 && got.status < 500), `${got.status} ${got.body}`);
      if (got.status === 200) {
        const rpc = rpcOf(got);
        assert.ok(rpc.error || rpc.result?.isError === true, got.body);
      }
    });
  }
}

export const msg = (params, rest = "") => `{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{@${params}}${rest}}`;
export const echo = (args) => msg(`"name":"echo","arguments":${args}`);
