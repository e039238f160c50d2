// SPDX-License-Identifier: Apache-2.0
// A stdio server of 2026-07-28 that misbehaves on request, with nothing but pipes: the name of
// the tool that is called chooses the fault. It needs no SDK, since none would let it.
//   --log FILE   a line for every process that it was: {"started": pid}
//   --mode M     how it behaves before any call: plain, exit (at once), junk, mute
import { spawn } from "node:child_process";
import { appendFileSync, closeSync } from "node:fs";

const opt = { log: "", mode: "plain" };
for (let i = 2; i < process.argv.length; i += 2) opt[process.argv[i].slice(2)] = process.argv[i + 1];
const note = (entry) => opt.log && appendFileSync(opt.log, `${JSON.stringify(entry)}\n`);
note({ started: process.pid });
if (opt.mode === "exit") process.exit(3);

const say = (text) => process.stdout.write(`${text}\n`);
const answer = (id, text) =>
  JSON.stringify({ jsonrpc: "2.0", id, result: { content: [{ type: "text", text }], resultType: "complete" } });
const junk = () => {
  process.stdout.write(Buffer.from([0, 0xff, 0xfe, 0xc0, 0xaf, 10]));
  say("Server listening on port 80\x1b[2J");
  say("[1,2]");
  say("null");
  say('{"jsonrpc":"2.0","method":"notifications/message","params":{"data":"x"}}');
};
/** A process of its own that keeps our standard output open. */
const heir = (options) => {
  const child = spawn("/bin/sleep", ["30"], { stdio: ["ignore", "inherit", "inherit"], ...options });
  note({ started: child.pid });
  return child;
};

const faults = {
  good: (id) => say(answer(id, "good")),
  junk_first: (id) => {
    junk();
    say(answer(id, "good"));
  },
  twice: (id) => {
    say(answer(id, "first"));
    say(answer(id, "SECOND"));
  },
  wrong_id: (id) => say(answer(id + 1000, "WRONG")),
  old_id: (id) => say(answer(id - 1, "WRONG")),
  text_id: (id) => say(answer(String(id), "WRONG")),
  float_id: (id) => say(answer(id, "WRONG").replace(`"id":${id}`, `"id":${id}.0`)),
  bad_utf8: (id) => {
    const [head, tail] = answer(id, "@").split("@");
    process.stdout.write(Buffer.concat([Buffer.from(head), Buffer.from([0xc0, 0xaf]), Buffer.from(`${tail}\n`)]));
  },
  nested: (id) => say(`{"jsonrpc":"2.0","id":${id},"result":{"content":${"[".repeat(5000)}${"]".repeat(5000)}}}`),
  endless_line: () => {
    const block = "x".repeat(65536);
    const more = () => process.stdout.write(block, more);
    more();
  },
  asks_back: (id) => {
    for (let i = 0; i < 2000; i++)
      say(`{"jsonrpc":"2.0","id":"up-${i}","method":"sampling/createMessage","params":{}}`);
    say(answer(id, "good"));
  },
  never: () => {},
  dies: () => process.exit(1),
  aborts: () => process.kill(process.pid, "SIGSEGV"),
  half: (id) => process.stdout.write(answer(id, "WRONG").slice(0, 30), () => process.exit(0)),
  closes_output: () => closeSync(1),
  forks: (id) => {
    heir();
    heir();
    say(answer(id, "good"));
  },
  heir_keeps_output: () => {
    heir();
    process.exit(0);
  },
  stubborn: (id) => {
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});
    setInterval(() => {}, 1000);
    process.stdin.removeAllListeners("end");
    say(answer(id, "good"));
  },
  shouts: (id) => {
    process.stderr.write("e".repeat(3_000_000) + "\n".repeat(20_000), () => say(answer(id, "good")));
  },
  deaf: (id) => {
    process.stdin.pause();
    setInterval(() => {}, 1000);
    say(answer(id, "good"));
  },
};

if (opt.mode === "junk") junk();
let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (text) => {
  const lines = (rest + text).split("\n");
  rest = lines.pop();
  for (const line of lines) {
    const message = JSON.parse(line);
    if (opt.mode === "mute" || message.id === undefined || message.method === undefined) continue;
    (faults[message.params?.name] ?? faults.good)(message.id);
  }
});
process.stdin.on("end", () => process.exit(0));
