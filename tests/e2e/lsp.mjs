// SPDX-License-Identifier: Apache-2.0
// An editor for tests: it starts `mcpc lsp`, speaks to it by VS Code's own client library, and holds
// its documents' texts, so that every answer is applied where an editor would apply it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { protocol } from "../node/lsp_client.mjs";
import { MCPC } from "./lib.mjs";

const ANSWER_MS = 10_000;

/** The offset in `text` of a position in UTF-16 units, as JavaScript counts. */
export function offsetOf(text, { line, character }) {
  let at = 0;
  for (; line > 0; line--) {
    const rest = /\r\n|\n|\r/.exec(text.slice(at));
    assert.ok(rest, "the position lies in the text");
    at += rest.index + rest[0].length;
  }
  return at + character;
}

export function positionOf(text, offset) {
  const before = text.slice(0, offset).split(/\r\n|\n|\r/);
  return { line: before.length - 1, character: before.at(-1).length };
}

/** The text with edits applied, last first. */
export function applyEdits(text, edits) {
  const sorted = [...edits].sort((a, b) => offsetOf(text, b.range.start) - offsetOf(text, a.range.start));
  for (const edit of sorted) text = text.slice(0, offsetOf(text, edit.range.start)) + edit.newText + text.slice(offsetOf(text, edit.range.end));
  return text;
}

/** Where `mark` stands in the text, and the text without it. */
export function cut(text, mark = "|") {
  const offset = text.indexOf(mark);
  assert.ok(offset >= 0);
  const plain = text.slice(0, offset) + text.slice(offset + mark.length);
  return { text: plain, position: positionOf(plain, offset) };
}

export class Editor {
  constructor(t, { args = ["lsp"] } = {}) {
    this.child = spawn(MCPC, args, { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((done) => this.child.once("close", (code, signal) => done(signal ?? code)));
    this.connection = protocol.createProtocolConnection(
      new protocol.StreamMessageReader(this.child.stdout),
      new protocol.StreamMessageWriter(this.child.stdin),
    );
    this.diagnostics = new Map();
    this.waiters = [];
    this.registered = [];
    this.messages = [];
    this.connection.onNotification("textDocument/publishDiagnostics", (params) => {
      this.diagnostics.set(params.uri, params);
      this.waiters = this.waiters.filter((w) => !w(params));
    });
    this.connection.onNotification("window/showMessage", (m) => this.messages.push(m));
    this.connection.onRequest("client/registerCapability", (params) => void this.registered.push(...params.registrations));
    this.connection.onError(() => {});
    this.connection.listen();
    t.after(async () => {
      this.connection.dispose();
      this.child.kill("SIGKILL");
      await this.ended;
    });
  }
  ask(method, params) {
    return this.connection.sendRequest(method, params);
  }
  tell(method, params) {
    return this.connection.sendNotification(method, params);
  }
  async start({ folder, encodings, capabilities = {} } = {}) {
    const uri = folder ? pathToFileURL(folder).href : null;
    this.server = await this.ask("initialize", {
      processId: process.pid,
      rootUri: uri,
      workspaceFolders: uri ? [{ uri, name: "w" }] : null,
      capabilities: { general: { positionEncodings: encodings ?? ["utf-16"] }, ...capabilities },
    });
    await this.tell("initialized", {});
    return this;
  }
  async stop() {
    await this.ask("shutdown");
    await this.tell("exit");
    return this.ended;
  }
  /** Resolves with the next diagnostics of a document, of a version at least. */
  next(uri, version = 0) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`no diagnostics of ${uri} version ${version}`)), ANSWER_MS);
      this.waiters.push((params) => {
        if (params.uri !== uri || (params.version ?? 0) < version) return false;
        clearTimeout(timer);
        done(params.diagnostics);
        return true;
      });
    });
  }
  /** Opens a text as a file's; resolves with its document once its diagnostics have come. */
  async open(path, text, { wait = true, language = "mcpc" } = {}) {
    const doc = { uri: pathToFileURL(path).href, version: 1, text };
    const told = wait ? this.next(doc.uri, 1) : undefined;
    await this.tell("textDocument/didOpen", { textDocument: { uri: doc.uri, languageId: language, version: 1, text } });
    doc.diagnostics = await told;
    return doc;
  }
  /** Replaces a document's text; resolves with the diagnostics. */
  async change(doc, text) {
    doc.text = text;
    doc.version++;
    const told = this.next(doc.uri, doc.version);
    await this.tell("textDocument/didChange", { textDocument: { uri: doc.uri, version: doc.version }, contentChanges: [{ text }] });
    return told;
  }
  at(doc, position, more = {}) {
    return { textDocument: { uri: doc.uri }, position, ...more };
  }
  /** Sets the text to one with a mark in it, and asks there. */
  async askAt(method, doc, marked, more) {
    const { text, position } = cut(marked);
    if (text !== doc.text) await this.change(doc, text);
    return this.ask(method, this.at(doc, position, more));
  }
  async labels(doc, marked) {
    const { items } = await this.askAt("textDocument/completion", doc, marked);
    return items.map((item) => item.label);
  }
  async hover(doc, marked) {
    return (await this.askAt("textDocument/hover", doc, marked))?.contents.value ?? "";
  }
}
