// SPDX-License-Identifier: Apache-2.0
// Messages of other kinds than tools: resources, templates, prompts, completion and logging of a
// real server, through the gateway, with clients of both lines of the SDK and both eras.
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVERYTHING, NODE, CLIENTS, compile, connect, modern, openLegacy, rpcOf, scratch, startFixture, startGateway } from "./lib.mjs";

const DENIED = 4030;
const POLICY = `policy "kinds-e2e" version 1;
server "every";
allow tool "echo";
allow resource "demo://resource/static/document/*.md" unless "guests" in principal.groups;
deny resource "demo://resource/static/document/how-it-works.md" reason "not that one";
allow resource "demo://resource/dynamic/text/**" when call.method == "resources/read";
allow prompt "simple-prompt";
allow prompt "args-prompt" when args.city != "Paris" reason "Paris is closed";
allow completion "completable-prompt";
allow logging when args.level in { "info", "error" } reason "no debugging";
`;
const QUIET = `policy "quiet-e2e" version 1;
server "every";
allow tool "echo";
`;
const STATIC = "demo://resource/static/document";

async function setup(t, text = POLICY) {
  const dir = scratch(t);
  const policy = await compile(dir, "kinds", text);
  const gateway = await startGateway(t, {
    servers: { every: { command: [NODE, EVERYTHING, "stdio"] } },
    principals: { "dev-1": { groups: ["dev"] }, guest: { groups: ["guests"] } },
  });
  const grant = await gateway.grant({ servers: "every", policy });
  return { gateway, policy, grant };
}

/** The decision in the error of a message that must fail. */
async function denied(promise, code = DENIED) {
  const error = await promise.then(
    (got) => assert.fail(`it was allowed: ${JSON.stringify(got)}`),
    (e) => e,
  );
  assert.equal(error.code, code, `${error.message}`);
  return error.data?.["mcpd/decision"];
}

for (const kind of CLIENTS) {
  test(`${kind}: resources, prompts and completion are judged`, async (t) => {
    const { gateway, grant } = await setup(t);
    const client = await connect(t, kind, gateway.url("every"), grant.token);
    const uris = (await client.listResources()).resources.map((one) => one.uri);
    assert.ok(uris.includes(`${STATIC}/architecture.md`), uris.join());
    assert.ok(!uris.includes(`${STATIC}/how-it-works.md`) && uris.every((uri) => uri.startsWith(`${STATIC}/`)));
    const templates = (await client.listResourceTemplates()).resourceTemplates.map((one) => one.uriTemplate);
    assert.deepEqual(templates, ["demo://resource/dynamic/text/{resourceId}"]);
    const prompts = (await client.listPrompts()).prompts.map((one) => one.name).sort();
    assert.deepEqual(prompts, ["args-prompt", "simple-prompt"]);

    const read = await client.readResource({ uri: `${STATIC}/architecture.md` });
    assert.ok(read.contents[0].text.length > 100);
    const other = await denied(client.readResource({ uri: `${STATIC}/how-it-works.md` }));
    assert.equal(other.reason, "not that one");
    assert.equal(other.source, "kinds.pol:5");
    for (const uri of [`${STATIC}/../document/how-it-works.md`, `${STATIC}/how%2Dit-works.md`, "DEMO://resource/static/document/architecture.md"]) {
      assert.equal((await denied(client.readResource({ uri }))).cause, "not_canonical", uri);
    }
    assert.equal((await denied(client.readResource({ uri: "demo://resource/dynamic/blob/1" }))).cause, "default");
    assert.match((await client.readResource({ uri: "demo://resource/dynamic/text/1" })).contents[0].text, /Resource 1/);

    assert.ok((await client.getPrompt({ name: "simple-prompt" })).messages.length);
    const rome = await client.getPrompt({ name: "args-prompt", arguments: { city: "Rome" } });
    assert.match(JSON.stringify(rome.messages), /Rome/);
    assert.equal((await denied(client.getPrompt({ name: "args-prompt", arguments: { city: "Paris" } }))).reason, "Paris is closed");
    assert.equal((await denied(client.getPrompt({ name: "resource-prompt" }))).cause, "default");
    const argument = { name: "department", value: "S" };
    const done = await client.complete({ ref: { type: "ref/prompt", name: "completable-prompt" }, argument });
    assert.deepEqual(done.completion.values, ["Sales", "Support"]);
    await denied(client.complete({ ref: { type: "ref/prompt", name: "args-prompt" }, argument }));

    const lines = gateway.audit().filter((line) => line.kind);
    assert.ok(lines.some((l) => l.kind === "resource" && l.name === `${STATIC}/architecture.md` && l.verdict === "allow"));
    assert.ok(lines.some((l) => l.kind === "prompt" && l.name === "args-prompt" && l.verdict === "deny" && l.argument_keys[0] === "city"));
    assert.ok(!JSON.stringify(lines).includes("Paris\""), "no argument's value");
  });

  test(`${kind}: without rules a kind is neither offered nor reachable`, async (t) => {
    const { gateway, grant } = await setup(t, QUIET);
    const client = await connect(t, kind, gateway.url("every"), grant.token);
    assert.deepEqual(Object.keys(client.getServerCapabilities()), ["tools"]);
    const { token } = grant;
    const say = kind === "v2 modern" || kind === "v2 auto" ? modernSay(gateway, token) : await legacySay(gateway, token);
    for (const [method, params, list] of [
      ["resources/list", {}, "resources"],
      ["resources/templates/list", {}, "resourceTemplates"],
      ["prompts/list", {}, "prompts"],
    ]) {
      assert.deepEqual((await say(method, params)).result[list], [], method);
    }
    for (const [method, params] of [
      ["resources/read", { uri: `${STATIC}/architecture.md` }],
      ["prompts/get", { name: "simple-prompt" }],
      ["completion/complete", { ref: { type: "ref/prompt", name: "completable-prompt" }, argument: { name: "department", value: "" } }],
    ]) {
      const { error } = await say(method, params);
      assert.equal(error.code, DENIED, method);
      assert.equal(error.data["mcpd/decision"].verdict, "deny");
    }
  });
}

