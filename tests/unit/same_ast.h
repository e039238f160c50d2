/* SPDX-License-Identifier: Apache-2.0 */
/* same_ast.h - do two policies say the same? Places in the source and the grouping inside a chain
 * of `and` or `or` don't count; everything else that was written does. */
#ifndef TESTS_UNIT_SAME_AST_H
#define TESTS_UNIT_SAME_AST_H

#include "compiler/syntax/ast.h"

bool same_policy(const struct policy *a, const struct policy *b);

#endif
