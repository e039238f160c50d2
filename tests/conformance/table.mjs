// SPDX-License-Identifier: Apache-2.0
// The tables of docs/conformance.md, and whether what is committed is what was found.
import { readFileSync } from "node:fs";

const BEGIN = /^<!-- measured: begin ([a-z ]+) -->$/;
const END = "<!-- measured: end -->";

const cell = (count) => (count ? `${count.passed}/${count.total}` : "");
const sum = (runs) => {
  const all = Object.values(runs ?? {});
  return { passed: all.reduce((n, c) => n + c.passed, 0), total: all.reduce((n, c) => n + c.total, 0) };
};

function table(head, columns, names) {
  const rows = names.map((name) => `| \`${name}\` | ${columns.map((column) => cell(column[name])).join(" | ")} |`);
  return [
    `| ${["scenario", ...head].join(" | ")} |`,
    `|${" --- |".repeat(head.length + 1)}`,
    ...rows,
    `| **all** | ${columns.map((column) => cell(sum(column))).join(" | ")} |`,
  ];
}

/** runs: name -> scenario -> { passed, total }; behind: revision -> the fixtures' eras. */
export function tables(runs, behind) {
  const server = (revision) => {
    const eras = behind[revision];
    const columns = [`direct ${revision}`, ...eras.map((era) => `${revision} ${era}`)].map((name) => runs[name] ?? {});
    const heads = eras.map((era) => `through, ${era === "dual" ? "both eras" : `${era} only`}`);
    return table(["alone", ...heads], columns, Object.keys(columns[0]));
  };
  const client = (revision) => {
    const columns = [`direct client ${revision}`, `client ${revision}`].map((name) => runs[name] ?? {});
    return table(["a client alone", "with the gateway between"], columns, Object.keys(columns[0]));
  };
  return {
    "server legacy": server("2025-11-25"),
    "server modern": server("2026-07-28"),
    "client legacy": client("2025-11-25"),
    "client modern": client("2026-07-28"),
  };
}

/** The page with its measured parts made anew. */
export function fill(file, parts) {
  const out = [];
  let is_skipping = false;
  for (const line of readFileSync(file, "utf8").split("\n")) {
    const name = BEGIN.exec(line)?.[1];
    if (line === END) is_skipping = false;
    if (!is_skipping) out.push(line);
    if (name) {
      out.push(...parts[name]);
      is_skipping = true;
    }
  }
  return out.join("\n");
}
