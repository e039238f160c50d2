/* SPDX-License-Identifier: Apache-2.0 */
/* prove_draft.h - generated policies over a few tools and arguments, and calls of them: what the
 * tests of comparisons and of claims share. */
#ifndef TESTS_UNIT_PROVE_DRAFT_H
#define TESTS_UNIT_PROVE_DRAFT_H

#include "runtime/base/buf.h"
#include "runtime/bundle/program.h"

enum { RULES_MAX = 8, RULE_BYTES = 512, TARGET_BYTES = 480, DRAFT_TOOLS = 5 };

extern uint64_t draft_state; /* of the generator */
extern const char *const draft_tools[DRAFT_TOOLS];

struct draft {
    char rules[RULES_MAX][RULE_BYTES];
    uint32_t count;
    bool is_exact; /* all conditions are of a kind that is exact */
};

uint32_t roll(uint32_t sides);
void make_draft(struct draft *draft);
void mutate(const struct draft *from, struct draft *to);
/* A selector with a condition, `tool "x" when ...`, into TARGET_BYTES. */
void make_target(const struct draft *draft, char *out);
/* The source, with more behind its rules. */
void draft_write(const struct draft *draft, const char *more, struct buf *out);
/* The program of a source in a file of that name; NULL after a failed check. */
struct program *draft_compile(Str source, const char *name);
/* A call of the tool, as `mcpc eval` reads it. */
void make_call(struct buf *out, uint32_t tool);

#endif
