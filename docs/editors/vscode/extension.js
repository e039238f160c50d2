// SPDX-License-Identifier: Apache-2.0
// Starts `mcpc lsp` for policies, and nothing else. The path is a machine setting: no workspace can
// choose which program runs.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const command = workspace.getConfiguration("mcpc").get("path", "mcpc");
  client = new LanguageClient("mcpc", "mcpc", { command, args: ["lsp"] }, { documentSelector: [{ language: "mcpc" }] });
  return client.start();
};

exports.deactivate = () => client?.stop();
