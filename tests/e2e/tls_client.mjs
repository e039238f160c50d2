// SPDX-License-Identifier: Apache-2.0
// A real SDK client in a process of its own, since the authorities that Node trusts are told to it at
// its start: node tls_client.mjs v1|v2 URL TOKEN. Prints the tools' names.
import * as v1 from "../node/client_v1.mjs";
import * as v2 from "../node/client_v2.mjs";

const [line, url, token] = process.argv.slice(2);
const { Client, StreamableHTTPClientTransport } = { v1, v2 }[line];
const client = new Client({ name: "tls", version: "1" }, { capabilities: {} });
const headers = { Authorization: `Bearer ${token}` };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit: { headers } }));
console.log((await client.listTools()).tools.map((tool) => tool.name).join(" "));
await client.close();
