// SPDX-License-Identifier: Apache-2.0
// Row 25 at the level of bytes: what two parsers could read in two ways is refused, the same in the
// clear and through TLS.
import assert from "node:assert/strict";
import { test } from "node:test";
import { decent, dial, dialled, exchange, request } from "./lib.mjs";

export const CALL = '{"jsonrpc":"2.0","id":5,"method":"tools/call","params":{"name":"echo","arguments":{"text":"x"}}}';
const SIZE = CALL.length.toString(16);
const CHUNKED = "Transfer-Encoding: chunked\r\n";
const LEN = `Content-Length: ${CALL.length}\r\n`;
const lines = (headers) => headers.map(([k, v]) => `${k}: ${v}\r\n`).join("");
const chunked = (size = SIZE, end = "0\r\n\r\n") => `${size}\r\n${CALL}\r\n${end}`;

/**
 * The tests of framing. at() gives, once they run: the port, a token for /mcp/web, a legacy session of it,
 * and the upstream that must not be reached.
 */
export function framing(at) {
  const good = (change = {}) =>
    decent(at().port, at().token, {
      "Mcp-Session-Id": at().session.sid,
      "MCP-Protocol-Version": "2025-11-25",
      ...change,
    });
  const head = (extra, { first = "POST /mcp/web HTTP/1.1", change } = {}) =>
    `${first}\r\n${lines(good(change))}${extra}\r\n`;

  async function notForwarded(act) {
    const before = at().upstream.calls().length;
    const got = await act();
    assert.equal(at().upstream.calls().length, before, "a call reached the server");
    return got;
  }

  /** Raw bytes that must be answered with 4xx or 501 or by hanging up, and never be forwarded. */
  function badFraming(name, make) {
    test(name, async () => {
      const got = await notForwarded(() => exchange(at().port, Buffer.from(make(), "latin1"), { ms: 20_000 }));
      assert.ok(got.status === 0 || (got.status >= 400 && got.status < 600), `${got.status} ${got.body}`);
      assert.notEqual(got.status, 500);
    });
  }

  test("a plain call by hand works, so that the cases below mean something", async () => {
    const got = await exchange(at().port, Buffer.from(head(LEN) + CALL));
    assert.equal(got.status, 200, got.body);
  });
  test("so does a chunked one", async () => {
    const got = await exchange(at().port, Buffer.from(head("Transfer-Encoding: chunked\r\n") + chunked()));
    assert.equal(got.status, 200, got.body);
  });
  badFraming("length and chunked", () => head(`${LEN}Transfer-Encoding: chunked\r\n`) + chunked());
  badFraming("chunked and length", () => head(`Transfer-Encoding: chunked\r\n${LEN}`) + chunked());
  badFraming("two equal lengths", () => head(LEN + LEN) + CALL);
  badFraming("two different lengths", () => head(`${LEN}Content-Length: 5\r\n`) + CALL);
  badFraming("a list of lengths", () => head(`Content-Length: ${CALL.length}, ${CALL.length}\r\n`) + CALL);
  for (const value of ["+5", "-1", "0x5", "5x", "5 6", "", "18446744073709551621", "5.0", "٥"]) {
    badFraming(`Content-Length "${value}"`, () => head(`Content-Length: ${value}\r\n`) + CALL);
  }
  for (const value of [
    "identity",
    "xchunked",
    "gzip, chunked",
    "chunked, chunked",
    "chunked, identity",
    "\x0bchunked",
    "chunked;q=1",
    "",
  ]) {
    badFraming(`Transfer-Encoding "${value}"`, () => head(`Transfer-Encoding: ${value}\r\n`) + chunked());
  }
  badFraming(
    "Transfer-Encoding twice",
    () => head("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") + chunked(),
  );
  badFraming(
    "Transfer-Encoding on HTTP/1.0",
    () => head("Transfer-Encoding: chunked\r\n", { first: "POST /mcp/web HTTP/1.0" }) + chunked(),
  );
  for (const size of ["0x5", "+5", " 5", "-5", "5 ", "ffffffffffffffff", "10000000000000005", "", "g"]) {
    badFraming(`chunk size "${size}"`, () => head("Transfer-Encoding: chunked\r\n") + chunked(size));
  }
  badFraming(
    "a chunk without its line end",
    () => `${head("Transfer-Encoding: chunked\r\n")}${CALL.length.toString(16)}\r\n${CALL}0\r\n\r\n`,
  );
  badFraming("a chunk line of 20 KB", () => head(CHUNKED) + chunked(`${SIZE};${"a".repeat(20_000)}`));
  badFraming("a chunk size with 20 KB of zeros", () => head(CHUNKED) + chunked("0".repeat(20_000) + SIZE));
  badFraming("a space behind the chunk size", () => head(CHUNKED) + chunked(`${SIZE} `));
  badFraming("a trailer field", () => head(CHUNKED) + chunked(SIZE, "0\r\nX-A: b\r\n\r\n"));
  badFraming("a trailer that would be a length", () => head(CHUNKED) + chunked(SIZE, `0\r\n${LEN}\r\n`));
  badFraming("a chunk longer than it says", () => head(CHUNKED) + chunked((CALL.length - 1).toString(16)));
  badFraming("a chunk end with LF only", () => head(CHUNKED) + chunked(SIZE, "0\r\n\n"));
  badFraming("a tab before the colon", () => head(`Transfer-Encoding\t: chunked\r\n`) + chunked());
  badFraming("a vertical tab behind the colon", () => head(`Transfer-Encoding:\x0b chunked\r\n`) + chunked());
  badFraming("quoted chunked", () => head(`Transfer-Encoding: "chunked"\r\n`) + chunked());
  badFraming("a first line folded", () => head(LEN, { first: "POST /mcp/web\r\n HTTP/1.1" }) + CALL);
  badFraming("an empty line and a fold before the headers", () => head(LEN, { first: "POST /mcp/web HTTP/1.1\r\n x: y" }) + CALL);
  badFraming("a NUL in a name", () => head(`X\0A: b\r\n${LEN}`) + CALL);
  badFraming("a byte beyond ASCII in a name", () => head(`X\xe9: b\r\n${LEN}`) + CALL);
  badFraming("no colon", () => head(`X-A\r\n${LEN}`) + CALL);
  badFraming("another authority than Host", () => head(LEN, { first: "POST http://evil.test/mcp/web HTTP/1.1" }) + CALL);
  badFraming("authority form", () => head(LEN, { first: "CONNECT 127.0.0.1:80 HTTP/1.1" }) + CALL);
  badFraming("an upgrade to HTTP/2 in the clear", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  badFraming(
    "chunk lines ended by LF only",
    () => `${head("Transfer-Encoding: chunked\r\n")}${CALL.length.toString(16)}\n${CALL}\n0\n\n`,
  );
  badFraming("lines ended by LF only", () => (head(LEN) + CALL).replaceAll("\r\n", "\n"));
  badFraming("one line ended by LF only", () => head(`X-A: b\n${LEN}`) + CALL);
  badFraming("a bare CR in a value", () => head(`X-A: b\rc\r\n${LEN}`) + CALL);
  badFraming("a folded line", () => head(`X-A: b\r\n c\r\n${LEN}`) + CALL);
  badFraming("a folded Transfer-Encoding", () => head(`Transfer-Encoding:\r\n chunked\r\n`) + chunked());
  badFraming("a space before the colon", () => head(`Content-Length : ${CALL.length}\r\n`) + CALL);
  badFraming("a space in a name", () => head(`X A: b\r\n${LEN}`) + CALL);
  badFraming("an empty name", () => head(`: b\r\n${LEN}`) + CALL);
  badFraming("NUL in a value", () => head(`X-A: b\0c\r\n${LEN}`) + CALL);
  badFraming("0x01 in a value", () => head(`X-A: b\x01c\r\n${LEN}`) + CALL);
  badFraming("no Host", () => head(LEN, { change: { Host: undefined } }) + CALL);
  badFraming("two Hosts", () => head(`Host: 127.0.0.1:${at().port}\r\n${LEN}`) + CALL);
  badFraming("two Authorization headers", () => head(`Authorization: Bearer x\r\n${LEN}`) + CALL);
  badFraming("a header of 100 KB", () => head(`X-A: ${"a".repeat(100_000)}\r\n${LEN}`) + CALL);
  badFraming("2,000 headers", () => head("X-A: b\r\n".repeat(2000) + LEN) + CALL);
  badFraming("absolute form", () => head(LEN, { first: "POST http://127.0.0.1/mcp/web HTTP/1.1" }) + CALL);
  for (const version of ["HTTP/2.0", "HTTP/1.01", "HTTP/0.9", "http/1.1", "HTTP/1.1 x", ""]) {
    badFraming(`version "${version}"`, () => head(LEN, { first: `POST /mcp/web ${version}` }) + CALL);
  }
  badFraming("two spaces in the first line", () => head(LEN, { first: "POST  /mcp/web HTTP/1.1" }) + CALL);
  badFraming("a space before the method", () => head(LEN, { first: " POST /mcp/web HTTP/1.1" }) + CALL);
  badFraming("a control byte in the target", () => head(LEN, { first: "POST /mcp/web\x01 HTTP/1.1" }) + CALL);
  badFraming("a TLS hello where HTTP is spoken", () => "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03");
  badFraming("an unknown method with a body", () => head(LEN, { first: "SMUGGLE /mcp/web HTTP/1.1" }) + CALL);

  test("a call behind an ambiguous request is not run as a second one", async () => {
    const second = head(LEN) + CALL;
    const cases = [
      head(`Content-Length: 0\r\nTransfer-Encoding: chunked\r\n`) + second,
      head(`Content-Length : ${second.length}\r\n`) + second,
      `${head("Content-Length: 0\r\nContent-Length: 9\r\n")}${second}`,
      head("Transfer-Encoding: identity\r\n") + second,
    ];
    for (const bytes of cases) {
      await notForwarded(async () => {
        await exchange(at().port, Buffer.from(bytes), { ms: 20_000 });
        await new Promise((done) => setTimeout(done, 100));
      });
    }
  });

  test("two whole calls on one connection are two calls", async () => {
    const before = at().upstream.calls().length;
    const one = head(LEN) + CALL;
    const bodies = await new Promise((done, fail) => {
      let text = "";
      const socket = dial(at().port);
      socket.on(dialled(socket), () => socket.write(one + one));
      socket.on("data", (part) => {
        text += part;
        const found = text.match(/echo \{/g)?.length ?? 0;
        if (found === 2) {
          socket.destroy();
          done(text);
        }
      });
      socket.on("error", fail);
      socket.on("close", () => fail(new Error(`closed after ${text}`)));
    });
    assert.equal(bodies.match(/HTTP\/1\.1 200/g).length, 2);
    assert.equal(at().upstream.calls().length, before + 2);
  });

  test("a request that comes byte by byte is one request", async () => {
    const bytes = Buffer.from(head(LEN) + CALL);
    const got = await new Promise((done, fail) => {
      let text = "";
      const socket = dial(at().port);
      socket.on(dialled(socket), async () => {
        socket.setNoDelay(true);
        for (const byte of bytes) {
          if (socket.destroyed) return;
          await new Promise((next) => socket.write(Buffer.from([byte]), next));
        }
      });
      socket.on("data", (part) => {
        text += part;
        if (text.includes("echo {")) {
          socket.destroy();
          done(text);
        }
      });
      socket.on("error", fail);
      socket.on("close", () => fail(new Error(`closed after ${text}`)));
    });
    assert.match(got, /^HTTP\/1\.1 200/);
  });

  for (const path of [
    "/MCP/web",
    "/mcp/web/",
    "/mcp//web",
    "//mcp/web",
    "/m%63p/web",
    "/mcp/w%65b",
    "/mcp/web?x=1",
    "/mcp/../mcp/web",
    "/mcp/web;a=b",
    "/mcp/web%00",
    "/mcp",
    "/mcp/",
    "/",
    "*",
    "/mcp/web#x",
    "/mcp\\web",
  ]) {
    test(`the path ${path} is not /mcp/web`, async () => {
      const got = await notForwarded(() => request(at().port, { path, headers: good(), body: CALL }));
      assert.ok([400, 404].includes(got.status), `${got.status}`);
    });
  }
}
