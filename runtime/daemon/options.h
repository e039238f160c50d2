/* SPDX-License-Identifier: Apache-2.0 */
/* options.h - reads a subcommand's options: "--name value" or "--name=value".
 *
 * An option that takes one value may be given once; a list collects. "--" ends the options. All
 * mistakes are told on standard error.
 */
#ifndef RUNTIME_DAEMON_OPTIONS_H
#define RUNTIME_DAEMON_OPTIONS_H

#include "runtime/base/str.h"

enum { OPTION_LIST_MAX = 256 };

enum option_kind { OPTION_FLAG, OPTION_TEXT, OPTION_LIST };

/* Values are borrowed from argv and have a NUL behind them. */
struct option_list {
    Str items[OPTION_LIST_MAX];
    size_t count;
};

struct option {
    const char *name; /* without the dashes */
    enum option_kind kind;
    void *out; /* bool *, Str *, struct option_list * by kind; all zero beforehand */
};

struct option_set {
    const struct option *options;
    size_t count;
    size_t arguments_max; /* arguments that are no options, before any "--" */
};

struct option_rest {
    Str arguments[1];
    size_t count;
    char **behind; /* what follows "--", and its length; NULL, 0 without one */
    size_t behind_count;
};

/* False after a message about what is wrong. */
MUST_USE bool options_read(const struct option_set *set, int argc, char **argv,
                           struct option_rest *rest);

/* A name from names that is nearly word, or NULL. For "did you mean". */
const char *options_nearest(Str word, const char *const *names, size_t count);

#endif
