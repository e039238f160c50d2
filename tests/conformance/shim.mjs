// SPDX-License-Identifier: Apache-2.0
// The suite can't send an Authorization header: this adds the grant's, maps the path, and touches
// nothing else. Host and Origin arrive at the gateway as the suite sent them.
import { createServer, request } from "node:http";

/** Listens on a free port; aim({port, path, token}) says where to, later. */
export function openShim() {
  let target;
  const server = createServer((req, res) => {
    const headers = req.rawHeaders.filter((_, i, all) => !/^authorization$/i.test(all[i - (i % 2)]));
    headers.push("Authorization", `Bearer ${target.token}`);
    const path = req.url === "/mcp" ? target.path : req.url;
    const out = request({ host: "127.0.0.1", port: target.port, path, method: req.method, headers, setHost: false }, (answer) => {
      res.writeHead(answer.statusCode, answer.statusMessage, answer.rawHeaders);
      answer.pipe(res);
    });
    out.on("error", () => res.destroy());
    res.on("close", () => out.destroy());
    req.pipe(out);
  });
  return new Promise((done) => {
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      done({
        port,
        url: `http://localhost:${port}/mcp`,
        aim: (where) => (target = where),
        close: () => {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
