/* SPDX-License-Identifier: Apache-2.0 */
/* parse and check: from a source to a typed policy, with every error in one go. */
#ifndef COMPILER_CHECK_H
#define COMPILER_CHECK_H

#include "compiler/ast.h"

/* Parses one source. Always returns a policy (what could be read of it); errors are in diags.
 * Limits: nesting POLICY_NESTING_MAX, tokens POLICY_TOKENS_MAX. */
enum { POLICY_NESTING_MAX = 64, POLICY_TOKENS_MAX = 4 * 1024 * 1024 };
struct policy *policy_parse(struct sources *sources, uint32_t source, struct arena *mem,
                            struct diags *diags);

/* Resolves names, reads snapshots (paths relative to the source's folder), types everything. True
 * when the policy can be emitted: diags holds no error. */
bool policy_check(struct policy *policy, struct sources *sources, uint32_t source,
                  struct arena *mem, struct diags *diags);

/* Prints the policy in the canonical layout, comments kept. Parsing the result gives the same
 * policy, and printing that gives the same text. */
void policy_print(const struct policy *policy, const struct source *source, struct buf *out);

#endif
