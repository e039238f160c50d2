// SPDX-License-Identifier: Apache-2.0
// The TextMate grammar, run by the engine that VS Code runs it with: every word of the lexer's table
// is a keyword to it, also those that were added yesterday, and in all examples strings, patterns,
// comments and what is interpolated are told apart as the lexer tells them.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { before, test } from "node:test";
import { oniguruma, textmate } from "../node/highlighter.mjs";
import { ROOT } from "./lib.mjs";

const FOLDER = join(ROOT, "docs/editors/vscode");
const words = (file, row) => [...readFileSync(join(ROOT, file), "utf8").matchAll(row)].map((m) => m[1]);
const KEYWORDS = words("compiler/syntax/keyword.def", /^KEYWORD\((\w+),/gm);
const FUNCTIONS = [...words("compiler/syntax/function.def", /^FUNCTION\(\w+,\s*"(\w+)"/gm), "length"];

let grammar;
before(async () => {
  await oniguruma.loadWASM(oniguruma.wasm());
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async (scope) => {
      const file = join(FOLDER, "syntaxes/mcpc.tmLanguage.json");
      return scope === "source.mcpc" ? textmate.parseRawGrammar(readFileSync(file, "utf8"), file) : null;
    },
  });
  grammar = await registry.loadGrammar("source.mcpc");
});

/** [text, scopes] of every token. */
function tokens(source) {
  let stack = textmate.INITIAL;
  return source.split("\n").flatMap((line) => {
    const result = grammar.tokenizeLine(line, stack);
    stack = result.ruleStack;
    return result.tokens.map((t) => [line.slice(t.startIndex, t.endIndex), t.scopes.join(" ")]);
  });
}

function scopeOf(source, text, nth = 0) {
  const found = tokens(source).filter(([t]) => t.trim() === text || (text.length > 1 && t.includes(text)));
  assert.ok(found[nth], `${text} in ${JSON.stringify(tokens(source))}`);
  return found[nth][1];
}

test("every keyword is one, and no other word is", () => {
  assert.ok(KEYWORDS.length > 50 && FUNCTIONS.length > 15);
  for (const word of KEYWORDS) {
    assert.match(scopeOf(`${word} x`, word), /\bkeyword\./, word);
    assert.match(scopeOf(`${word}`, word), /\bkeyword\./, word);
    assert.doesNotMatch(scopeOf(`x.${word} y`, word), /keyword\./, `behind a dot ${word} is a key`);
    assert.doesNotMatch(scopeOf(`a_${word}`, `a_${word}`), /keyword\./);
    assert.doesNotMatch(scopeOf(`${word}s1`, `${word}s1`), /keyword\./);
  }
  for (const word of FUNCTIONS) {
    assert.match(scopeOf(`${word}(x)`, word), /support\.function/, word);
    if (!KEYWORDS.includes(word)) assert.doesNotMatch(scopeOf(`${word} == 1`, word), /support\.function/, word);
  }
});

test("strings, what is interpolated in them, patterns and comments are told apart", () => {
  const rule = 'allow tool "a\\n\\q" when "x${lower(args.b)}y" == c and d matches /e\\/[f"]+/ # g "h';
  assert.match(scopeOf(rule, "\\n"), /string.*escape/);
  assert.match(scopeOf(rule, "\\q"), /string.*invalid/);
  assert.match(scopeOf(rule, "lower"), /string.*interpolation.*support\.function/);
  assert.match(scopeOf(rule, "args"), /interpolation.*keyword/);
  assert.doesNotMatch(scopeOf(rule, "and"), /string/);
  assert.match(scopeOf(rule, "f\""), /regexp/);
  assert.match(scopeOf(rule, "g \"h"), /comment/);
  assert.match(scopeOf('"${ {"}"} }" and', "and"), /source\.mcpc keyword/);
  assert.match(scopeOf("/* allow\n deny */ allow", "deny"), /comment/);
  assert.match(scopeOf("/* allow\n deny */ allow", "allow", 1), /keyword/);
  assert.match(scopeOf("x // allow", "allow"), /comment/);
  assert.match(scopeOf('"open\nallow', "allow"), /source\.mcpc keyword/, "a string ends on its line");
  assert.match(scopeOf('test "t" {\n  call "x" { "a": "${b}", "c": true };\n  expect deny;\n}', "${b}"), /json/);
  assert.doesNotMatch(scopeOf('call "x" { "a": "${b}" };', "${b}"), /interpolation/, "JSON is not interpolated");
  assert.match(scopeOf('call "x" { "a": {} };\nexpect deny;', "expect"), /source\.mcpc keyword/);
  assert.match(scopeOf("when call.name == 1 and x;", "and"), /source\.mcpc keyword/);
  for (const [text, scope] of [["2026-11-24", /date/], ["09:30", /time/], ["15m", /duration/], ["10_000", /numeric/]])
    assert.match(scopeOf(`x == ${text};`, text), scope);
});

test("in all examples every statement begins at the outermost level, and no text is left bare", () => {
  let seen = 0;
  for (const folder of ["examples", "examples/statements", "tests/golden/fmt"])
    for (const name of readdirSync(join(ROOT, folder)).filter((n) => n.endsWith(".pol"))) {
      const text = readFileSync(join(ROOT, folder, name), "utf8");
      let stack = textmate.INITIAL;
      for (const line of text.split("\n")) {
        const result = grammar.tokenizeLine(line, stack);
        stack = result.ruleStack;
        const first = result.tokens[0];
        if (/^(allow|deny|let|server|policy|import|param|test)\b/.test(line) && !first.scopes.join(" ").includes("comment")) {
          assert.match(first.scopes.join(" "), /^source\.mcpc keyword\.control/, `${name}: ${line}`);
          seen++;
        }
        for (const t of result.tokens) assert.ok(!t.scopes.some((s) => s.startsWith("invalid")), `${name}: ${line}`);
      }
    }
  assert.ok(seen > 100);
});

test("the extension's parts fit together", () => {
  const json = (file) => JSON.parse(readFileSync(join(FOLDER, file), "utf8"));
  const { contributes, main } = json("package.json");
  assert.equal(json(contributes.grammars[0].path).scopeName, contributes.grammars[0].scopeName);
  assert.equal(contributes.languages[0].id, contributes.grammars[0].language);
  assert.ok(json(contributes.languages[0].configuration).brackets.length);
  assert.match(readFileSync(join(FOLDER, main), "utf8"), /args: \["lsp"\]/);
  const vim = readFileSync(join(ROOT, "docs/editors/vim/syntax/mcpc.vim"), "utf8");
  for (const word of KEYWORDS) assert.match(vim, new RegExp(`^syn (keyword|match) .*\\b${word}\\b|^syn match mcpcKeyword .*<${word}\\\\>`, "m"));
});
