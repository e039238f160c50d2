/* SPDX-License-Identifier: Apache-2.0 */
/* emit_pattern.c - patterns as instructions, and the tables that these read. The same patterns are
 * stored once, wherever they are written.
 */
#include "compiler/emit/emit_internal.h"
#include "compiler/pattern/matcher.h"
#include "compiler/pattern/pattern.h"

/* What tells one set of patterns from another. */
static Str patterns_key(struct emitter *e, enum automaton_syntax syntax, const Str *patterns,
                        uint32_t count)
{
    struct buf key;
    buf_init(&key, BUNDLE_BYTES_MAX);
    buf_printf(&key, "%d", (int)syntax);
    for (uint32_t i = 0; i < count; i++)
        buf_printf(&key, ":%zu:%.*s", patterns[i].n, STR_ARG(patterns[i]));
    Str kept = key.is_full ? (Str){ .p = NULL, .n = 0 } : arena_copy(e->mem, buf_str(&key));
    buf_free(&key);
    return kept;
}

static uint32_t text_const(struct emitter *e, Str text)
{
    return bundle_const(&e->bundle, B_CONST_STRING, false, text);
}

static uint32_t text_set(struct emitter *e, const struct matcher *matcher)
{
    uint32_t *elements = ARENA_NEW(e->mem, uint32_t, matcher->text_count);
    e->bundle.is_full |= !elements;
    for (uint32_t i = 0; elements && i < matcher->text_count; i++)
        elements[i] = text_const(e, matcher->texts[i]);
    return elements ? bundle_set(&e->bundle, elements, matcher->text_count) : 0;
}

static struct match_op match_op(struct emitter *e, const struct matcher *matcher)
{
    switch (matcher->kind) {
    case MATCHER_EQUAL: return (struct match_op){ OP_EQ, text_const(e, matcher->texts[0]) };
    case MATCHER_STARTS: return (struct match_op){ OP_STARTS, text_const(e, matcher->texts[0]) };
    case MATCHER_ENDS: return (struct match_op){ OP_ENDS, text_const(e, matcher->texts[0]) };
    case MATCHER_CONTAINS:
        return (struct match_op){ OP_HAS_TEXT, text_const(e, matcher->texts[0]) };
    case MATCHER_SET: return (struct match_op){ OP_IN_SET, text_set(e, matcher) };
    case MATCHER_WORDS:
        return (struct match_op){ OP_MATCH_WORDS,
                                  bundle_trie(&e->bundle, &matcher->trie, matcher->forbidden) };
    case MATCHER_NFA:
        return (struct match_op){ OP_MATCH_NFA, bundle_nfa(&e->bundle, &matcher->nfa) };
    case MATCHER_DFA: break;
    }
    return (struct match_op){ OP_MATCH, bundle_dfa(&e->bundle, &matcher->dfa) };
}

static void remember(struct emitter *e, Str key, struct match_ops ops)
{
    struct match_ops *matches =
        array_grow(e->mem, e->matches, &e->match_room, e->match_count, sizeof *matches);
    e->bundle.is_full |= !key.p || !matches || !intern_put(&e->patterns, key, e->match_count);
    if (e->bundle.is_full)
        return;
    e->matches = matches;
    e->matches[e->match_count++] = ops;
}

struct match_ops emit_pattern(struct emitter *e, enum automaton_syntax syntax, const Str *patterns,
                              uint32_t count, Span span)
{
    struct matchers matchers;
    struct automaton_error error = { .text = "" };
    struct match_ops ops = { .count = 0 };
    Str key = patterns_key(e, syntax, patterns, count);
    const uint32_t *known = key.p ? intern_get(&e->patterns, key) : NULL;
    if (known)
        return e->matches[*known];
    enum status status = matchers_build(patterns, count, syntax, e->mem, &matchers, &error);
    if (status != ST_OK) {
        diag_add(e->diags, status == ST_LIMIT ? DIAG_PATTERN_TOO_LARGE : DIAG_BAD_PATTERN, span,
                 error.text);
        return ops;
    }
    ops.items = ARENA_NEW(e->mem, struct match_op, matchers.count);
    e->bundle.is_full |= !ops.items;
    for (; ops.items && ops.count < matchers.count; ops.count++)
        ops.items[ops.count] = match_op(e, &matchers.items[ops.count]);
    remember(e, key, ops);
    return ops;
}
