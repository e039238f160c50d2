/* SPDX-License-Identifier: Apache-2.0 */
/* coverage.h - what of a policy its tests have reached.
 *
 * Three counts, each of points that a test can reach: a rule that acts, and one with a condition
 * that does not; a condition that is true, and that is false; a branch of a rule's code each way.
 */
#ifndef COMPILER_COMMAND_COVERAGE_H
#define COMPILER_COMMAND_COVERAGE_H

#include "runtime/vm/vm.h"

struct coverage_count {
    uint32_t reached, total;
};

struct coverage {
    const struct program *program;
    struct vm_trace trace; /* arrays owned */
    struct coverage_count rules, conditions, branches;
};

/* ST_NO_MEMORY. The program is borrowed. */
MUST_USE enum status coverage_open(struct coverage *coverage, const struct program *program);
void coverage_close(struct coverage *coverage);

/* Counts what the trace holds: once, when all tests have run. */
void coverage_count(struct coverage *coverage);

/* The least of the three, in percent; 100 when there is nothing to reach. */
double coverage_percent(const struct coverage *coverage);

/* A table, and a line for each point that was not reached; each line begins with prefix. */
void coverage_print(const struct coverage *coverage, const char *prefix, struct buf *out);
/* {"policy","rules":{"reached","total"},...,"missing":[{"source","line","what","text"}]}; a comma
 * before it unless out is empty. */
void coverage_json(const struct coverage *coverage, struct buf *out);

#endif
