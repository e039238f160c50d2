// SPDX-License-Identifier: Apache-2.0
// What the tests of OAuth share: an authorization server and a protected server, a browser that
// follows redirects with its cookies, and `mcpd connect` driven to its end.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { compile, freePort, MCPD, run, startFixture, startGateway } from "./lib.mjs";
import { openPolicy, principals } from "./policies.mjs";

/** Authorization server, protected server, and a gateway before it whose grant may call everything. */
export async function startOauth(t, { as = [], mcp = [], oauth = {}, server = {}, config = {}, connect = true } = {}) {
  const issuer = await startFixture(t, "oauth_as", as);
  const upstream = await startFixture(t, "oauth_mcp", ["--issuer", issuer.url, ...mcp]);
  const port = await freePort();
  const { servers, ...rest } = config;
  const gateway = await startGateway(t, {
    listen: `127.0.0.1:${port}`,
    principals,
    servers: { web: { url: upstream.url, oauth: { development: true, ...oauth }, ...server }, ...servers },
    limits: { max_calls_per_grant: 512 },
    ...rest,
  });
  const policy = await compile(gateway.dir, "open-web", openPolicy("web"));
  const { token, id } = await gateway.grant({ servers: "web", policy });
  const world = { issuer, upstream, gateway, policy, token, grant: id, control: controlOf(issuer.url) };
  if (connect) await login(gateway, "web");
  return world;
}

/** Changes the authorization server's behaviour; gives its counters. */
export function controlOf(issuer) {
  return async (wish = {}) =>
    (await fetch(`${issuer}/control`, { method: "POST", body: JSON.stringify(wish) })).json();
}

/** A browser: follows redirects with cookies until a page is shown. Stops before `until`. */
export async function browse(url, { until } = {}) {
  const cookies = new Map();
  for (let i = 0; i < 20; i++) {
    if (until?.(url)) return { url };
    const response = await fetch(url, {
      redirect: "manual",
      headers: { Cookie: [...cookies].map(([k, v]) => `${k}=${v}`).join("; ") },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const at = pair.indexOf("=");
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const next = response.headers.get("location");
    if (!next) return { url, status: response.status, text: await response.text() };
    url = new URL(next, url).href;
  }
  throw new Error(`too many redirects: ${url}`);
}

/** `mcpd connect`, with the address it printed; `ended` gives how it came out. */
export async function beginConnect(gateway, alias, args = []) {
  const child = spawn(MCPD, ["connect", "--config", gateway.config, ...args, alias], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.on("data", (part) => (stderr += part));
  const ended = new Promise((done) => child.once("close", (code) => done({ code, stderr })));
  const url = await new Promise((done) => {
    createInterface({ input: child.stdout }).on("line", done);
    child.once("close", () => done(null));
  });
  return { child, url, ended };
}

/** A login from begin to end by a browser of the fixture's. */
export async function login(gateway, alias, args = []) {
  const { url, ended } = await beginConnect(gateway, alias, args);
  if (!url) {
    const { code, stderr } = await ended;
    assert.fail(`mcpd connect ${alias}: no address; exit ${code}, ${stderr}`);
  }
  const page = await browse(url);
  const { code, stderr } = await ended;
  assert.equal(code, 0, `mcpd connect ${alias}: ${stderr}; page ${page.status} ${page.text}`);
  return { url, page };
}

export async function command(gateway, ...args) {
  const [name, ...rest] = args;
  return run(MCPD, [...name.split(" "), "--config", gateway.config, ...rest]);
}
