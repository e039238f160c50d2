/* SPDX-License-Identifier: Apache-2.0 */
/* rewrite.c - what allows set: the arguments with it in place, and the judgement of those.
 *
 * Values are kept as JSON text, so that two rules agree exactly if they would send the same bytes,
 * in whatever order they stand. The new arguments are the call's own bytes with only the values
 * that are set spliced in; that text is read by the strict reader like a client's, and the document
 * it gives is judged by the whole program. It is forwarded only if it is allowed and every value
 * that its own rules set is there already: nothing is rewritten twice, and no deny is undone.
 */
#include "runtime/bundle/decimal.h"
#include "runtime/vm/vm_internal.h"

#include <stdlib.h>

enum { REWRITE_ARENA_BYTES_MAX = 64 * 1024 * 1024 };

enum status rewrite_open(struct vm_rewrite **out)
{
    struct vm_rewrite *rewrite = calloc(1, sizeof *rewrite);
    if (!rewrite)
        return ST_NO_MEMORY;
    arena_init(&rewrite->mem, REWRITE_ARENA_BYTES_MAX);
    buf_init(&rewrite->text, json_limits_default.max_bytes);
    *out = rewrite;
    return ST_OK;
}

void rewrite_close(struct vm_rewrite *rewrite)
{
    if (!rewrite)
        return;
    arena_reset(&rewrite->mem);
    buf_free(&rewrite->text);
    free(rewrite);
}

void rewrite_begin(struct vm_rewrite *rewrite)
{
    rewrite->sets.count = 0;
    if (rewrite->mem.blocks)
        arena_rewind(&rewrite->mem);
}

void vm_place_write(const struct program *program, uint32_t slot, struct buf *out)
{
    const struct b_slot *s = &program->slots[slot];
    for (uint32_t i = 0; i < s->count; i++) {
        if (i)
            buf_add_char(out, '.');
        buf_add(out, program_text(program, program->steps[s->first + i]));
    }
}

/* The call is denied because of what a rule sets at that place. */
static bool refuse(struct vm *vm, const struct vm_set *set, enum vm_cause cause,
                   struct decision *out)
{
    struct vm_rewrite *rewrite = vm->rewrite;
    const struct program *p = vm->program;
    buf_clear(&rewrite->text);
    vm_place_write(p, set->slot, &rewrite->text);
    out->verdict = VERDICT_DENY;
    out->cause = cause;
    out->rule = set->rule;
    out->reason = program_text(p, p->rules[set->rule].reason);
    out->argument = arena_copy(&rewrite->mem, buf_str(&rewrite->text));
    return false;
}

/* -------------------------------- values -------------------------------- */

/* A constant is stored as 7e3 for 7000, which not every reader takes for an integer. */
static void write_number(Str literal, struct buf *out)
{
    char text[DECIMAL_TEXT_BYTES];
    struct number number;
    Decimal decimal;
    if (number_parse(literal, &number) && decimal_of(&number, &decimal))
        literal = (Str){ .p = text, .n = decimal_write(decimal, text, sizeof text) };
    buf_add(out, literal);
}

static void write_groups(const struct principal *who, struct buf *out)
{
    buf_add_char(out, '[');
    for (size_t i = 0; i < who->group_count; i++) {
        if (i)
            buf_add_char(out, ',');
        json_write_string(out, who->groups[i]);
    }
    buf_add_char(out, ']');
}

/* False when there is no value. */
static bool write_value(const struct vm *vm, const struct value *value, struct buf *out)
{
    buf_clear(out);
    switch ((enum value_type)value->type) {
    case VALUE_UNKNOWN:
    case VALUE_MISSING: return false;
    case VALUE_NULL: buf_add(out, STR("null")); break;
    case VALUE_BOOL: buf_add(out, value->truth ? STR("true") : STR("false")); break;
    case VALUE_STRING: json_write_string(out, value->text); break;
    case VALUE_GROUPS: write_groups(vm->call->principal, out); break;
    case VALUE_NUMBER:
        if (!value->doc)
            write_number(value->text, out);
        else
            buf_add(out, value->text);
        break;
    case VALUE_LIST:
    case VALUE_OBJECT: json_write_value(out, value->doc, value->node); break;
    }
    return !out->is_full;
}

/* --------------------------------- sets --------------------------------- */

enum places { PLACES_APART, PLACES_SAME, PLACES_NESTED };

