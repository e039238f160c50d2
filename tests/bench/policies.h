/* SPDX-License-Identifier: Apache-2.0 */
/* policies.h - policies of any size, made from the 40 rules of rules40.pol: copies of them that
 * differ by server, or by team on the same tools. */
#ifndef TESTS_BENCH_POLICIES_H
#define TESTS_BENCH_POLICIES_H

#include "compiler/command/driver.h"
#include "tests/bench/calls.h"

enum { RULES_IN_COPY = 40, POLICY_BYTES = SOURCE_BYTES_MAX };

/* rules40.pol in parts: before the servers, between them and the rules, the rules. In mem. */
struct policy_parts {
    Str folder, head, middle, rules;
};

/* False when the file can't be read or is of another shape. folder has no slash at its end and
 * outlives the parts. */
MUST_USE bool policy_parts_read(Str folder, struct arena *mem, struct policy_parts *parts);

/* Writes the policy of so many copies; false when it does not fit into out. */
MUST_USE bool policy_write(struct buf *out, const struct policy_parts *parts, enum growth growth,
                           uint32_t copies);

#endif
