// SPDX-License-Identifier: Apache-2.0
// url_differential.mjs READER [TEXTS [SEED]] - url() against a WHATWG reader: that of this Node.js.
//
// Texts are made from seeds by a repeatable generator: URLs that are put together from parts that
// clients treat differently, then broken by edits. Whatever the reader accepts (READER --print, see
// tests/unit/test_domain_url.c), WHATWG must read too, and to the same place. What the reader
// refuses is nobody's concern here, but for the share of accepted texts, which must not be small.
import { spawnSync } from 'node:child_process';

const [reader, textsArg = '20000', seedArg = '1'] = process.argv.slice(2);
let state = (Number(seedArg) ^ 0x9e3779b9) >>> 0;

function random(n) {
  // xorshift32: the same texts on every machine.
  state ^= state << 13; state >>>= 0;
  state ^= state >>> 17;
  state ^= state << 5; state >>>= 0;
  return state % n;
}
const pick = (list) => list[random(list.length)];

const schemes = ['https://', 'http://', 'ws://', 'WSS://', 'ftp://', 'https:/', 'https:', 'https:///', 'http:\\\\', 'file://', '//'];
const users = ['', '', '', '', 'u@', 'u:p@', '@', 'a@b@', 'h.example@', '[x]@', 'u%40@'];
const hosts = ['example.com', 'EXAMPLE.com.', 'a-b.c_d.e', 'localhost', 'xn--bcher-kva.de', 'xn--a', 'xn--0', 'a..b', '-a.b', 'a.b-',
  '127.0.0.1', '127.0.0.1.', '127.1', '0x7f.1', '0177.0.0.1', '2130706433', '1.2.3.4.5', '256.1.1.1', '1.2.3.08', 'a.0x', 'a.1', '1.a',
  '0xg', '4294967296', '[::1]', '[::ffff:127.0.0.1]', '[1:2:3:4:5:6:7::]', '[::127.0.0.1]', '[1::2::3]', '[::1%25x]', '[::1', '::1',
  'bücher.de', 'ex%61mple.com', 'a b', 'a\tb', 'a,b', 'a;b', "a'b", 'a!b', 'a$b', 'a*b', 'a~b', 'a+b', 'a=b', 'a&b', 'a(b)', '℀.com', 'ａ.com',
  '1.2.3.4a', '10.0.0.0x', '', '.', '..', 'a.', 'xn--fsqu00a.xn--0zwm56d', 'xn--zzz.com', 'xn--ls8h.la', '0.0.0.0', '0', '1e3', '08', '09.a'];
const ports = ['', '', '', '', ':', ':80', ':443', ':0', ':080', ':65535', ':65536', ':8a', ':-1', ':80:80', ': 80'];
const parts = ['', 'a', 'b.c', '.', '..', '...', '%2e', '%2E%2e', '.%2e', '%2f', '%5c', '%20', '%c3%a9', '%25', '%00', '%', '%zz', 'é', 'a;b', 'a b',
  '@x', ':', '~', '|', '^', '{}', '[x]', "'", '"', '<', '`', '\\', 'a%41', '%3f', '%23', 'a+b', '$&', '(x)!*', ',', '=', '%ef%bc%8f', '%c0%af', 'C|', 'C:'];
const tails = ['', '', '', '?', '?q=1', '?a?b/../c', '?a[]=%2f', "?'", '#', '#f', '#f#g?h', '?q#f', '?@x', '#@x', '?a b', '?é', '?\\', '?"<>`'];
const junk = [' ', '\t', '\n', '\r', '\0', '/', '\\', '@', ':', '?', '#', '%', '.', ';', '[', ']', '\u00ad', '\u3002', '\uff0f', '\u200b', '\x7f', '0', 'x', '-'];

function make() {
  let text = pick(random(4) ? schemes.slice(0, 5) : schemes) + pick(users) + pick(hosts) + pick(ports);
  for (let i = random(5); i > 0; i--) text += '/' + pick(parts);
  text += pick(tails);
  for (let i = random(8) ? 0 : 1 + random(2); i > 0; i--) {
    const at = random(text.length + 1);
    text = text.slice(0, at) + (random(3) ? pick(junk) : '') + text.slice(at + random(2));
  }
  return text;
}

const defaults = { http: 80, https: 443, ws: 80, wss: 443, ftp: 21 };

// What WHATWG finds, in our terms.
function theirs(text) {
  const url = new URL(text);
  const scheme = url.protocol.slice(0, -1);
  const href = url.href;
  const hash = href.indexOf('#');
  const before = hash < 0 ? href : href.slice(0, hash);
  const mark = before.indexOf('?');
  return {
    scheme,
    host: url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, ''),
    port: url.port === '' ? defaults[scheme] : Number(url.port),
    path: decodeURIComponent(url.pathname),
    query: mark < 0 ? null : before.slice(mark + 1),
    fragment: hash < 0 ? null : href.slice(hash + 1),
  };
}

function differs(text, ours) {
  let other;
  try { other = theirs(text); } catch (error) {
    // Which code points IDNA forbids is not known to url(): such a name goes nowhere in a browser.
    return ours.host.includes('xn--') ? '' : String(error);
  }
  // A mapped address is judged as its IPv4; WHATWG writes it in hexadecimal.
  if (other.host.startsWith('::ffff:')) {
    const [a, b] = other.host.slice(7).split(':').map((group) => parseInt(group, 16));
    other.host = [a >> 8, a & 255, b >> 8, b & 255].join('.');
  }
  // In a query of these schemes WHATWG escapes the apostrophe; we keep it as it was written.
  const query = ours.query === null ? null : ours.query.replaceAll("'", '%27');
  for (const key of ['scheme', 'host', 'port', 'path', 'fragment'])
    if (ours[key] !== other[key]) return `${key}: ${ours[key]} and ${other[key]}`;
  return query === other.query ? '' : `query: ${query} and ${other.query}`;
}

const texts = Array.from({ length: Number(textsArg) }, make);
const run = spawnSync(reader, ['--print'], {
  input: texts.map((text) => JSON.stringify(text) + '\n').join(''), encoding: 'utf8', maxBuffer: 1 << 30,
});
const answers = run.stdout.split('\n');
let accepted = 0, failed = 0, valid = 0;
texts.forEach((text, i) => {
  if (URL.canParse(text)) valid++;
  if (answers[i] === '-') return;
  accepted++;
  const why = differs(text, JSON.parse(answers[i]));
  if (why && ++failed <= 20) console.error(`${JSON.stringify(text)}: ${why}`);
});
if (run.status !== 0 || answers.length !== texts.length + 1 || accepted * 100 < texts.length) failed++;
console.log(`${texts.length} URLs, ${valid} of them WHATWG's, ${accepted} accepted; 1 passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
