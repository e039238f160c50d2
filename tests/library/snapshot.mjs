// SPDX-License-Identifier: Apache-2.0
// Writes the list of a server's tools, names and arguments only, from a file of facts
// (compiler/classify/facts.h) or from a tools/list result that holds more:
//
//   node tests/library/snapshot.mjs FACTS.jsonl SERVER > servers/NAME/NAME.tools.json
//   node tests/library/snapshot.mjs LISTED.json > servers/NAME/NAME.tools.json
//
// What facts cut short (a list of values that goes on, a type) is any value of its kind.
import { readFileSync } from "node:fs";

const parts = (text, separator) => {
  const out = [];
  let depth = 0, from = 0;
  for (let i = 0; i < text.length; i++) {
    if ("({<".includes(text[i])) depth++;
    else if (")}>".includes(text[i])) depth--;
    else if (text[i] === separator && depth === 0) { out.push(text.slice(from, i)); from = i + 1; }
  }
  return [...out, text.slice(from)];
};
const cutAt = 24; // characters of a value in facts
const schemaOf = (type) => {
  if (type.endsWith("…") || type === "any") return {};
  const alternatives = parts(type, "|");
  if (alternatives.length > 1) return { anyOf: alternatives.map(schemaOf) };
  const listed = /^enum\((.*)\)$/.exec(type);
  if (listed) {
    const values = listed[1].split("|");
    const isCut = values.some((value) => /^\+\d+$/.test(value) || value.length >= cutAt);
    return isCut ? { type: "string" } : { type: "string", enum: values };
  }
  const list = /^array<(.*)>$/.exec(type);
  if (list) return { type: "array", items: schemaOf(list[1]) };
  const object = /^object\{(.*)\}$/.exec(type);
  if (object)
    return { type: "object", properties: Object.fromEntries(parts(object[1], ",").map((part) => {
      const at = part.indexOf(":");
      return [part.slice(0, at), schemaOf(part.slice(at + 1))];
    })) };
  return { type: type.replace(/:.*/, "") };
};
// Of a whole schema what says which values may occur; no words of the server's.
const bare = (schema) => {
  if (Array.isArray(schema)) return schema.map(bare);
  if (!schema || typeof schema !== "object") return schema;
  const kept = {};
  for (const key of ["type", "enum", "const", "required", "format", "additionalProperties"])
    if (schema[key] !== undefined) kept[key] = typeof schema[key] === "object" && key === "additionalProperties" ? bare(schema[key]) : schema[key];
  for (const key of ["properties", "$defs", "definitions"])
    if (schema[key]) kept[key] = Object.fromEntries(Object.entries(schema[key]).map(([name, value]) => [name, bare(value)]));
  for (const key of ["items", "anyOf", "oneOf", "allOf"]) if (schema[key]) kept[key] = bare(schema[key]);
  if (schema.$ref) kept.$ref = schema.$ref;
  return kept;
};

const [file, server] = process.argv.slice(2);
const text = readFileSync(file, "utf8");
let tools;
if (server) {
  tools = text.split("\n").filter(Boolean).map((line) => JSON.parse(line)).filter((fact) => fact.server === server)
    .map((fact) => ({ name: fact.tool, inputSchema: {
      type: "object",
      properties: Object.fromEntries(Object.entries(fact.args ?? {}).map(([name, type]) => [name, schemaOf(type)])),
      ...(fact.required ? { required: fact.required } : {}),
    } }));
} else {
  const listed = JSON.parse(text);
  tools = (listed.result ?? listed).tools.map(({ name, inputSchema }) => ({ name, inputSchema: bare(inputSchema) }));
}
tools.sort((a, b) => (a.name < b.name ? -1 : 1));
console.log(`{\n  "unpinned": true,\n  "tools": [\n${tools.map((tool) => "    " + JSON.stringify(tool)).join(",\n")}\n  ]\n}`);
