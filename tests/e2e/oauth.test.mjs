// SPDX-License-Identifier: Apache-2.0
// OAuth from end to end: a real authorization server, a real server that checks the audience, and the
// gateway between them and the client.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { call, connect } from "./lib.mjs";
import { beginConnect, browse, login, startOauth } from "./oauth.mjs";

const callEcho = async (t, world, kind = "v2 modern") => {
  const client = await connect(t, kind, world.gateway.url("web"), world.token);
  return call(client, "echo", { text: "hello" });
};

describe("connect", () => {
  test("a server that needs a login says so; after `mcpd connect` the call works", async (t) => {
    const world = await startOauth(t, { connect: false });
    const before = await connect(t, "v2 legacy", world.gateway.url("web"), world.token).then(
      (client) => call(client, "echo", { text: "x" }),
      (error) => ({ isError: true, text: String(error) }),
    );
    assert.equal(before.isError, true);
    assert.match(before.text, /mcpd connect web/);
    await login(world.gateway, "web");
    const after = await callEcho(t, world);
    assert.match(after.text, /hello/, JSON.stringify(after));
    const seen = world.upstream.log();
    assert.ok(seen.every((entry) => entry.sub === "alice"));
    const flows = world.issuer.log().filter((e) => e.token);
    assert.deepEqual(
      flows.map((e) => e.resource),
      [world.upstream.url],
    );
  });
});