/* What two places of one set of arguments have to do with each other. */
static enum places compare_places(const struct program *p, uint32_t a, uint32_t b)
{
    const struct b_slot *x = &p->slots[a], *y = &p->slots[b];
    uint32_t common = x->count < y->count ? x->count : y->count;
    for (uint32_t i = 0; a != b && i < common; i++) {
        if (!str_eq(program_text(p, p->steps[x->first + i]),
                    program_text(p, p->steps[y->first + i])))
            return PLACES_APART;
    }
    return x->count == y->count ? PLACES_SAME : PLACES_NESTED;
}

/* Keeps a set unless it says what another one says already. */
static bool keep_set(struct vm *vm, const struct vm_set *set, struct decision *out)
{
    struct vm_sets *sets = &vm->rewrite->sets;
    for (uint32_t i = 0; i < sets->count; i++) {
        enum places places = compare_places(vm->program, sets->items[i].slot, set->slot);
        if (places == PLACES_SAME && str_eq(sets->items[i].json, set->json))
            return true;
        if (places != PLACES_APART)
            return refuse(vm, set, CAUSE_CONFLICTING_REWRITE, out);
    }
    if (sets->count == BUNDLE_REWRITES_MAX)
        return refuse(vm, set, CAUSE_CONFLICTING_REWRITE, out);
    sets->items[sets->count++] = *set;
    return true;
}

bool rewrite_collect(struct vm *vm, uint32_t rule, struct decision *out)
{
    const struct program *p = vm->program;
    struct vm_rewrite *rewrite = vm->rewrite;
    const struct b_rewrite *at = p->rewrites + p->rules[rule].set_first;
    for (uint32_t i = 0; i < p->rules[rule].set_count; i++, at++) {
        struct vm_set set = { .slot = at->slot, .rule = rule };
        struct value value = code_value(vm, p->code + at->code, at->code_count);
        bool is_known = write_value(vm, &value, &rewrite->text);
        if (is_known)
            set.json = arena_copy(&rewrite->mem, buf_str(&rewrite->text));
        if (!set.json.p) {
            out->unknown = is_known ? UNKNOWN_TOO_LONG : cause_of(&value);
            return refuse(vm, &set, CAUSE_UNKNOWN_REWRITE, out);
        }
        if (!keep_set(vm, &set, out))
            return false;
    }
    return true;
}

/* ------------------------------- splicing ------------------------------- */

/* Bytes of the arguments' text that give way to a value, or a place for a new member. */
struct splice {
    uint32_t from, to; /* offsets in the document's text; equal: a member is put in */
    bool is_first;     /* the object it is put into is empty */
    Str key, json;
    uint32_t slot;
};

enum found { PLACE_HOLDS, PLACE_CHANGES, PLACE_LACKS };

/* Does the place hold the value already? LACKS: it is not in an object that is there. */
static enum found find_splice(struct vm *vm, const struct vm_call *call, const struct vm_set *set,
                              struct splice *splice)
{
    const struct program *p = vm->program;
    const struct b_slot *slot = &p->slots[set->slot];
    struct buf *text = &vm->rewrite->text;
    uint32_t object = call->arguments;
    for (uint32_t i = 0;; i++) {
        const struct json_node *node = json_at(call->doc, object);
        Str key = program_text(p, p->steps[slot->first + i]);
        bool is_last = i + 1 == slot->count;
        if (node->type != JSON_OBJECT)
            return PLACE_LACKS;
        uint32_t member = json_member(call->doc, object, key);
        if (member == JSON_NONE && !is_last)
            return PLACE_LACKS;
        *splice = (struct splice){ .json = set->json, .slot = set->slot, .key = key };
        if (member == JSON_NONE) {
            splice->from = splice->to = node->raw + node->raw_n - 1;
            splice->is_first = node->count == 0;
            return PLACE_CHANGES;
        }
        if (is_last) {
            const struct json_node *old = json_at(call->doc, member);
            splice->from = old->raw;
            splice->to = old->raw + old->raw_n;
            buf_clear(text);
            json_write_value(text, call->doc, member);
            return str_eq(buf_str(text), set->json) && !text->is_full ? PLACE_HOLDS : PLACE_CHANGES;
        }
        object = member;
    }
}

/* By place in the text, new members of one object by their keys: no rule's order is in it. */
static int splice_order(const void *a, const void *b)
{
    const struct splice *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return str_cmp(x->key, y->key);
}

