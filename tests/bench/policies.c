/* SPDX-License-Identifier: Apache-2.0 */
/* policies.c - text replacement is all it takes: the rules name their server "s0" and their team
 * "team-0", and each copy gets another number in place of the 0 that is to differ. */
#include "tests/bench/policies.h"

#include <stdio.h>

/* from with every `what` replaced by `with`. */
static void add_replaced(struct buf *out, Str from, Str what, Str with)
{
    while (from.n) {
        const char *at = memmem(from.p, from.n, what.p, what.n);
        size_t before = at ? (size_t)(at - from.p) : from.n;
        buf_add(out, str_sub(from, 0, before));
        if (at)
            buf_add(out, with);
        from = str_sub(from, at ? before + what.n : from.n, from.n);
    }
}

/* The place behind the first byte of `what` in the text, or 0: so a line's start for "\nline". */
static size_t find(Str text, Str what)
{
    const char *at = text.n ? memmem(text.p, text.n, what.p, what.n) : NULL;
    return at ? (size_t)(at - text.p) + 1 : 0;
}

bool policy_parts_read(Str folder, struct arena *mem, struct policy_parts *parts)
{
    Str text;
    if (file_read(arena_printf(mem, "%.*s/rules40.pol", STR_ARG(folder)), POLICY_BYTES, mem,
                  &text) != ST_OK)
        return false;
    size_t server = find(text, STR("\nserver ")), rules = find(text, STR("\nallow "));
    size_t line = find(str_sub(text, server, text.n), STR("\n"));
    if (!server || !line || rules < server + line)
        return false;
    *parts = (struct policy_parts){ .folder = folder,
                                    .head = str_sub(text, 0, server),
                                    .middle = str_sub(text, server + line, rules),
                                    .rules = str_sub(text, rules, text.n) };
    return true;
}

bool policy_write(struct buf *out, const struct policy_parts *parts, enum growth growth,
                  uint32_t copies)
{
    bool is_servers = growth == GROWTH_SERVERS;
    buf_clear(out);
    buf_add(out, parts->head);
    for (uint32_t i = 0; i < (is_servers ? copies : 1); i++)
        buf_printf(out, "server \"s%u\" tools \"%.*s/rules40.tools.json\";\n", i,
                   STR_ARG(parts->folder));
    buf_add(out, parts->middle);
    for (uint32_t i = 0; i < copies; i++) {
        char name[32];
        int n = snprintf(name, sizeof name, is_servers ? "\"s%u\"" : "\"team-%u\"", i);
        add_replaced(out, parts->rules, is_servers ? STR("\"s0\"") : STR("\"team-0\""),
                     (Str){ .p = name, .n = (size_t)n });
    }
    return !out->is_full;
}
