// SPDX-License-Identifier: Apache-2.0
// A real authorization server (oidc-provider) on loopback: registration, PKCE, rotation with reuse
// detection, resource indicators, revocation, introspection, client credentials. Whoever comes with
// a browser is logged in as "alice" and consents to everything.
//   --port N  --log FILE     every request becomes a line of FILE (no token in it)
//   --ttl S  --refresh-ttl S lifetimes of tokens
//   --registration no        no dynamic registration
//   --auth-methods a,b       of the token endpoint
//   --pkce-silent yes        metadata does not list code challenge methods
//   --leak yes               /control tells every token, code and secret that was issued, for a search
//   --grace yes              a refresh token that was used a moment ago is good once more
// POST /control with a JSON object changes its behaviour:
//   {"fail":N}     the next N token requests get a 503     {"drop":N}   are handled, the answer is cut
//   {"delay":MS}   token requests take so long             {"html":N}   get a page, status 400
//   {"ttl":S}      tokens that are issued from now on live so long
//   {"revoke":true} forgets all grants                     {"down":true}  answers nothing
import { appendFileSync } from "node:fs";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { Provider } from "../../node/oauth_provider.mjs";
import { options } from "./tools.mjs";

const opt = options({
  port: "0",
  log: "",
  ttl: "3600",
  "refresh-ttl": "86400",
  registration: "yes",
  "auth-methods": "client_secret_basic,client_secret_post,private_key_jwt,none",
  "pkce-silent": "no",
  grace: "no",
  leak: "no",
});
const control = { fail: 0, drop: 0, html: 0, delay: 0, down: false, ttl: Number(opt.ttl) };
const stats = { token: 0, refresh: 0, code: 0, client: 0, revocation: 0, refused: 0, registration: 0 };
const secrets = new Set();
const RESOURCE_SCOPES = "read write admin";
const server = createServer();
await new Promise((done) => server.listen(Number(opt.port), "127.0.0.1", done));
const issuer = `http://127.0.0.1:${server.address().port}`;

function adapterStore() {
  const rows = new Map();
  class Memory {
    constructor(name) {
      this.name = name;
    }
    key = (id) => `${this.name}:${id}`;
    async upsert(id, payload, expiresIn) {
      rows.set(this.key(id), { ...payload, until: expiresIn ? Date.now() + expiresIn * 1000 : Infinity });
    }
    async find(id) {
      const row = rows.get(this.key(id));
      return row && row.until > Date.now() ? row : undefined;
    }
    async findByUid(uid) {
      for (const [key, row] of rows) if (key.startsWith(`${this.name}:`) && row.uid === uid) return row;
      return undefined;
    }
    async findByUserCode() {}
    async destroy(id) {
      rows.delete(this.key(id));
    }
    async consume(id) {
      const row = rows.get(this.key(id));
      if (row) row.consumed = Math.floor(Date.now() / 1000);
    }
    async revokeByGrantId(grantId) {
      for (const [key, row] of rows) if (row.grantId === grantId) rows.delete(key);
    }
  }
  return { Memory, rows };
}
const { Memory, rows } = adapterStore();

const provider = new Provider(issuer, {
  adapter: Memory,
  clients: [
    {
      client_id: "resource-server",
      client_secret: "resource-server-secret-of-the-fixture",
      grant_types: [],
      redirect_uris: [],
      response_types: [],
    },
    {
      client_id: "robot",
      client_secret: "robot secret: with+odd&characters",
      grant_types: ["client_credentials"],
      redirect_uris: [],
      response_types: [],
      token_endpoint_auth_method: "client_secret_basic",
      scope: "read write admin",
    },
    ...JSON.parse(process.env.FIXTURE_CLIENTS ?? "[]"),
  ],
  clientAuthMethods: opt["auth-methods"].split(","),
  cookies: { keys: ["fixture"] },
  pkce: { required: () => true },
  scopes: ["openid", "offline_access", "read", "write", "admin"],
  features: {
    devInteractions: { enabled: false },
    registration: { enabled: opt.registration === "yes" },
    revocation: { enabled: true },
    introspection: {
      enabled: true,
      allowedPolicy: (_ctx, client) => client.clientId === "resource-server",
    },
    clientCredentials: { enabled: true },
    rpInitiatedLogout: { enabled: false },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      useGrantedResource: () => true,
      getResourceServerInfo: (_ctx, resource) => ({
        scope: RESOURCE_SCOPES,
        audience: resource,
        accessTokenTTL: control.ttl,
        accessTokenFormat: "opaque",
      }),
    },
  },
  ttl: {
    AccessToken: () => control.ttl,
    ClientCredentials: () => control.ttl,
    RefreshToken: Number(opt["refresh-ttl"]),
    AuthorizationCode: 60,
    Grant: 86400,
    Interaction: 600,
    Session: 86400,
    IdToken: 3600,
  },
  rotateRefreshToken: true,
  issueRefreshToken: async (_ctx, client) => client.grantTypeAllowed("refresh_token"),
  findAccount: (_ctx, id) => ({ accountId: id, claims: async () => ({ sub: id }) }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
});
provider.on("server_error", (_ctx, error) => console.error("server_error", error));
if (opt.grace === "yes") {
  // A provider with leeway: a token that was used in this moment may be used again.
  const consume = Memory.prototype.consume;
  Memory.prototype.consume = function (id) {
    return this.name === "RefreshToken" ? undefined : consume.call(this, id);
  };
}

