// SPDX-License-Identifier: Apache-2.0
// yaml_differential.mjs READER [TEXTS [SEED]] - the YAML reader against the npm package `yaml`.
//
// Texts are made from seeds by a repeatable generator: documents that are built, then broken by
// edits that a person or an attacker might make. Whatever the reader accepts (READER --print, see
// tests/unit/test_domain_yaml.c), the package must read to the same value in its YAML 1.1 mode and
// in its 1.2 mode, without an error. What the reader refuses is nobody's concern here, but for the
// share of accepted texts, which must not be small: a reader that refuses all would pass.
import { spawnSync } from 'node:child_process';
import { parseAllDocuments } from 'yaml';

const [reader, textsArg = '20000', seedArg = '1'] = process.argv.slice(2);
let state = Number(seedArg) >>> 0;

function random(n) {
  // xorshift32: the same texts on every machine.
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % n;
}
for (let i = 0; i < 8; i++) { state = (state ^ 0x9e3779b9) >>> 0; random(1); }
const pick = (list) => list[random(list.length)];

const words = ['a', 'b', 'c', 'name', 'kind', 'x y', 'a-b', 'a.b', 'nginx:1.2', 'http://x/y', '100m', '1.2.3',
  '1', '0', '-1', '2.50', '10.0', 'true', 'false', 'null', '~', 'yes', 'no', 'on', 'y', 'Null', '010', '0x1f', '1_0',
  '1e3', '1.5e+3', '.5', '5.', '12:30', '12:30:45', '2001-01-01', '.inf', '.nan', '=', '<<', '+1', '-0', '0o7', '-x',
  '--', '---x', 'é', '#', '%', '@a', '!a', '&a', '*a', '|', '>', '?', ':', '-', '?a', ':a', 'a:', 'a#b', 'a #b',
  "it's", 'a"b', '[a]', '{a}', 'a,b', '1,2', '٣', '_1', '1a', '1 2', '0.1.2', '9007199254740993', '1.', 'inf', '-inf',
  '0e0', '1-1', '1/2', '0b1', 'TRUE', 'n', '~a', '0_', '08', '0.', '-.5', '190:20:30', '1:1', '0:0', '2001-1-1'];
const quoted = ["'a'", '"a"', "'it''s'", '"a\\n\\tb"', '"\\x41\\u00e9\\U0001F600"', "''", '""', "'a: b'", '"#"', "'1'",
  '"no"', '"\\/"', "'<<'", '"a\\"b"', "'a\\b'", '"\\e"', '"\\0"', '"\\N"', "' a '", '"  "', "'a\tb'"];
const flows = ['[]', '{}', '[1, 2]', '{a: 1, b: [x]}', '{"a":1}', '["a","b"]', '[a, ]', '{a}', '{a: }', '[a: b]',
  '{"a" : "b"}', "{'a':b}", '[a b, c]', '[[], {}]', '{a: {b: c}}', '[ -1, no ]', '[a:b]', '{? a : b}', '[-]', '[- a]',
  '{a: b: c}', '[http://x]', '[a#b]', '[a #b]', '{a:1}', '[a]b', '[.5]', "['a''b', \"c\"]", '[a?b]'];

const scalar = () => (random(3) ? pick(words) : pick(quoted));
const key = () => (random(6) ? pick(['a', 'b', 'c', 'd', 'e f', 'g', "'h'", '"i"', 'j-k', 'l.m']) : scalar());

function block(indent, depth) {
  const pad = ' '.repeat(indent);
  const lines = [];
  const count = 1 + random(3);
  const isList = random(3) === 0;
  const seen = new Set();
  for (let i = 0; i < count; i++) {
    if (random(8) === 0) lines.push(pick(['', '# note', pad + '# note', '   ', pad]));
    let head;
    if (isList) {
      head = `${pad}-`;
    } else {
      let k = key();
      if (random(10)) while (seen.has(k)) k += random(10);
      seen.add(k);
      head = `${pad}${k}${random(20) ? '' : ' '}:`;
    }
    lines.push(...value(head, indent, depth, isList));
  }
  return lines;
}

