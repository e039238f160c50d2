/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - a parsed policy to a typed one, with every error in one go. */
#ifndef COMPILER_CHECK_CHECK_H
#define COMPILER_CHECK_CHECK_H

#include "compiler/syntax/syntax.h"
#include "runtime/json/json.h"

/* Resolves names, reads snapshots (paths relative to the source's folder), types everything. True
 * when the policy can be emitted: diags holds no error. */
bool policy_check(struct policy *policy, struct sources *sources, uint32_t source,
                  struct arena *mem, struct diags *diags);

/* Values for the policy's params: an object, {"name": value}. */
struct params {
    const struct json_doc *doc;
};
/* The same with values given. */
bool policy_check_with(struct policy *policy, struct sources *sources, uint32_t source,
                       const struct params *params, struct arena *mem, struct diags *diags);

/* Reads what the policy imports, and what that imports, each file once, and adds it to the policy.
 * Paths are relative to the importing file. A file's tests stay its own. */
bool policy_import(struct policy *policy, struct sources *sources, struct arena *mem,
                   struct diags *diags);

/* For editors: what a function's value looks like, a schema in mem; NULL: any value, or no memory.
 */
const struct schema *function_schema(enum function function, struct arena *mem);

/* The members of principal, grant, client and call, one after the other; false behind the last. */
bool root_member_at(size_t i, enum field_root *root, Str *key, Type *type);

Str type_word(Type type); /* "a string" */

#endif
