/* SPDX-License-Identifier: Apache-2.0 */
/* kind_pattern.c - one place that knows which glob a kind's names are, for checker and emitter. */
#include "compiler/pattern/kind_pattern.h"

/* Marks of globs that are plain characters in names of the kind. */
static Str plain_marks(enum message_kind kind)
{
    return kind == KIND_RESOURCE ? STR("?") : kind == KIND_COMPLETION ? STR("?{}") : STR("");
}

static bool is_plain(Str marks, char c)
{
    return marks.n && memchr(marks.p, c, marks.n);
}

bool kind_name_is_glob(enum message_kind kind, Str name)
{
    Str marks = plain_marks(kind);
    for (size_t i = 0; i < name.n; i++)
        if (!is_plain(marks, name.p[i]) && pattern_is_glob(str_sub(name, i, i + 1)))
            return true;
    return false;
}

enum automaton_syntax kind_name_syntax(enum message_kind kind)
{
    return kind == KIND_RESOURCE || kind == KIND_COMPLETION ? AUTOMATON_GLOB : AUTOMATON_TOOL;
}

Str kind_name_pattern(enum message_kind kind, Str name, struct arena *mem)
{
    Str marks = plain_marks(kind);
    char *out = arena_alloc_raw(mem, 1, 1, 2 * name.n + 1);
    size_t n = 0;
    bool is_quoted = false;
    if (!out)
        return (Str){ .p = NULL, .n = 0 };
    for (size_t i = 0; i < name.n; i++) {
        if (is_plain(marks, name.p[i]) && !is_quoted)
            out[n++] = '\\';
        is_quoted = name.p[i] == '\\' && !is_quoted;
        out[n++] = name.p[i];
    }
    return (Str){ .p = out, .n = n };
}