static void write_splices(const struct vm_call *call, const struct splice *splices, uint32_t count,
                          struct buf *out)
{
    const struct json_node *root = json_at(call->doc, call->arguments);
    uint32_t at = root->raw;
    buf_clear(out);
    for (uint32_t i = 0; i < count; i++) {
        const struct splice *splice = &splices[i];
        bool is_new = splice->from == splice->to;
        bool follows = is_new && i && splices[i - 1].from == splice->from;
        buf_add(out, str_sub(call->doc->text, at, splice->from));
        if (is_new) {
            if (!splice->is_first || follows)
                buf_add_char(out, ',');
            json_write_string(out, splice->key);
            buf_add_char(out, ':');
        }
        buf_add(out, splice->json);
        at = splice->to;
    }
    buf_add(out, str_sub(call->doc->text, at, (size_t)root->raw + root->raw_n));
}

/* What the sets change. False: one has no place. */
static bool find_splices(struct vm *vm, const struct vm_call *call, struct splice *splices,
                         uint32_t *count, struct decision *out)
{
    const struct vm_sets *sets = &vm->rewrite->sets;
    *count = 0;
    for (uint32_t i = 0; i < sets->count; i++) {
        switch (find_splice(vm, call, &sets->items[i], &splices[*count])) {
        case PLACE_HOLDS: break;
        case PLACE_CHANGES: ++*count; break;
        case PLACE_LACKS: return refuse(vm, &sets->items[i], CAUSE_UNKNOWN_REWRITE, out);
        }
    }
    if (*count)
        qsort(splices, *count, sizeof *splices, splice_order);
    return true;
}

/* ------------------------------ the new call ---------------------------- */

/* A call without arguments is one with none in it. */
static bool with_arguments(struct vm_rewrite *rewrite, const struct vm_call *call,
                           struct vm_call *out)
{
    *out = *call;
    if (call->doc)
        return call->doc->text.p != NULL; /* a document that was not read has no bytes to keep */
    struct json_doc *none = ARENA_NEW(&rewrite->mem, struct json_doc, 1);
    out->doc = none;
    out->arguments = 0;
    return none &&
           json_parse(STR("{}"), &json_limits_default, &rewrite->mem, none, NULL) == JSON_ERR_NONE;
}

/* Is anything set that is not there? */
static bool is_stable(struct vm *vm, const struct vm_call *call, struct decision *out)
{
    const struct vm_sets *sets = &vm->rewrite->sets;
    struct splice splice;
    for (uint32_t i = 0; i < sets->count; i++) {
        if (find_splice(vm, call, &sets->items[i], &splice) != PLACE_HOLDS)
            return refuse(vm, &sets->items[i], CAUSE_UNSTABLE_REWRITE, out);
    }
    return true;
}

/* Reads the new arguments as if a client had sent them. */
static bool read_again(struct vm_rewrite *rewrite)
{
    Str text = arena_copy(&rewrite->mem, buf_str(&rewrite->text));
    return !rewrite->text.is_full && text.p &&
           json_parse(text, &json_limits_default, &rewrite->mem, &rewrite->doc, NULL) ==
               JSON_ERR_NONE;
}

static void judge_again(struct vm *vm, const struct vm_call *call, uint32_t changed,
                        struct decision *out)
{
    struct vm_rewrite *rewrite = vm->rewrite;
    struct vm_call again = *call;
    again.doc = &rewrite->doc;
    again.arguments = 0;
    rewrite->sets.count = 0;
    judge_call(vm, &again, out);
    if (out->verdict == VERDICT_ALLOW)
        (void)is_stable(vm, &again, out);
    out->rewritten = &rewrite->doc;
    out->places = rewrite->places;
    out->place_count = changed;
}

void rewrite_call(struct vm *vm, const struct vm_call *call, struct decision *out)
{
    struct vm_rewrite *rewrite = vm->rewrite;
    struct splice splices[BUNDLE_REWRITES_MAX];
    struct vm_call whole;
    struct vm_set first = rewrite->sets.items[0];
    uint32_t count;
    if (!with_arguments(rewrite, call, &whole)) {
        (void)refuse(vm, &first, CAUSE_UNKNOWN_REWRITE, out);
        return;
    }
    if (!find_splices(vm, &whole, splices, &count, out) || count == 0)
        return;
    for (uint32_t i = 0; i < count; i++)
        rewrite->places[i] = splices[i].slot;
    write_splices(&whole, splices, count, &rewrite->text);
    if (!read_again(rewrite)) {
        out->unknown = UNKNOWN_TOO_LONG;
        (void)refuse(vm, &first, CAUSE_UNKNOWN_REWRITE, out);
        return;
    }
    judge_again(vm, call, count, out);
}
