/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - a parsed policy to a typed one, with every error in one go. */
#ifndef COMPILER_CHECK_CHECK_H
#define COMPILER_CHECK_CHECK_H

#include "compiler/syntax/syntax.h"

/* Resolves names, reads snapshots (paths relative to the source's folder), types everything. True
 * when the policy can be emitted: diags holds no error. */
bool policy_check(struct policy *policy, struct sources *sources, uint32_t source,
                  struct arena *mem, struct diags *diags);

#endif
