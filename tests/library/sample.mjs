// SPDX-License-Identifier: Apache-2.0
// Arguments that fit a schema: what is required, and the values that pointers ("/files/*/path") ask for.
const resolve = (schema, root) => (schema?.$ref?.startsWith("#/") ? schema.$ref.slice(2).split("/").reduce((at, key) => at?.[key], root) : schema) ?? {};
export const sample = (given, root, at, values, depth = 0) => {
  const schema = resolve(given, root);
  if (depth > 8) return {};
  const wanted = values.get(at);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  const one = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (one && !schema.type) return sample(one.find((item) => resolve(item, root).type !== "null") ?? {}, root, at, values, depth + 1);
  const type = Array.isArray(schema.type) ? schema.type.find((word) => word !== "null") : schema.type;
  if (type === "object" || schema.properties) {
    const below = (key) => [...values.keys()].some((pointer) => pointer === `${at}/${key}` || pointer.startsWith(`${at}/${key}/`));
    return Object.fromEntries(Object.entries(schema.properties ?? {})
      .filter(([key]) => (schema.required ?? []).includes(key) || below(key))
      .map(([key, value]) => [key, sample(value, root, `${at}/${key}`, values, depth + 1)]));
  }
  if (type === "array") return [sample(schema.items ?? { type: "string" }, root, `${at}/*`, values, depth + 1)];
  if (type === "boolean") return true;
  if (type === "integer" || type === "number") return typeof wanted === "number" ? wanted : 1;
  return wanted !== undefined ? (typeof wanted === "number" && type ? String(wanted) : wanted) : "a";
};
