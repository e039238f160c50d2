// SPDX-License-Identifier: Apache-2.0
// T6: servers and providers that don't fit, each by the setting that is for it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { modern, rpcOf, run, MCPD } from "./lib.mjs";
import { beginConnect, browse, command, login, startOauth } from "./oauth.mjs";

const ask = async (world) =>
  rpcOf(await modern(world.gateway.port, "web", world.token, { params: { name: "echo", arguments: { text: "hello" } } }));
const works = async (world) => {
  const got = await ask(world);
  assert.ok(got.result?.content?.[0]?.text?.includes("hello"), JSON.stringify(got));
};
const tokens = (world) => world.issuer.log().filter((e) => e.token);

/** A client that was registered by hand, for the time of one test. */
function registered(t, client) {
  process.env.FIXTURE_CLIENTS = JSON.stringify([client]);
  t.after(() => delete process.env.FIXTURE_CLIENTS);
}
const byHand = (port, more) => ({
  client_id: "by-hand",
  redirect_uris: [`http://127.0.0.1:${port}/oauth/callback`],
  grant_types: ["authorization_code", "refresh_token"],
  response_types: ["code"],
  application_type: "native",
  ...more,
});
const OWN_REDIRECT = 18_765;

describe("T6: settings for what does not fit", () => {
  for (const method of ["client_secret_basic", "client_secret_post", "none"]) {
    test(`the token endpoint takes ${method} alone`, async (t) => {
      const world = await startOauth(t, { as: ["--auth-methods", method], mcp: ["--introspect", "look"] });
      await works(world);
      const [first] = tokens(world);
      assert.equal(first.basic, method === "client_secret_basic");
      assert.equal(first.secret, method === "client_secret_post");
    });
  }

  test("no dynamic registration: the command says what to register, and a client id with a secret works", async (t) => {
    registered(t, byHand(OWN_REDIRECT, { client_secret: "s3cret+of the/client", token_endpoint_auth_method: "client_secret_basic" }));
    const world = await startOauth(t, {
      as: ["--registration", "no"],
      connect: false,
      oauth: { client_id: "by-hand", client_secret_file: "secret.txt", redirect_uri: `http://127.0.0.1:${OWN_REDIRECT}/oauth/callback` },
    });
    writeFileSync(join(world.gateway.dir, "secret.txt"), "s3cret+of the/client\n", { mode: 0o600 });
    const { child, url, ended } = await beginConnect(world.gateway, "web", ["--paste"]);
    const { url: back } = await browse(url, { until: (u) => u.includes(`:${OWN_REDIRECT}/`) });
    child.stdin.end(`${back}\n`);
    assert.equal((await ended).code, 0);
    await works(world);
    assert.equal(tokens(world)[0].basic, true);
  });

  test("without registration and without a client the command fails and names the redirect URI", async (t) => {
    const world = await startOauth(t, { as: ["--registration", "no"], connect: false });
    const { url, ended } = await beginConnect(world.gateway, "web");
    const { code, stderr } = await ended;
    assert.equal(url, null);
    assert.equal(code, 1);
    assert.match(stderr, new RegExp(`http://127.0.0.1:${world.gateway.port}/oauth/callback.*client_id`));
  });

  test("client_credentials, from a variable that the gateway's process has no more", async (t) => {
    process.env.ROBOT_SECRET = "robot secret: with+odd&characters";
    t.after(() => delete process.env.ROBOT_SECRET);
    const world = await startOauth(t, {
      oauth: { grant: "client_credentials", client_id: "robot", client_secret_env: "ROBOT_SECRET", scopes: ["read"] },
      connect: false,
    });
    const out = await run(MCPD, ["connect", "--config", world.gateway.config, "web"]);
    assert.equal(out.code, 0, out.stderr);
    assert.equal(out.stdout, "", "no address: nobody has to log in");
    await works(world);
    assert.equal(world.upstream.log().at(-1).client, "robot");
  });

  test("client_credentials steps up by itself when the server wants more scopes", async (t) => {
    process.env.ROBOT_SECRET = "robot secret: with+odd&characters";
    t.after(() => delete process.env.ROBOT_SECRET);
    const world = await startOauth(t, {
      mcp: ["--admin", "yes"],
      oauth: { grant: "client_credentials", client_id: "robot", client_secret_env: "ROBOT_SECRET", scopes: ["read"] },
      connect: false,
    });
    await run(MCPD, ["connect", "--config", world.gateway.config, "web"]);
    const got = rpcOf(
      await modern(world.gateway.port, "web", world.token, {
        params: { name: "delete_repo", arguments: { owner: "a", repo: "b" } },
      }),
    );
    assert.equal(got.result?.content?.[0]?.text, "deleted a/b", JSON.stringify(got));
    assert.match(tokens(world).at(-1).scope, /read.*admin/);
  });

  test("a person's login steps up by another login, for the union of scopes", async (t) => {
    const world = await startOauth(t, { mcp: ["--admin", "yes"] });
    const call = async () =>
      rpcOf(
        await modern(world.gateway.port, "web", world.token, {
          params: { name: "delete_repo", arguments: { owner: "a", repo: "b" } },
        }),
      );
    const before = await call();
    assert.match(before.result.content[0].text, /more scopes.*mcpd connect web/);
    assert.match((await command(world.gateway, "status")).stdout, /the server wants more scopes: admin; mcpd connect web/);
    const { url } = await login(world.gateway, "web");
    const asked = new URL(url).searchParams.get("scope").split(" ");
    for (const scope of ["read", "admin"]) assert.ok(asked.includes(scope), `${scope} in ${asked}`);
    assert.equal((await call()).result.content[0].text, "deleted a/b");
  });
});