async function interact(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === "login") {
    return provider.interactionFinished(req, res, { login: { accountId: "alice" } });
  }
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope ?? "openid");
  for (const resource of [params.resource].flat().filter(Boolean)) {
    grant.addResourceScope(resource, params.scope ?? RESOURCE_SCOPES);
  }
  return provider.interactionFinished(req, res, { consent: { grantId: await grant.save() } });
}

async function bodyOf(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}

function note(entry) {
  if (opt.log) appendFileSync(opt.log, JSON.stringify(entry) + "\n");
}

function forget() {
  for (const key of rows.keys()) if (/^(Grant|AccessToken|RefreshToken):/.test(key)) rows.delete(key);
}

async function takeControl(req, res) {
  const wish = JSON.parse((await bodyOf(req)) || "{}");
  Object.assign(control, wish);
  if (wish.revoke) forget();
  res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ ...stats, ...control, secrets: [...secrets] }));
}

// Whether a refresh token is still the newest of a grant that lives.
async function takeLook(req, res) {
  const { token, access } = JSON.parse(await bodyOf(req));
  if (access) {
    const row = await provider.AccessToken.find(access);
    const said = row ? { active: true, aud: row.aud, scope: row.scope, client_id: row.clientId, sub: row.accountId } : {};
    res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(said));
    return;
  }
  const found = await provider.RefreshToken.find(token);
  const isGood = Boolean(found && !found.consumed && rows.has(`Grant:${found.grantId}`));
  res.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify({ good: isGood }));
}

const callback = provider.callback();

function watch(form, res) {
  for (const name of ["code", "code_verifier", "refresh_token", "client_secret"])
    if (form.get(name)) secrets.add(form.get(name));
  const end = res.end.bind(res);
  res.end = (body) => {
    const answer = JSON.parse(body);
    for (const name of ["access_token", "refresh_token", "id_token"]) if (answer[name]) secrets.add(answer[name]);
    return end(body);
  };
}

async function token(req, res) {
  const raw = await bodyOf(req);
  const form = new URLSearchParams(raw);
  stats.token++;
  const kind = form.get("grant_type");
  if (kind === "refresh_token") stats.refresh++;
  if (kind === "authorization_code") stats.code++;
  if (kind === "client_credentials") stats.client++;
  note({
    token: kind,
    resource: form.get("resource"),
    audience: form.get("audience"),
    scope: form.get("scope"),
    basic: /^Basic /.test(req.headers.authorization ?? ""),
    secret: form.has("client_secret"),
    assertion: form.has("client_assertion"),
  });
  if (control.delay) await sleep(control.delay);
  if (control.fail > 0) {
    control.fail--;
    res.writeHead(503).end("later");
    return;
  }
  if (control.html > 0) {
    control.html--;
    res.writeHead(400, { "Content-Type": "text/html" }).end("<p>blocked</p>");
    return;
  }
  req.body = Object.fromEntries(form);
  if (control.drop > 0) {
    control.drop--;
    res.end = function () {
      this.destroy();
      return this;
    };
  }
  res.on("finish", () => {
    if (res.statusCode >= 400) stats.refused++;
  });
  if (opt.leak === "yes") watch(form, res);
  callback(req, res);
}

server.on("request", async (req, res) => {
  const path = new URL(req.url, issuer).pathname;
  if (path === "/control") return takeControl(req, res);
  if (path === "/look") return takeLook(req, res);
  if (control.down) return req.socket.destroy();
  if (!req.url.startsWith("/token")) note({ http: req.method, url: req.url });
  if (path.startsWith("/interaction/")) return interact(req, res).catch((e) => res.writeHead(500).end(String(e)));
  if (path === "/token" && req.method === "POST") return token(req, res);
  if (path === "/token/revocation") stats.revocation++;
  if (path === "/reg") stats.registration++;
  if (opt["pkce-silent"] === "yes" && path.startsWith("/.well-known/")) {
    const end = res.end.bind(res);
    res.end = (body) => {
      const doc = JSON.parse(body);
      delete doc.code_challenge_methods_supported;
      const text = JSON.stringify(doc);
      res.setHeader("Content-Length", Buffer.byteLength(text));
      return end(text);
    };
  }
  return callback(req, res);
});
console.log(`ready ${issuer}`);
