// SPDX-License-Identifier: Apache-2.0
// The fixture servers without a gateway: each speaks the eras it claims to, so that a
// failure elsewhere is the gateway's.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  NODE,
  call,
  callsIn,
  connect,
  connectStdio,
  fixture,
  jsonLines,
  scratch,
  startFixture,
  toolNames,
} from "./lib.mjs";
import { adminTools } from "./policies.mjs";

const speaks = {
  legacy: ["v1", "v2 legacy", "v2 auto"],
  modern: ["v2 auto", "v2 modern"],
  dual: ["v1", "v2 legacy", "v2 auto", "v2 modern"],
  strict: ["v1", "v2 legacy", "v2 auto"],
};

for (const era of ["legacy", "modern", "dual"]) {
  for (const answer of ["json", "sse"]) {
    test(`fixture over HTTP: ${era}, ${answer}`, async (t) => {
      const server = await startFixture(t, "dual_http", ["--era", era, "--answer", answer]);
      for (const kind of speaks[era]) {
        const client = await connect(t, kind, server.url);
        assert.deepEqual(await toolNames(client), adminTools, kind);
        assert.equal((await call(client, "echo", { text: kind })).text, `echo {"text":"${kind}"}`);
      }
      assert.equal(server.calls().length, speaks[era].length, "every call is on record");
    });
  }
}

for (const era of ["legacy", "modern", "dual", "strict"]) {
  test(`fixture over stdio: ${era}`, async (t) => {
    const log = join(scratch(t), "stdio.log");
    for (const kind of speaks[era]) {
      const client = await connectStdio(t, kind, NODE, [fixture("dual_stdio"), "--era", era, "--log", log]);
      assert.deepEqual(await toolNames(client), adminTools, kind);
      assert.equal((await call(client, "echo", { text: kind })).text, `echo {"text":"${kind}"}`);
      await client.close();
    }
    assert.equal(callsIn(jsonLines(log)).length, speaks[era].length, "every call is on record");
  });
}

test("fixture with faults: behaves until it is asked not to", async (t) => {
  const server = await startFixture(t, "raw_http");
  const client = await connect(t, "v1", server.url);
  assert.ok((await toolNames(client)).includes("wrong_id"));
  assert.equal((await call(client, "good")).text, "good");
  assert.equal((await call(client, "split_event")).text, "joined");
});
