// SPDX-License-Identifier: Apache-2.0
// Walks through docs/tutorial.md as its reader would: tests/node/run tests/node/tutorial.mjs BUILD
//   ```LANG file=NAME       is saved as NAME; the text before it must name the file
//   ```LANG append=NAME     is appended to it
//   ```yaml file=NAME ci    also: its steps are run in a fresh clone at the end, as GitHub's runner would
//   ```console              commands behind "$ ", and what they print; "..." stands for anything in a
//                           line, a line of its own for any lines. A command that fails is followed by `echo $?`
//   ```sh                   building, which has happened already: only lines that README has, too
// One shell in a scratch home runs it all. The gateway's port is replaced by a free one.
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const build = resolve(process.argv[2] ?? join(root, "build/cc"));
const page = "docs/tutorial.md";
const COMMAND_MS = 60_000; /* sanitizer builds are slow */

/** The page's fenced blocks: { info, text, line, before: the paragraph above }. */
function blocksOf(text) {
  const blocks = [];
  let open = null;
  let before = "";
  text.split("\n").forEach((line, i) => {
    const fence = /^```(.*)$/.exec(line);
    if (open && fence) {
      blocks.push(open);
      open = null;
      before = "";
    } else if (open) {
      open.text += `${line}\n`;
    } else if (fence) {
      open = { info: fence[1], text: "", line: i + 1, before };
    } else {
      before = line.startsWith("#") ? "" : `${before}\n${line}`;
    }
  });
  return blocks;
}

/** [{ command, expected, line }] of a console block. */
function stepsOf(block) {
  const steps = [];
  block.text.split("\n").slice(0, -1).forEach((line, i) => {
    if (line.startsWith("$ ")) steps.push({ command: line.slice(2), expected: [], line: block.line + i + 1 });
    else steps.at(-1).expected.push(line);
  });
  return steps;
}

const quoted = (text) => text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&");

/** Does the output fit what the page shows? */
function fits(expected, output) {
  const lines = expected.map((line) => (line.trim() === "..." ? "(?:.*\n)*?" : `${line.split("...").map(quoted).join(".*")}\n`));
  return new RegExp(`^${lines.join("")}$`).test(output);
}

function freePort() {
  return new Promise((done) => {
    const probe = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = probe.address();
      probe.close(() => done(String(port)));
    });
  });
}

/** A shell that is typed into; run() gives what a command prints and its exit code. */
class Shell {
  constructor(home, env) {
    this.child = spawn("bash", ["--noprofile", "--norc"], { cwd: home, env, detached: true, stdio: ["pipe", "pipe", "inherit"] });
    this.text = "";
    this.waiting = null;
    this.status = 0;
    this.child.stdout.on("data", (part) => {
      this.text += part;
      this.look();
    });
  }
  look() {
    const end = /\u0001(\d+)\u0001\n/.exec(this.text);
    if (!end || !this.waiting) return;
    const output = this.text.slice(0, end.index);
    this.text = this.text.slice(end.index + end[0].length);
    this.status = Number(end[1]);
    this.waiting({ output, status: this.status });
    this.waiting = null;
  }
  run(command) {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Error(`not done after ${COMMAND_MS} ms: ${command}`)), COMMAND_MS);
      this.waiting = (result) => {
        clearTimeout(timer);
        done(result);
      };
      this.child.stdin.write(`exec 2>&1\n(exit ${this.status})\n${command}\nprintf '\\001%d\\001\\n' $?\n`);
    });
  }
  end() {
    try {
      process.kill(-this.child.pid, "SIGKILL");
    } catch {
      /* gone already */
    }
  }
}

/** The steps of a workflow that are commands, in a fresh clone; those of a folder of the compiler's are what built it. */
function runWorkflow(text, home, env) {
  const workflow = parse(text);
  const jobs = Object.values(workflow.jobs);
  const key = readFileSync(join(home, "policy.key.pem"), "utf8");
  const clone = join(home, "clone");
  let count = 0;
  assert.equal(spawnSync("git", ["clone", "-q", join(home, "policy"), clone], { env }).status, 0, "git clone");
  for (const step of jobs.flatMap((job) => job.steps)) {
    if (!step.run || step["working-directory"] === "mcpc") continue;
    const secrets = Object.keys(step.env ?? {});
    for (const name of secrets) assert.equal(step.env[name], `\${{ secrets.${name} }}`);
    const result = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", step.run], {
      cwd: clone,
      env: { ...env, PATH: `${build}:/usr/bin:/bin`, ...Object.fromEntries(secrets.map((name) => [name, key])) },
      encoding: "utf8",
    });
    assert.equal(result.status, 0, `step "${step.name}" of the workflow: exit ${result.status}\n${result.stdout}${result.stderr}`);
    count++;
  }
  assert.equal(spawnSync("git", ["status", "--short"], { cwd: clone, env, encoding: "utf8" }).stdout.includes("polb"), false);
  return count;
}

async function walk(home, shell, env, port) {
  const own = (text) => text.replaceAll("8330", port);
  const readme = readFileSync(join(root, "README.md"), "utf8");
  let commands = 0;
  let workflow = null;
  for (const block of blocksOf(readFileSync(join(root, page), "utf8"))) {
    const at = `${page}:${block.line}`;
    const [, how, file] = /\b(file|append)=(\S+)/.exec(block.info) ?? [];
    if (file) {
      assert.ok(block.before.includes(`\`${file}\``), `${at}: the text does not say that this is ${file}`);
      const path = join(home, "policy", file);
      mkdirSync(dirname(path), { recursive: true });
      const text = file === "mcpd.jsonc" ? block.text.replace("{", `{ "listen": "127.0.0.1:${port}",`) : own(block.text);
      (how === "file" ? writeFileSync : appendFileSync)(path, text);
      if (/\bci$/.test(block.info)) workflow = block.text;
    } else if (block.info === "console") {
      const steps = stepsOf(block);
      for (const [i, step] of steps.entries()) {
        const { output, status } = await shell.run(own(step.command));
        const shown = `${page}:${step.line}: $ ${step.command}`;
        assert.ok(fits(step.expected.map(own), output), `${shown}\n--- the page shows\n${step.expected.join("\n")}\n--- it prints\n${output}`);
        assert.ok(status === 0 || steps[i + 1]?.command === "echo $?", `${shown}\nexit ${status}, and the page does not say so`);
        commands++;
      }
    } else {
      assert.equal(block.info, "sh", `${at}: a block that no test reads`);
      for (const line of block.text.trim().split("\n")) {
        const word = line.split("#")[0].trim();
        assert.ok(readme.includes(word), `${at}: ${word} is not in README.md`);
      }
    }
  }
  const steps = runWorkflow(workflow, home, env);
  console.log(`tutorial: ${commands} commands and ${steps} steps of the workflow hold`);
}

const home = mkdtempSync(join(tmpdir(), "mcpc-tutorial-"));
mkdirSync(join(home, "mcpc/build"), { recursive: true });
symlinkSync(build, join(home, "mcpc/build/cc"));
symlinkSync(join(root, "tests"), join(home, "mcpc/tests"));
const git = { GIT_CONFIG_NOSYSTEM: "1", GIT_AUTHOR_NAME: "ann", GIT_AUTHOR_EMAIL: "ann@example.com", GIT_COMMITTER_NAME: "ann", GIT_COMMITTER_EMAIL: "ann@example.com" };
const env = { HOME: home, PATH: "/usr/bin:/bin", LANG: "C.UTF-8", ...git };
const shell = new Shell(home, env);
try {
  await walk(home, shell, env, await freePort());
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  shell.end();
  rmSync(home, { recursive: true, force: true });
}
