// SPDX-License-Identifier: Apache-2.0
// The client side of the Language Server Protocol, by the library that VS Code uses.
import { createRequire } from "node:module";
export const protocol = createRequire(import.meta.url)("vscode-languageserver-protocol/node");
