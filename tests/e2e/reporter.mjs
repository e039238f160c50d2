// SPDX-License-Identifier: Apache-2.0
// Prints a line per file and, for each failure, where it is and what was expected.
import { basename } from "node:path";

export default async function* report(source) {
  const files = new Map();
  for await (const { type, data } of source) {
    if (type !== "test:pass" && type !== "test:fail") continue;
    const suite = data.details?.type === "suite";
    if (suite && (type === "test:pass" || data.details.error?.failureType === "subtestsFailed")) continue;
    const name = basename(data.file ?? "?");
    const totals = files.get(name) ?? { passed: 0, failed: 0, skipped: 0 };
    files.set(name, totals);
    if (data.skip) totals.skipped += 1;
    else if (type === "test:pass") totals.passed += 1;
    else {
      totals.failed += 1;
      if (data.details?.error?.failureType === "cancelledByParent") continue; /* its suite says why */
      const cause = data.details?.error?.cause ?? data.details?.error;
      const text = String(cause?.message ?? cause).split("\n").slice(0, 6).join("\n    ");
      yield `FAIL ${name}:${data.line ?? "?"} ${data.name}\n    ${text}\n`;
    }
  }
  for (const [name, { passed, failed, skipped }] of [...files].sort()) {
    yield `${name.padEnd(24)} ${String(passed).padStart(4)} passed ${String(failed).padStart(4)} failed${skipped ? ` ${skipped} skipped` : ""}\n`;
  }
}
