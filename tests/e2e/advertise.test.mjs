// SPDX-License-Identifier: Apache-2.0
// What `advertise` shows: a real server's list through the gateway, its tools pinned, with the
// conditions of some rules written into the schemas, per principal; all else as the server sent it.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { CLIENTS, EVERYTHING, MCPC, NODE, assertDenied, call, compile, connect, run, scratch, startGateway } from "./lib.mjs";

const COMMAND = [NODE, EVERYTHING, "stdio"];
const POLICY = `policy "advertise-e2e" version 1;
server "every" tools "every.tools.json";
allow tool "get-annotated-message" when args.messageType in { "success", "debug" } advertise;
allow tool "get-resource-links" when (args.count ?? 3) <= 5 advertise;
allow tool "get-sum" when args.a < 100 and args.b >= 0.5 advertise;
allow tool "get-sum" when "admins" in principal.groups;
allow tool "echo" when args.message == "hi";
deny tool "echo" when args.message == "secret" advertise;
`;

async function setup(t) {
  const dir = scratch(t);
  const pinned = await run(MCPC, ["pin", "-o", join(dir, "every.tools.json"), "--stdio", "--", ...COMMAND]);
  assert.equal(pinned.code, 0, pinned.stderr);
  const policy = await compile(dir, "advertise", POLICY);
  const gateway = await startGateway(t, {
    servers: { every: { command: COMMAND } },
    principals: { dev: { groups: ["dev"] }, admin: { groups: ["admins"] } },
  });
  const whole = await compile(dir, "whole", 'policy "whole"; server "every"; allow tool "*";');
  const tokens = { all: (await gateway.grant({ principal: "dev", servers: "every", policy: whole })).token };
  for (const principal of ["dev", "admin"]) {
    tokens[principal] = (await gateway.grant({ principal, servers: "every", policy })).token;
  }
  return { gateway, tokens };
}

const byName = (list) => Object.fromEntries(list.tools.map((tool) => [tool.name, tool]));

for (const kind of CLIENTS) {
  test(`${kind}: schemas are narrowed for those whom the conditions bind, and for nobody else`, async (t) => {
    const { gateway, tokens } = await setup(t);
    const direct = byName(await (await connect(t, kind, gateway.url("every"), tokens.all)).listTools());
    const client = await connect(t, kind, gateway.url("every"), tokens.dev);
    const shown = byName(await client.listTools());
    assert.deepEqual(Object.keys(shown).sort(), ["echo", "get-annotated-message", "get-resource-links", "get-sum"]);

    const expected = structuredClone(direct);
    const of = (name) => expected[name].inputSchema.properties;
    assert.deepEqual(of("get-annotated-message").messageType.enum.toSorted(), ["debug", "error", "success"]);
    of("get-annotated-message").messageType.enum = of("get-annotated-message").messageType.enum.filter((one) => one !== "error");
    of("get-resource-links").count.maximum = 5;
    Object.assign(of("get-sum").a, { exclusiveMaximum: 100 });
    Object.assign(of("get-sum").b, { minimum: 0.5 });
    for (const name of Object.keys(shown)) assert.deepEqual(shown[name], expected[name], name);

    const admin = await connect(t, kind, gateway.url("every"), tokens.admin);
    assert.deepEqual(byName(await admin.listTools())["get-sum"], direct["get-sum"], "admins may add anything");

    assert.ok(!(await call(client, "get-sum", { a: 99.5, b: 0.5 })).isError);
    assertDenied(await call(client, "get-sum", { a: 100, b: 0.5 }), { cause: "default" });
    assert.ok(!(await call(client, "get-resource-links", {})).isError);
    assert.ok(!(await call(client, "get-annotated-message", { messageType: "debug" })).isError);
    assertDenied(await call(client, "get-annotated-message", { messageType: "error" }), { cause: "default" });
  });
}
