/* SPDX-License-Identifier: Apache-2.0 */
/* suppress.h - warnings that the author accepts, with a reason, in a comment:
 *     // mcpc: allow W803 "the sandbox has no other tools"
 * before a statement takes warnings of that number (several: W803, W804) off that statement. A
 * comment that accepts nothing, or is written otherwise, is itself warned of; errors can't be
 * accepted. */
#ifndef COMPILER_CHECK_SUPPRESS_H
#define COMPILER_CHECK_SUPPRESS_H

#include "compiler/syntax/syntax.h"

/* Takes accepted warnings out of diags. Call once, when all have been found. */
void suppress_warnings(const struct sources *sources, struct arena *mem, struct diags *diags);

#endif
