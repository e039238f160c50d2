// SPDX-License-Identifier: Apache-2.0
// The YAML reader of the npm package, for files that the tests' packages bring.
export { parse } from "yaml";