function value(head, indent, depth, isList) {
  const kind = random(10);
  const step = pick([1, 2, 2, 2, 4]);
  if (depth > 0 && kind < 3) {
    const inner = block(indent + step, depth - 1);
    if (isList && random(2)) {
      const first = inner.findIndex((line) => line.trim());
      return [head + ' '.repeat(step - 1) + inner[first].trimStart(), ...inner.slice(first + 1)];
    }
    if (!isList && random(3) === 0) {
      const same = block(indent, depth - 1);
      if (same.find((line) => line.trim())?.trim().startsWith('-')) return [head, ...same];
    }
    return [head, ...inner];
  }
  if (kind === 3) return [`${head} ${pick(flows)}`];
  if (kind === 4) {
    const lines = [`${head} ${pick(['|', '>', '|-', '>-', '|+', '>+', '|2', '>1-', '| # c'])}`];
    const inside = ' '.repeat(indent + step);
    for (let i = random(4); i >= 0; i--) lines.push(pick([inside + 'text', inside + 'more words', inside + 'a: b', '', inside + ' deeper', inside + 'end ', inside + '# no', inside, inside + '  ', inside + '\ttab', inside + '- x']));
    return lines;
  }
  if (kind === 5) return [`${head}${pick(['', ' ', ' # c', '  # c'])}`];
  if (kind === 6 && !random(3)) return [`${head} [${scalar()},`, `${' '.repeat(indent + random(3))} ${scalar()}${pick(['', ' # c'])}`, `${' '.repeat(indent + random(3))}]`];
  return [`${head}${pick([' ', ' ', ' ', '  ', '', '\t'])}${scalar()}${pick(['', '', '', ' ', ' # c', '# c'])}`];
}

const pieces = [' ', '  ', '\n', '\t', ':', ': ', '- ', '-', '#', ' #', '---\n', '\n---\n', '...\n', '\n...\n', ',', '[', ']', '{',
  '}', "'", '"', '|', '>', '&a ', '*a', '!', '%', '\r\n', '\r', '? ', '<<: ', '\u0085', '\u2028', '\ufeff', '\\', '\0', '1', '\n\n', '\n ', '~'];

function broken(text) {
  for (let edits = random(3); edits > 0; edits--) {
    const at = random(text.length + 1);
    switch (random(4)) {
      case 0: text = text.slice(0, at) + text.slice(at + 1 + random(3)); break;
      case 1: text = text.slice(0, at) + pick(pieces) + text.slice(at); break;
      case 2: { const end = at + random(12); text = text.slice(0, end) + text.slice(at, end) + text.slice(end); break; }
      default: { const from = random(text.length + 1); text = text.slice(0, at) + text.slice(from, from + random(16)) + text.slice(at); }
    }
  }
  return text;
}

function makeText() {
  const documents = [];
  for (let i = random(4) ? 1 : 1 + random(3); i > 0; i--) documents.push(block(0, 3).join('\n'));
  let text = (random(8) ? '' : '---\n') + documents.join(pick(['\n---\n', '\n---\n', '\n...\n---\n', '\n--- # c\n']));
  if (random(10)) text += '\n';
  return broken(text);
}

const texts = Array.from({ length: Number(textsArg) }, makeText).map((text) => text.toWellFormed());
const run = spawnSync(reader, ['--print'], { input: texts.map((text) => JSON.stringify(text) + '\n').join(''), maxBuffer: 1 << 30 });
if (run.status !== 0) throw new Error(`the reader ended with ${run.status ?? run.signal}: ${run.stderr}`);
const answers = run.stdout.toString().split('\n').slice(0, -1);
if (answers.length !== texts.length) throw new Error(`${answers.length} answers to ${texts.length} texts`);

const canonical = (value) => JSON.stringify(value, (_, v) =>
  v && typeof v === 'object' && !Array.isArray(v) ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1))) : v);

function otherReading(text, version) {
  const documents = parseAllDocuments(text, { version, uniqueKeys: true });
  const list = Array.isArray(documents) ? documents : [];
  for (const document of list) if (document.errors.length) throw document.errors[0];
  return canonical(list.map((document) => {
    const value = document.toJS({ maxAliasCount: 0 });
    return value === undefined ? null : value;
  }));
}

let accepted = 0;
let differences = 0;
let errors = 0;
texts.forEach((text, i) => {
  if (answers[i] === '-') return;
  accepted++;
  const ours = canonical(JSON.parse(answers[i]));
  for (const version of ['1.1', '1.2']) {
    let theirs;
    try {
      theirs = otherReading(text, version);
    } catch {
      errors++;
      continue;
    }
    if (theirs === ours) continue;
    differences++;
    if (differences <= 10) console.error(`differs in ${version}:\n${JSON.stringify(text)}\n  ours   ${ours}\n  theirs ${theirs}`);
  }
});
const least = texts.length / 20;
const errorsMost = 1 + accepted / 1000;
console.log(`yaml: ${texts.length} texts, ${accepted} accepted, ${differences} read differently, ${errors} errors`);
if (accepted < least) console.error(`fewer than ${least} were accepted: the comparison says nothing`);
process.exit(differences || accepted < least || errors > errorsMost ? 1 : 0);
