/* SPDX-License-Identifier: Apache-2.0 */
/* emit.c - the emitter's outline: rules in source order, then which tool they concern, then the
 * file. Everything is numbered by first use in that order, so the bundle is a function of the
 * source and the snapshots alone. */
#include "compiler/emit/emit_internal.h"
#include "compiler/source/zone.h"

uint32_t emit_zone(struct emitter *e, Str name, Span span)
{
    struct b_zone_step *steps;
    uint32_t count;
    uint32_t known = bundle_zone_find(&e->bundle, name);
    if (known != B_NONE)
        return known;
    if (zone_read(name, e->mem, &steps, &count) == ST_OK)
        return bundle_zone(&e->bundle, name, steps, count);
    diag_add(e->diags, DIAG_UNKNOWN_ZONE, span, STR_ARG(name));
    return 0;
}

void emit_place(const struct emitter *e, Span span, uint32_t *source, uint32_t *line,
                uint32_t *column)
{
    *source = span.source;
    source_position(&e->sources->items[span.source], span.lo, line, column);
}

enum { QUOTE_MAX = 160 };

/* The end of what can be quoted from text: one line, cut at a code point. */
static size_t quote_end(Str text)
{
    size_t end = 0;
    while (end < text.n && text.p[end] != '\n' && text.p[end] != '\r' && end < QUOTE_MAX)
        end++;
    while (end && end < text.n && ((unsigned char)text.p[end] & 0xC0) == 0x80)
        end--;
    while (end && (text.p[end - 1] == ' ' || text.p[end - 1] == '\t'))
        end--;
    return end;
}

struct b_text emit_quote(struct emitter *e, Span span)
{
    Str text = str_sub(e->sources->items[span.source].text, span.lo, span.hi);
    return bundle_text(&e->bundle, str_sub(text, 0, quote_end(text)));
}

/* A source is known by its file name: the same policy gives the same bundle in any folder. */
static Str file_name(Str path)
{
    for (size_t i = path.n; i > 0; i--) {
        if (path.p[i - 1] == '/')
            return str_sub(path, i, path.n);
    }
    return path;
}

/* What the rule sets: records now, code into values. */
static void emit_sets(struct emitter *e, const struct rule *rule, struct b_rule *record,
                      struct buf *values)
{
    record->set_first = bundle_count(&e->bundle, SECTION_REWRITES);
    for (const struct set_decl *set = rule->sets; set; set = set->next) {
        struct b_rewrite rewrite = { .slot = emit_field_slot(e, set->place) };
        rewrite.code_count = emit_set_value(e, set->value, values);
        (void)bundle_add(&e->bundle, SECTION_REWRITES, &rewrite);
        record->set_count++;
    }
}

static void emit_rule(struct emitter *e, const struct rule *rule, struct rule_code *code,
                      struct buf *values)
{
    struct b_rule record = { .effect = rule->effect == EFFECT_ALLOW ? B_ALLOW : B_DENY,
                             .flags = rule->advertises ? (uint32_t)B_RULE_ADVERTISES : 0 };
    buf_clear(&code->insns);
    buf_clear(&code->targets);
    emit_rule_code(e, rule->effect, rule->when, code);
    emit_place(e, rule->span, &record.source, &record.line, &record.column);
    record.reason = bundle_text(&e->bundle, rule->reason);
    record.text = emit_quote(e, rule->span);
    record.code_count = (uint32_t)(code->insns.n / sizeof(struct b_insn));
    emit_sets(e, rule, &record, values);
    (void)bundle_add(&e->bundle, SECTION_RULES, &record);
}

/* The code of rewrites and of rules is placed: both stand behind all atoms' code, which is complete
 * only after the last rule. */
