// SPDX-License-Identifier: Apache-2.0
// What a real server asks of real clients, through the gateway: a model's answer, a form, folders.
// The policy says what may be asked; who can't be asked is not bothered.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as v1 from "../node/client_v1.mjs";
import * as v2 from "../node/client_v2.mjs";
import { EVERYTHING, MCPD, NODE, compile, freePort, scratch, start, startGateway, stop } from "./lib.mjs";

const POLICY = `policy "asks" version 1;
server "every";
server "web";
default deny;
allow tool "*";
allow elicitation "form";
allow roots;
deny sampling when args.maxTokens > 500 reason "too many tokens";
allow sampling;
`;

const CAPABILITIES = { sampling: {}, elicitation: { form: {} }, roots: { listChanged: true } };

/** A client that answers everything it is asked, and says what that was. */
function answering(sdk) {
  const client = new sdk.Client({ name: "answering", version: "1" }, { capabilities: CAPABILITIES });
  const asked = [];
  const answers = {
    "sampling/createMessage": {
      role: "assistant",
      model: "m",
      content: { type: "text", text: "as the model says" },
    },
    "elicitation/create": { action: "accept", content: { name: "somebody" } },
    "roots/list": { roots: [{ uri: "file:///home/somebody", name: "home" }] },
  };
  const schemas = {
    "sampling/createMessage": v1.CreateMessageRequestSchema,
    "elicitation/create": v1.ElicitRequestSchema,
    "roots/list": v1.ListRootsRequestSchema,
  };
  for (const [method, answer] of Object.entries(answers)) {
    client.setRequestHandler(sdk === v1 ? schemas[method] : method, (request) => {
      asked.push(request.method);
      return answer;
    });
  }
  return { client, asked };
}

const text = (result) => result.content.map((c) => c.text ?? "").join("\n");

/* Roots are asked for on the stream that is about no call, which a stdio server has anyway. */
async function exercise({ client, asked }, what, withRoots = true) {
  const sampled = await client.callTool({
    name: "trigger-sampling-request",
    arguments: { prompt: "hello", maxTokens: 100 },
  });
  assert.match(text(sampled), /as the model says/, what);
  const refused = await client
    .callTool({ name: "trigger-sampling-request", arguments: { prompt: "hello", maxTokens: 501 } })
    .then(text, String);
  assert.match(refused, /too many tokens/, what);
  const elicited = await client.callTool({ name: "trigger-elicitation-request", arguments: {} });
  assert.match(text(elicited), /somebody/, what);
  for (const method of ["sampling/createMessage", "elicitation/create"])
    assert.ok(asked.includes(method), `${what}: ${method} in ${asked}`);
  if (withRoots) {
    const roots = await client.callTool({ name: "get-roots-list", arguments: {} });
    assert.match(text(roots), /home\/somebody/, what);
    assert.ok(asked.includes("roots/list"), what);
  }
  assert.equal(asked.filter((m) => m === "sampling/createMessage").length, 1, what);
}

test("a server's questions reach its own client, and the answers the server", async (t) => {
  const policy = await compile(scratch(t), "asks", POLICY);
  const port = await freePort();
  const upstream = await start(NODE, [EVERYTHING, "streamableHttp"], { env: { PORT: String(port) }, ready: /./ });
  t.after(() => stop(upstream, "SIGKILL"));
  const gateway = await startGateway(t, {
    servers: {
      every: { command: [NODE, EVERYTHING, "stdio"] },
      web: { url: `http://127.0.0.1:${port}/mcp` },
    },
    principals: { "dev-1": {} },
  });
  const { token } = await gateway.grant({ servers: ["every", "web"], policy });
  const headers = { Authorization: `Bearer ${token}` };
  for (const [what, sdk] of Object.entries({ v1, v2 })) {
    for (const alias of ["every", "web"]) {
      const one = answering(sdk);
      const url = new URL(gateway.url(alias));
      await one.client.connect(new sdk.StreamableHTTPClientTransport(url, { requestInit: { headers } }));
      t.after(() => one.client.close().catch(() => {}));
      await exercise(one, `${what} ${alias}`, alias === "every");
    }
  }
  const lines = gateway.audit().filter((line) => line.method === "sampling/createMessage");
  assert.deepEqual(new Set(lines.map((line) => line.verdict)), new Set(["allow", "deny"]));
});

test("so they do through mcpd run", async (t) => {
  const policy = await compile(scratch(t), "asks", POLICY);
  for (const [what, sdk] of Object.entries({ v1, v2 })) {
    const one = answering(sdk);
    const args = ["run", "--policy", policy, "--server", "every", "--", NODE, EVERYTHING, "stdio"];
    await one.client.connect(new sdk.StdioClientTransport({ command: MCPD, args, stderr: "ignore" }));
    t.after(() => one.client.close().catch(() => {}));
    await exercise(one, what);
  }
});
