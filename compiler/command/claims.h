/* SPDX-License-Identifier: Apache-2.0 */
/* claims.h - `never allow`, `always deny`, `always allow`: does the policy keep what its source
 * claims?
 *
 * A claim is judged by comparing programs (compiler/prove). `never allow` and `always deny` hold if
 * the policy with one more rule, a deny with the claim's words, decides no call otherwise; `always
 * allow` holds if the policy allows every call that the claim alone would. A call that breaks a
 * claim was read back from its text and judged by both programs before it is handed out.
 */
#ifndef COMPILER_COMMAND_CLAIMS_H
#define COMPILER_COMMAND_CLAIMS_H

#include "compiler/command/judge.h"
#include "compiler/prove/prove.h"

enum {
    CLAIM_DOUBTS_SHOWN = 8, /* names of which it is unknown that are told one by one */
};

enum claim_answer { CLAIM_HOLDS, CLAIM_BROKEN, CLAIM_UNKNOWN };

/* Why it is unknown of a name. */
struct claim_doubt {
    Str server, name;
    enum message_kind kind;
    enum prove_doubt doubt;
    Str condition, place; /* DOUBT_CONDITION: its words, "file:line" */
};

struct claim_result {
    const struct rule *claim;
    Str profile; /* empty: the policy has none */
    enum claim_answer answer;
    Str server, name; /* BROKEN: of the shortest call that shows it */
    enum message_kind kind;
    Str call;              /* BROKEN: as `mcpc eval --call` reads it */
    Str verdict;           /* BROKEN: "allow", or "deny" */
    Str rule, place;       /* BROKEN: the rule that decided, "file:line"; empty: the default */
    Str cause;             /* BROKEN, without a rule: its word */
    uint32_t broken_names; /* names of which a call breaks it */
    struct claim_doubt doubts[CLAIM_DOUBTS_SHOWN];
    uint32_t doubt_count; /* all of them, also those of a broken claim */
};
typedef void (*claim_visit_fn)(void *user, const struct claim_result *result);

struct claim_counts {
    uint32_t held, broken, unknown;
};

/* Proves the claims of c's policy on the profile c->profile; c must have passed
 * compilation_check. False: errors were added to c->diags. What a result points to lives for the
 * visit. */
MUST_USE bool claims_prove(struct compilation *c, claim_visit_fn visit, void *user,
                           struct claim_counts *counts);

/* For all of the profiles that compilation_profiles names, printed: to text, or as one JSON object
 * if is_json; each adds to out. all: those that hold, too. */
MUST_USE bool claims_report(struct compilation *c, bool is_json, bool all, struct buf *out,
                            struct claim_counts *counts);

/* 0, 1 or 5; allow_unknown: 0 for 5. */
enum exit_code claims_code(const struct claim_counts *counts, bool allow_unknown);

#endif
