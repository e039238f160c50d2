/* SPDX-License-Identifier: Apache-2.0 */
/* compare.h - one comparison under way. Private to compare.c and names.c. */
#ifndef COMPILER_PROVE_COMPARE_H
#define COMPILER_PROVE_COMPARE_H

#include "compiler/prove/model.h"
#include "compiler/prove/prove.h"

/* The rules of one side about a tool. */
struct lane {
    uint32_t *rules;        /* of the model, denies and asks before allows */
    uint32_t count, allows; /* allows: index of the first allow */
    uint32_t shape;
    bool is_known; /* the policy speaks of the name */
};

struct comparison {
    struct model model;
    const struct prove_visitor *visitor;
    struct arena mem; /* of one tool */
    Str server, name;
    enum message_kind kind;
    bool is_class; /* the name stands for others */
    struct lane lanes[SIDES];
    struct goal *goals;
    uint32_t goal_count;
};

/* ------------------------------- names.c -------------------------------- */

/* The names that have to be looked at. */
struct name_list {
    struct compared_name {
        Str text;
        bool is_class; /* stands for others that no rule names */
    } * items;
    uint32_t count;
    bool is_complete; /* false: there may be classes besides */
};

/* Those that either program knows of c's server and kind, and one of each class that their
 * patterns tell apart. The one empty name of a kind without names. False: memory ended. */
MUST_USE bool names_list(const struct comparison *c, struct arena *mem, struct name_list *out);
/* Sorts, drops repeats and returns how many are left. */
uint32_t names_unique(Str *names, uint32_t count);
/* Is a message of that name denied for its name, which is no canonical URI? */
bool name_is_odd(const struct comparison *c, Str name);

#endif
