// SPDX-License-Identifier: Apache-2.0
// T9 and what else must not bring a login to its end: what comes back from a browser is judged.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { modern, rpcOf } from "./lib.mjs";
import { beginConnect, browse, startOauth } from "./oauth.mjs";

const works = async (world) => {
  const params = { name: "echo", arguments: { text: "hello" } };
  const got = rpcOf(await modern(world.gateway.port, "web", world.token, { params }));
  assert.ok(got.result?.content?.[0]?.text?.includes("hello"), JSON.stringify(got));
};
const tokens = (world) => world.issuer.log().filter((e) => e.token);

describe("the way back from the browser", () => {
  const back = async (world) => {
    const { child, url, ended } = await beginConnect(world.gateway, "web");
    const { url: callback } = await browse(url, { until: (u) => u.includes("/oauth/callback") });
    return { child, callback, ended };
  };

  test("T9: a state is good once", async (t) => {
    const world = await startOauth(t, { connect: false });
    const { callback, ended } = await back(world);
    assert.equal((await browse(callback)).status, 200);
    assert.equal((await ended).code, 0);
    const again = await browse(callback);
    assert.equal(again.status, 400);
    assert.match(again.text, /used already/);
    assert.ok(!again.text.includes("code="));
    await works(world);
  });

  test("another issuer's redirect, or one without an issuer, ends the login before the code is used", async (t) => {
    const world = await startOauth(t, { connect: false });
    for (const change of [(p) => p.set("iss", "https://evil.example"), (p) => p.delete("iss"), (p) => p.set("iss", `${p.get("iss")}/`)]) {
      const { callback, ended } = await back(world);
      const forged = new URL(callback);
      change(forged.searchParams);
      assert.equal((await browse(forged.href)).status, 400);
      const { code, stderr } = await ended;
      assert.equal(code, 1);
      assert.match(stderr, /issuer/);
    }
    assert.equal(tokens(world).length, 0, "no token request was made");
  });

  test("a pasted address, and a pasted code from an issuer that names itself, end as they should", async (t) => {
    const world = await startOauth(t, { connect: false });
    const { child, url, ended } = await beginConnect(world.gateway, "web", ["--paste"]);
    const { url: callback } = await browse(url, { until: (u) => u.includes("/oauth/callback") });
    child.stdin.end(`${callback}\n`);
    assert.equal((await ended).code, 0);
    await works(world);
  });
});
