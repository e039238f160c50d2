/* SPDX-License-Identifier: Apache-2.0 */
/* argument.h - what a tool's arguments say: their roles, which one picks what is done, what is run.
 */
#ifndef COMPILER_CLASSIFY_ARGUMENT_H
#define COMPILER_CLASSIFY_ARGUMENT_H

#include "compiler/classify/classify.h"

/* What was seen on the way through a tool's arguments. */
struct argument_facts {
    Str shell, sql, runs, target, net, url; /* pointers to the first of each; empty: none */
    Str picker;                             /* to the argument that picks, of a list of values */
    Str open_picker;                        /* to one that takes any value */
    const struct schema *picker_values;
    bool is_picker_weak; /* only values that differ make it one */
    bool has_path, has_secret, has_text, has_recipient, has_id;
};

/* Fills roles, role_count and is_partial of out. False: no memory. */
MUST_USE bool arguments_look(const struct pinned_tool *tool, struct arena *mem,
                             struct argument_facts *facts, struct classified *out);

/* The role of an argument by its name; ROLE_COUNT: none. */
enum argument_role argument_role(Str name);

#endif
