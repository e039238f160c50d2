// SPDX-License-Identifier: Apache-2.0
// T6 and T8: servers and issuers that say less than the specification wants, or another thing.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { modern, request, rpcOf, run, MCPD } from "./lib.mjs";
import { beginConnect, login, startOauth } from "./oauth.mjs";

const ask = async (world) =>
  rpcOf(await modern(world.gateway.port, "web", world.token, { params: { name: "echo", arguments: { text: "hello" } } }));
const works = async (world) => {
  const got = await ask(world);
  assert.ok(got.result?.content?.[0]?.text?.includes("hello"), JSON.stringify(got));
};
const authorize = (world) => new URL(world.issuer.log().find((e) => e.url?.startsWith("/auth?")).url, world.issuer.url);
const tokens = (world) => world.issuer.log().filter((e) => e.token);

describe("T6: servers and issuers", () => {
  test("audience instead of resource, further parameters, scopes between commas", async (t) => {
    const world = await startOauth(t, {
      mcp: ["--audience", "no"],
      oauth: { resource_parameter: "audience", authorize_parameters: { prompt: "consent", color: "blue & green" } },
    });
    const { searchParams } = authorize(world);
    assert.equal(searchParams.get("audience"), world.upstream.url);
    assert.equal(searchParams.get("resource"), null);
    assert.equal(searchParams.get("color"), "blue & green");
    assert.equal(tokens(world)[0].audience, world.upstream.url);
    await works(world);
    const commas = await startOauth(t, { connect: false, oauth: { scope_separator: "comma", scopes: ["read", "write"] } });
    const { child, url, ended } = await beginConnect(commas.gateway, "web");
    assert.equal(new URL(url).searchParams.get("scope").split(",")[1], "write");
    child.kill();
    await ended;
  });

  test("a challenge only at tools/call", async (t) => {
    const world = await startOauth(t, { mcp: ["--challenge", "calls"], connect: false });
    const before = await ask(world);
    assert.match(before.result.content[0].text, /mcpd connect web/);
    await login(world.gateway, "web");
    await works(world);
  });

  test("metadata at the well-known place alone; none at all, with the issuer named", async (t) => {
    await works(await startOauth(t, { mcp: ["--metadata", "wellknown"] }));
    const world = await startOauth(t, { mcp: ["--metadata", "no"], connect: false });
    const out = await beginConnect(world.gateway, "web");
    assert.equal((await out.ended).code, 1, "its own origin is no authorization server");
  });

  test("an issuer that does not list S256 is refused, unless the operator says otherwise", async (t) => {
    const world = await startOauth(t, { as: ["--pkce-silent", "yes"], connect: false });
    const { ended } = await beginConnect(world.gateway, "web");
    const { code, stderr } = await ended;
    assert.equal(code, 1);
    assert.match(stderr, /assume_s256/);
    await works(await startOauth(t, { as: ["--pkce-silent", "yes"], oauth: { assume_s256: true } }));
  });

  test("http to loopback is for development: without the setting nothing is asked", async (t) => {
    const world = await startOauth(t, { connect: false, oauth: { development: false } });
    const { ended } = await beginConnect(world.gateway, "web");
    assert.equal((await ended).code, 1);
    assert.equal(world.issuer.log().length, 0);
  });

  test("T8: a server without OAuth gets its static header, and no discovery answers at the gateway", async (t) => {
    const world = await startOauth(t, { mcp: ["--key", "k3y-of-the-operator"], connect: false });
    const out = await run(MCPD, ["connect", "--config", world.gateway.config, "--header", "X-Api-Key", "web"], {
      input: "k3y-of-the-operator\n",
    });
    assert.equal(out.code, 0, out.stderr);
    await works(world);
    for (const path of ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp/web", "/oauth/x"]) {
      const got = await request(world.gateway.port, {
        method: "GET",
        path,
        headers: [["Host", `127.0.0.1:${world.gateway.port}`]],
      });
      assert.equal(got.status, 404, path);
      assert.equal(got.body, "");
    }
  });
});
