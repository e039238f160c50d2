// SPDX-License-Identifier: Apache-2.0
// Prints, for each failure, where it is and what was expected; then a line of totals per file.
import { basename } from "node:path";

/** A suite fails when a test in it does; that is only worth a line when its own set-up failed. */
function isNews({ details }) {
  const failure = details.error?.failureType;
  return failure !== "cancelledByParent" && !(details.type === "suite" && failure === "subtestsFailed");
}

function describe(path, { line, column, details }) {
  const cause = details.error?.cause ?? details.error;
  const text = String(cause?.message ?? cause)
    .split("\n")
    .slice(0, 6)
    .join("\n    ");
  return `FAIL ${path.join(" > ")} (${line ?? "?"}:${column ?? "?"})\n    ${text}\n`;
}

export default async function* report(source) {
  const files = new Map();
  const path = []; /* the file, then the names of the suites around the current test */
  for await (const { type, data } of source) {
    if (type === "test:start") {
      if (data.nesting === 0) path[0] = basename(data.file ?? data.name);
      path.length = data.nesting + 1;
      path.push(data.name);
    }
    if (type !== "test:pass" && type !== "test:fail") continue;
    path.length = data.nesting + 1;
    path.push(data.name);
    const totals = files.get(path[0]) ?? { passed: 0, failed: 0, skipped: 0 };
    files.set(path[0], totals);
    if (type === "test:fail" && isNews(data)) yield describe(path, data);
    if (data.details.type === "suite") continue;
    if (data.skip) totals.skipped += 1;
    else totals[type === "test:pass" ? "passed" : "failed"] += 1;
  }
  for (const [name, { passed, failed, skipped }] of [...files].sort()) {
    const counts = `${String(passed).padStart(4)} ok ${String(failed).padStart(4)} failed`;
    yield `${name.padEnd(24)} ${counts}${skipped ? ` ${skipped} skipped` : ""}\n`;
  }
}
