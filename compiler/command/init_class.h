/* SPDX-License-Identifier: Apache-2.0 */
/* init_class.h - what `mcpc init` makes of a tool: a guess to start from, never more than a person
 * could check by reading the tool's name and arguments.
 *
 * A tool counts as reading only when its name begins with a word for it, no word in it speaks of
 * anything else, the server does not contradict, and no argument is code, an address or a choice
 * of what to do. A server's hints are claims of a stranger: they can only take a tool out.
 */
#ifndef COMPILER_COMMAND_INIT_CLASS_H
#define COMPILER_COMMAND_INIT_CLASS_H

#include "compiler/schema/schema.h"

enum init_group {
#define GROUP(NAME, title, reason, test) INIT_##NAME,
#include "compiler/command/init_group.def"
#undef GROUP
    INIT_GROUP_COUNT
};

enum init_role {
    INIT_ROLE_NONE,
    INIT_ROLE_PATH,
    INIT_ROLE_URL,
    INIT_ROLE_HOST,
    INIT_ROLE_SQL,
    INIT_ROLE_SHELL,
    INIT_ROLE_CODE,
    INIT_ROLE_RECIPIENT,
    INIT_ROLE_METHOD,
};

enum { INIT_ARGUMENTS_MAX = 16, INIT_DEPTH_MAX = 4 };

/* An argument of strings that a condition can be about. */
struct init_argument {
    enum init_role role;
    Str text;         /* as a policy writes it: args.path, args.files[].path */
    Str guard;        /* what may be missing on the way there: args.files; empty: nothing */
    bool is_repeated; /* it stands for several strings: text goes behind `all x in` */
};

struct init_class {
    const struct pinned_tool *tool;
    enum init_group group;
    Str why; /* one line for a comment, in mem */
    struct init_argument arguments[INIT_ARGUMENTS_MAX];
    uint32_t argument_count;
    bool is_partial; /* there are arguments that were not looked at */
};

/* The first word of all tool names when they share it, as in "slack_list_users"; else empty. */
Str init_prefix(const struct snapshot *snapshot, struct arena *mem);

/* False: no memory. */
MUST_USE bool init_classify(const struct pinned_tool *tool, Str prefix, struct arena *mem,
                            struct init_class *out);

/* The role of a member by its name, if its values are strings or a list of them. */
enum init_role init_role_of(const struct schema_member *member);

#endif
