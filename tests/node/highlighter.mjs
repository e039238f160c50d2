// SPDX-License-Identifier: Apache-2.0
// The engine that VS Code highlights with.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
const require = createRequire(import.meta.url);
export const textmate = require("vscode-textmate");
const library = require("vscode-oniguruma");
export const oniguruma = { ...library, wasm: () => readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")) };
