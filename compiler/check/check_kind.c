/* SPDX-License-Identifier: Apache-2.0 */
/* check_kind.c - rules and test calls of kinds other than tools: names that such messages can have,
 * and nothing that only pinned tools know. */
#include "compiler/check/check_internal.h"
#include "compiler/pattern/kind_pattern.h"
#include "runtime/domain/uri.h"

enum { PATTERN_SCRATCH_BYTES_MAX = 256 * 1024 * 1024, URI_SCRATCH_BYTES_MAX = 1024 * 1024 };

static const Str modes[] = { STR_INIT("form"), STR_INIT("url") };

/* An elicitation is one of two. */
static void check_mode(struct checker *c, Str name, Span span)
{
    Str best = { .p = NULL, .n = 0 };
    size_t distance = SIZE_MAX;
    for (size_t i = 0; i < COUNT(modes); i++) {
        if (str_eq(modes[i], name))
            return;
        suggest(modes[i], name, &best, &distance);
    }
    diag_add(c->diags, DIAG_MESSAGE_NAME, span, kind_table[KIND_ELICITATION].noun, STR_ARG(name));
    if (best.n)
        help_nearest(c, best);
    else
        diag_help(c->diags, "an elicitation is \"form\" or \"url\"");
}

static bool names_canonical(enum message_kind kind, Str name)
{
    struct arena scratch;
    arena_init(&scratch, URI_SCRATCH_BYTES_MAX);
    bool holds = true;
    if (kind == KIND_RESOURCE)
        holds = uri_is_canonical(name, &scratch);
    else if (kind == KIND_COMPLETION && uri_has_scheme(name))
        holds = uri_template_is_canonical(name, &scratch);
    arena_reset(&scratch);
    return holds;
}

static void check_glob(struct checker *c, enum message_kind kind, const struct name *name)
{
    struct arena scratch;
    struct automaton automaton;
    struct automaton_error error = { .text = "" };
    arena_init(&scratch, PATTERN_SCRATCH_BYTES_MAX);
    Str pattern = kind_name_pattern(kind, name->text, &scratch);
    enum status status =
        automaton_build(&pattern, 1, kind_name_syntax(kind), &scratch, &automaton, &error);
    if (status != ST_OK)
        diag_add(c->diags, status == ST_INVALID ? DIAG_BAD_PATTERN : DIAG_PATTERN_TOO_LARGE,
                 name->span, error.text);
    arena_reset(&scratch);
}

static void check_message_name(struct checker *c, enum message_kind kind, const struct name *name)
{
    if (!name->text.n)
        diag_add(c->diags, DIAG_EMPTY_TOOL, name->span, kind_table[kind].noun);
    else if (name->text.n > TEXT_BYTES_MAX)
        diag_add(c->diags, DIAG_TEXT_TOO_LONG, name->span, TEXT_BYTES_MAX);
    else if (kind_name_is_glob(kind, name->text))
        check_glob(c, kind, name);
    else if (kind == KIND_ELICITATION)
        check_mode(c, name->text, name->span);
    else if (!names_canonical(kind, name->text))
        diag_add(c->diags, DIAG_NOT_CANONICAL, name->span, STR_ARG(name->text));
}

void check_rule_kind(struct checker *c, const struct rule *rule)
{
    c->scope = (struct scope){ .is_closed = false };
    if (rule->kind == KIND_COUNT)
        return;
    const struct kind_info *kind = &kind_table[rule->kind];
    if (kind->names == NAMES_NONE && rule->names)
        diag_add(c->diags, DIAG_KIND_WITHOUT_NAMES, rule->names->span, STR_ARG(kind->word));
    for (const struct name *name = rule->names; name && kind->names != NAMES_NONE;
         name = name->next)
        check_message_name(c, rule->kind, name);
}

void check_call_kind(struct checker *c, const struct test_call *call)
{
    if (call->kind == KIND_COUNT)
        return;
    const struct kind_info *kind = &kind_table[call->kind];
    if (kind->names == NAMES_NONE && call->name_span.hi)
        diag_add(c->diags, DIAG_KIND_WITHOUT_NAMES, call->name_span, STR_ARG(kind->word));
    if (kind->names != NAMES_NONE && !call->name_span.hi)
        diag_add(c->diags, DIAG_KIND_WITH_NAMES, call->kind_span, kind->noun);
    else if (kind->names != NAMES_NONE && !call->name.n)
        diag_add(c->diags, DIAG_EMPTY_TOOL, call->name_span, kind->noun);
    else if (call->kind == KIND_ELICITATION)
        check_mode(c, call->name, call->name_span);
    const struct kind_method *method = kind_method_find(call->method);
    if (call->method_span.hi && (!method || method->kind != call->kind))
        diag_add(c->diags, DIAG_KIND_METHOD, call->method_span, STR_ARG(call->method),
                 STR_ARG(kind->word));
}