static void place_code(struct emitter *e, const struct buf *values, const struct buf *all)
{
    struct buf *code = &e->bundle.sections[SECTION_CODE];
    struct buf *rewrites = &e->bundle.sections[SECTION_REWRITES];
    struct buf *rules = &e->bundle.sections[SECTION_RULES];
    uint32_t next = bundle_count(&e->bundle, SECTION_CODE);
    for (size_t at = 0; at < rewrites->n; at += sizeof(struct b_rewrite)) {
        struct b_rewrite record;
        memcpy(&record, rewrites->p + at, sizeof record);
        record.code = next;
        next += record.code_count;
        memcpy(rewrites->p + at, &record, sizeof record);
    }
    for (size_t at = 0; at < rules->n; at += sizeof(struct b_rule)) {
        struct b_rule record;
        memcpy(&record, rules->p + at, sizeof record);
        record.code = next;
        next += record.code_count;
        memcpy(rules->p + at, &record, sizeof record);
    }
    buf_add(code, buf_str(values));
    buf_add(code, buf_str(all));
    e->bundle.is_full |= values->is_full || all->is_full || code->is_full;
}

static void emit_rules(struct emitter *e)
{
    struct rule_code code;
    struct buf all, values;
    buf_init(&code.insns, (size_t)(BUNDLE_RULE_INSNS_MAX + 1) * sizeof(struct b_insn));
    buf_init(&code.targets, (size_t)(BUNDLE_RULE_INSNS_MAX + 1) * sizeof(uint32_t));
    buf_init(&all, BUNDLE_BYTES_MAX);
    buf_init(&values, BUNDLE_BYTES_MAX);
    for (uint32_t i = 0; i < e->rule_count && !e->bundle.is_full; i++) {
        emit_rule(e, e->rules[i], &code, &values);
        buf_add(&all, buf_str(&code.insns));
    }
    place_code(e, &values, &all);
    buf_free(&code.insns);
    buf_free(&code.targets);
    buf_free(&all);
    buf_free(&values);
}

/* Two profiles of one policy are two policies to a gateway. */
static Str full_name(struct emitter *e)
{
    const struct policy *policy = e->policy;
    if (!policy->profile.n)
        return policy->name;
    Str name = arena_printf(e->mem, "%.*s/%.*s", STR_ARG(policy->name), STR_ARG(policy->profile));
    e->bundle.is_full |= !name.p;
    return name;
}

static void finish(struct emitter *e, struct buf *out)
{
    struct bundle_error error = { .text = "" };
    struct b_meta meta = { .version = e->policy->version,
                           .name = bundle_text(&e->bundle, full_name(e)),
                           .profile = bundle_text(&e->bundle, e->policy->profile),
                           .compiler = bundle_text(&e->bundle, STR("mcpc " MCP_VERSION)),
                           .default_reason = bundle_text(&e->bundle, e->policy->fallback.reason) };
    for (uint32_t i = 0; i < e->sources->count; i++) {
        struct b_text name = bundle_text(&e->bundle, file_name(e->sources->items[i].path));
        (void)bundle_add(&e->bundle, SECTION_SOURCES, &name);
    }
    enum status status = bundle_finish(&e->bundle, &meta, out, &error);
    if (status == ST_LIMIT && !error.text[0])
        diag_add(e->diags, DIAG_NO_MEMORY, e->policy->name_span);
    else if (status != ST_OK)
        diag_add(e->diags, DIAG_POLICY_TOO_LARGE, e->policy->name_span, error.text);
}

bool policy_emit(const struct policy *policy, const struct sources *sources, struct arena *mem,
                 struct diags *diags, struct buf *out)
{
    struct emitter e = { .policy = policy, .sources = sources, .mem = mem, .diags = diags };
    struct b_shape anything = { .flags = B_SHAPE_OPEN };
    uint32_t errors = diags->errors;
    bundle_init(&e.bundle, mem);
    intern_init(&e.patterns, mem);
    (void)bundle_add(&e.bundle, SECTION_SHAPES, &anything);
    emit_expand(&e);
    emit_rules(&e);
    emit_routes(&e);
    if (e.diags->errors == errors)
        finish(&e, out);
    bundle_free(&e.bundle);
    return e.diags->errors == errors;
}
