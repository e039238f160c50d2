/* SPDX-License-Identifier: Apache-2.0 */
/* emit.h - from a checked policy to a bundle. */
#ifndef COMPILER_EMIT_EMIT_H
#define COMPILER_EMIT_EMIT_H

#include "compiler/syntax/ast.h"

/* Appends the bundle's bytes to out. What can only be found out here (a pattern whose automaton is
 * too large, a condition that needs too many registers, a budget passed) is added to diags, and
 * the result is false. The policy must have passed policy_check. */
bool policy_emit(const struct policy *policy, const struct sources *sources, struct arena *mem,
                 struct diags *diags, struct buf *out);

#endif
