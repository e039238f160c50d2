// SPDX-License-Identifier: Apache-2.0
// Memory of mcpd for idle streams: each a session's own stream (GET) on a connection of its own,
// plain HTTP. As many as 10,000, or as the limit on descriptors lets mcpd have. About 20 seconds.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MCPC, NODE, ROOT, Gateway, run } from "../e2e/lib.mjs";

const DESCRIPTORS_PER_CONNECTION = 4;
const AT_ONCE = 50;
const hard = Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" }));
const count = Math.min(10_000, Math.floor(hard / DESCRIPTORS_PER_CONNECTION) - 100);

const memory = (pid) => {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  const kib = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(text)[1]);
  return { resident: kib("Rss"), dirty: kib("Private_Dirty") };
};

/** One response's head and body of known length, or the head of a stream. */
function ask(socket, lines, body = "") {
  return new Promise((done, fail) => {
    let text = "";
    const take = (part) => {
      text += part;
      const at = text.indexOf("\r\n\r\n");
      if (at < 0) return;
      const length = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
      if (text.length < at + 4 + length) return;
      socket.off("data", take);
      done(text);
    };
    socket.on("data", take);
    socket.once("error", fail);
    socket.write(`${lines.join("\r\n")}\r\n\r\n${body}`);
  });
}

async function openStream(port, token) {
  const socket = net.connect(port, "127.0.0.1");
  const common = [`Host: 127.0.0.1:${port}`, `Authorization: Bearer ${token}`];
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 0,
    method: "initialize",
    params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo: { name: "bench", version: "1" } },
  });
  const hello = await ask(
    socket,
    [
      "POST /mcp/none HTTP/1.1",
      ...common,
      "Content-Type: application/json",
      "Accept: application/json, text/event-stream",
      `Content-Length: ${body.length}`,
    ],
    body,
  );
  const session = /mcp-session-id: (\S+)/i.exec(hello)[1];
  const stream = await ask(socket, [
    "GET /mcp/none HTTP/1.1",
    ...common,
    "Accept: text/event-stream",
    `Mcp-Session-Id: ${session}`,
  ]);
  if (!stream.startsWith("HTTP/1.1 200")) throw new Error(stream);
  socket.on("error", () => {});
  socket.resume();
  return socket;
}

const dir = mkdtempSync(join(tmpdir(), "mcpd-bench-"));
writeFileSync(join(dir, "none.pol"), 'policy "none" version 1;\nserver "none";\ndefault deny;\n');
await run(MCPC, ["compile", join(dir, "none.pol"), "-o", join(dir, "none.polb")]);
const gateway = new Gateway(dir, {
  servers: { none: { command: [NODE, join(ROOT, "nothing")] } },
  principals: { "dev-1": {} },
  limits: { max_connections: count + 100, max_sessions_per_grant: count + 1 },
});
await gateway.start();
try {
  const { token } = await gateway.grant({ servers: ["none"], policy: join(dir, "none.polb") });
  const pid = gateway.proc.child.pid;
  await (await openStream(gateway.port, token)).destroy();
  const before = memory(pid);
  const sockets = [];
  const started = Date.now();
  while (sockets.length < count) {
    const batch = Array.from({ length: Math.min(AT_ONCE, count - sockets.length) }, () =>
      openStream(gateway.port, token),
    );
    sockets.push(...(await Promise.all(batch)));
  }
  const after = memory(pid);
  const each = ((after.dirty - before.dirty) / count).toFixed(1);
  console.log(
    `Idle streams: ${count} opened in ${Date.now() - started} ms; ${each} KiB private and dirty each, ` +
      `${(after.resident / 1024).toFixed(0)} MiB resident in all (${(before.resident / 1024).toFixed(0)} MiB before)`,
  );
  for (const socket of sockets) socket.destroy();
} finally {
  await gateway.stop();
  rmSync(dir, { recursive: true, force: true });
}