function modernSay(gateway, token) {
  return async (method, params) => rpcOf(await modern(gateway.port, "every", token, { method, params }));
}

async function legacySay(gateway, token) {
  const session = await openLegacy(gateway.port, "every", token);
  return session.rpc;
}

test("logging is judged by its level; what nothing governs is no method", async (t) => {
  const { gateway, grant } = await setup(t);
  const client = await connect(t, "v2 legacy", gateway.url("every"), grant.token);
  assert.deepEqual(Object.keys(client.getServerCapabilities()).sort(), ["completions", "logging", "prompts", "resources", "tools"]);
  await client.setLoggingLevel("error");
  assert.equal((await denied(client.setLoggingLevel("debug"))).reason, "no debugging");
  const { rpc } = await openLegacy(gateway.port, "every", grant.token);
  for (const method of ["sampling/createMessage", "roots/list", "tasks/list", "tasks/get"]) {
    const { error } = await rpc(method, { uri: `${STATIC}/architecture.md`, taskId: "1" });
    assert.equal(error.code, -32601, method);
  }
  assert.ok(gateway.audit().some((l) => l.method === "tasks/get" && l.cause === "not_governed"));
  for (const params of [undefined, {}, { uri: 1 }, { uri: "x".repeat(9000) }]) {
    assert.equal((await rpc("resources/read", params)).error.code, -32602);
  }
  const ref = { type: "ref/prompt", name: "completable-prompt", uri: "file:///etc/passwd" };
  assert.equal((await rpc("completion/complete", { ref, argument: { name: "a", value: "" } })).error.code, -32602);
});

test("the header names what the body names; groups decide about resources, too", async (t) => {
  const { gateway, grant, policy } = await setup(t);
  const read = (token, uri, change) => modern(gateway.port, "every", token, { method: "resources/read", params: { uri }, change });
  const uri = `${STATIC}/architecture.md`;
  assert.equal((await read(grant.token, uri)).status, 200);
  for (const other of [`${STATIC}/how-it-works.md`, undefined, uri.toUpperCase()]) {
    const response = await read(grant.token, uri, { "Mcp-Name": other });
    assert.deepEqual([response.status, rpcOf(response).error.code], [400, -32020], `${other}`);
  }
  const guest = await gateway.grant({ principal: "guest", servers: "every", policy });
  assert.equal(rpcOf(await read(guest.token, uri)).error.code, DENIED);
  const list = rpcOf(await modern(gateway.port, "every", guest.token, { method: "resources/list" })).result;
  assert.deepEqual(list.resources, []);
  assert.deepEqual([list.cacheScope, list.resultType], ["private", "complete"]);
});

for (const era of ["modern", "legacy"]) {
  test(`a server of the ${era} era over HTTP, clients of both`, async (t) => {
    const server = await startFixture(t, "dual_http", ["--era", era]);
    const dir = scratch(t);
    const text = 'policy "notes" version 1;\nserver "web";\nallow resource "note:///*";\nallow prompt "*b*";\n';
    const policy = await compile(dir, "notes", text);
    const gateway = await startGateway(t, { servers: { web: { url: server.url } }, principals: { "dev-1": {} } });
    const { token } = await gateway.grant({ servers: "web", policy });
    for (const kind of CLIENTS) {
      const client = await connect(t, kind, gateway.url("web"), token);
      assert.deepEqual((await client.listTools()).tools, []);
      assert.deepEqual((await client.listResources()).resources.map((one) => one.uri), ["note:///today"]);
      assert.equal((await client.readResource({ uri: "note:///today" })).contents[0].text, "read note:///today");
      assert.deepEqual((await client.listPrompts()).prompts.map((one) => one.name), ["überprüfung\tx"]);
      const prompt = await client.getPrompt({ name: "überprüfung\tx" });
      assert.equal(prompt.messages[0].content.text, "got überprüfung\tx");
      await denied(client.getPrompt({ name: "review" }));
      await denied(client.readResource({ uri: "note:///a/b" }));
    }
  });
}
