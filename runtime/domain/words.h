/* SPDX-License-Identifier: Apache-2.0 */
/* words.h - a shell command line cut into words, as shell() and cli() share it. Private to
 * runtime/domain. */
#ifndef RUNTIME_DOMAIN_WORDS_H
#define RUNTIME_DOMAIN_WORDS_H

#include "runtime/base/arena.h"
#include "runtime/base/str.h"

enum { WORDS_MAX = 4096 };

struct word {
    Str text;
    bool is_operator; /* | || && ; & or a line end (as "\n") */
    size_t bare_n;    /* bytes before the first quote or backslash */
};

struct words {
    struct word *items;
    size_t count;
};

/* The words of a line that sh, bash, dash and zsh cut alike; false for everything else: expansions
 * and substitutions ($ and `), globs and braces, tildes, redirections, groups and subshells,
 * comments, history, `=` at a word's start, line continuations, control characters, blanks beyond
 * ASCII. */
MUST_USE bool words_read(Str text, struct arena *mem, struct words *out);

#endif
