// SPDX-License-Identifier: Apache-2.0
// The policies that the tests compile, with the pinned snapshots they need.
import { z } from "../node/server_v1.mjs";
import { tools } from "./servers/tools.mjs";

const DRAFT_7 = "http://json-schema.org/draft-07/schema#";
const DRAFT_2020 = "https://json-schema.org/draft/2020-12/schema";

/** The fixture's tools as the SDK writes them, which differs by its line: what a gateway holds it to. */
const snapshot = ($schema) =>
  tools.map((tool) => {
    const { $schema: _, additionalProperties, ...schema } = z.toJSONSchema(z.object(tool.input));
    return { name: tool.name, description: `Fixture: ${tool.name}`, inputSchema: { $schema, ...schema } };
  });
export const webTools = snapshot(DRAFT_7);
export const webToolsOf = (era) => (era === "legacy" || era === "strict" ? webTools : snapshot(DRAFT_2020));

/** One rule a line, so that a source line names a rule. */
export const webPolicy = (alias) => `policy "web-e2e" version 1;
server "${alias}" tools "web-${alias}.tools.json";
let ours = { "acme/web", "acme/api" };
default deny;
allow tool "list_*", "echo", "slow", "pid", "fail", "die";
allow tool "create_issue" when "\${args.owner}/\${args.repo}" in ours;
deny tool "create_issue" unless "\${args.owner}/\${args.repo}" in ours reason "issues are opened in our repositories";
deny tool "create_issue" when args.title contains "SECRET" reason "no secrets in titles";
allow tool "delete_repo" when "admins" in principal.groups;
deny tool "delete_repo" unless "admins" in principal.groups reason "deletions are for admins";
allow tool "merge" when args.method == "squash" and args.number > 0;
deny tool "merge" unless args.method == "squash" reason "only squash merges";
allow tool "transfer" when args.amount <= 1000 and args.amount >= 1;
deny tool "transfer" when args.amount > 1000 reason "over the limit of one transfer";
`;

/** Where a rule stands: "web-ALIAS.pol:LINE" for the first line that contains `part`. */
export function webSource(alias, part) {
  const at = webPolicy(alias)
    .split("\n")
    .findIndex((line) => line.includes(part));
  return `web-${alias}.pol:${at + 1}`;
}

/** What dev-1 (not an admin) and an admin may see of the fixture. */
export const devTools = tools
  .map((t) => t.name)
  .filter((n) => n !== "delete_repo")
  .sort();
export const adminTools = tools.map((t) => t.name).sort();

/** No snapshot, all tools: for tests about what the upstream sends back. */
export const openPolicy = (alias) => `policy "open-e2e" version 1;
server "${alias}";
default deny;
allow tool "*";
deny tool "forbidden" reason "never this one";
`;

export const principals = {
  "dev-1": { groups: ["eng"] },
  "root-1": { groups: ["eng", "admins"] },
  "ci-robot": { groups: ["robots"] },
};
