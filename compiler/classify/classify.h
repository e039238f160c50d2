/* SPDX-License-Identifier: Apache-2.0 */
/* classify.h - what a tool most likely does, from what is known of it: its name, its description,
 * its arguments and what its server claims. The same tool gives the same answer, with the reasons.
 *
 * It errs to the careful side: a name and a description that differ count as the worse of them,
 * what is not clear stays unclassified, and a server's hints can raise an effect and never lower
 * one. A class made so is a guess for people to check; its confidence says how much it rests on.
 *
 * Bounds: the enumeration below. Arguments beyond them are left out, which is_partial says; a tool
 * of which not everything was seen never has a high confidence.
 */
#ifndef COMPILER_CLASSIFY_CLASSIFY_H
#define COMPILER_CLASSIFY_CLASSIFY_H

#include "compiler/classify/words.h"
#include "compiler/schema/classes.h"
#include "compiler/schema/schema.h"

enum {
    CLASSIFY_REASONS_MAX = 12,
    CLASSIFY_ROLES_MAX = 64,
    CLASSIFY_VALUES_MAX = 64,
    CLASSIFY_DEPTH_MAX = 6, /* containers around an argument */
};

enum classify_confidence { CLASSIFY_LOW, CLASSIFY_MEDIUM, CLASSIFY_HIGH };

struct classified_role {
    enum argument_role role;
    Str pointer;
};

struct classified_value {
    Str value;
    enum tool_effect effect;
};

struct classified {
    const struct pinned_tool *tool;
    enum tool_effect effect; /* the worst that its arguments allow */
    uint32_t flags;          /* a bit per enum tool_flag */
    enum classify_confidence confidence;
    Str why[CLASSIFY_REASONS_MAX]; /* the deciding ones first */
    uint32_t why_count;
    struct classified_role roles[CLASSIFY_ROLES_MAX];
    uint32_t role_count;
    Str variant; /* pointer to the argument that picks the effect; empty: none does */
    struct classified_value values[CLASSIFY_VALUES_MAX];
    uint32_t value_count;
    enum tool_effect otherwise; /* of other values */
    bool is_partial;            /* there are arguments that were not looked at */
};

/* How the tools of one server are read. */
struct classify_context {
    uint32_t prefix;   /* words that every name begins with, as in "slack_list_users" */
    bool ignore_hints; /* for measuring: as if the server had claimed nothing */
};

/* What the names of a server's tools begin with. */
uint32_t classify_prefix(const struct pinned_tool *tools, uint32_t count);

/* False: no memory. All texts lie in mem or in the tool. */
MUST_USE bool classify_tool(const struct pinned_tool *tool, const struct classify_context *context,
                            struct arena *mem, struct classified *out);

const char *classify_confidence_text(enum classify_confidence confidence);

#endif
