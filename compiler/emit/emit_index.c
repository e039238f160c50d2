/* SPDX-License-Identifier: Apache-2.0 */
/* emit_index.c - a second key for long lists of rules.
 *
 * A rule whose condition has a part such as `"web" in principal.groups` or `args.repo in { ... }`
 * among its top-level `and`s can act only for those values: an allow needs the part to be true, a
 * deny acts unless it is false. So such rules are filed under the values of one field, the one that
 * leaves the fewest rules to look at, and a call finds them by its own value. A value that is no
 * string makes the part unknown, on which denies act: they have a list of their own for that.
 */
#include "compiler/emit/emit_internal.h"

#include <stdlib.h>

enum {
    INDEX_RULES_MIN = 9, /* a list that is shorter is walked */
    INDEX_GAIN_MIN = 2,  /* the expected number of rules must shrink by this factor */
    KEYS_MAX = 4,        /* keys of one rule that are looked at */
    KEY_VALUES_MAX = 64, /* values of one key */
};

/* One rule can act only if the field has one of these values. */
struct key {
    uint32_t slot;
    bool is_list;              /* the field is a list that must contain one of them */
    const struct expr *values; /* a constant, or a set or list of constants */
};

static bool is_text(struct emitter *e, const struct expr *expr)
{
    Str text;
    const struct expr *behind = expr_resolve(expr);
    return behind->kind != EXPR_NUMBER && expr_constant_text(e, behind, &text);
}

static bool are_texts(struct emitter *e, const struct expr *group)
{
    uint32_t count = 0;
    if (group->kind != EXPR_SET && group->kind != EXPR_LIST)
        return is_text(e, group);
    for (const struct expr *item = group->items; item; item = item->next)
        if (!is_text(e, item) || ++count > KEY_VALUES_MAX)
            return false;
    return count > 0;
}

static bool key_of(struct emitter *e, const struct expr *field, bool is_list,
                   const struct expr *values, struct key *key)
{
    field = expr_resolve(field);
    values = expr_resolve(values);
    if (field->kind != EXPR_FIELD || field->root == ROOT_NOW || !are_texts(e, values))
        return false;
    bool is_groups = field->root != ROOT_ARGS && field->slot_root == B_SLOT_PRINCIPAL_GROUPS;
    if (is_groups != is_list)
        return false;
    *key = (struct key){ .slot = emit_field_slot(e, field), .is_list = is_list, .values = values };
    return true;
}

/* What one part of a condition says of a field. */
static bool read_key(struct emitter *e, const struct expr *part, struct key *key)
{
    if (part->kind != EXPR_BINARY)
        return false;
    if (part->op == OP2_EQ)
        return key_of(e, part->left, false, part->right, key) ||
               key_of(e, part->right, false, part->left, key);
    if (part->op == OP2_CONTAINS)
        return key_of(e, part->left, true, part->right, key);
    if (part->op != OP2_IN)
        return false;
    return key_of(e, part->left, false, part->right, key) ||
           key_of(e, part->right, true, part->left, key);
}

static uint32_t collect_keys(struct emitter *e, const struct expr *when, struct key *keys,
                             uint32_t count)
{
    if (!when || count == KEYS_MAX)
        return count;
    when = expr_resolve(when);
    if (when->kind == EXPR_BINARY && when->op == OP2_AND) {
        count = collect_keys(e, when->left, keys, count);
        return collect_keys(e, when->right, keys, count);
    }
    return count + read_key(e, when, &keys[count]);
}

/* The key of each rule of the emitter, found when first asked for. */
struct rule_keys {
    struct key keys[KEYS_MAX];
    uint32_t count;
    bool is_read;
};

static const struct rule_keys *keys_of_rule(struct emitter *e, uint32_t rule)
{
    if (!e->keys) {
        e->keys = ARENA_NEW(e->mem, struct rule_keys, e->rule_count);
        e->bundle.is_full |= !e->keys;
        if (!e->keys)
            return NULL;
    }
    struct rule_keys *keys = &e->keys[rule];
    if (!keys->is_read) {
        keys->count = collect_keys(e, e->rules[rule]->when, keys->keys, 0);
        keys->is_read = true;
    }
    return keys;
}

static const struct key *key_on(const struct rule_keys *keys, uint32_t slot)
{
    for (uint32_t i = 0; i < keys->count; i++)
        if (keys->keys[i].slot == slot)
            return &keys->keys[i];
    return NULL;
}

/* How many (rule, value) pairs a field files: its worth as a key is what it takes off the list. */
struct vote {
    uint32_t slot, rules;
};

static void vote(struct vote *votes, uint32_t *count, uint32_t room, uint32_t slot)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (votes[i].slot == slot) {
            votes[i].rules++;
            return;
        }
    }
    if (*count < room)
        votes[(*count)++] = (struct vote){ .slot = slot, .rules = 1 };
}

/* The field that files the most rules; B_NONE when it is not worth it. */
static uint32_t choose_slot(struct emitter *e, const uint32_t *rules, uint32_t count)
{
    struct vote votes[32];
    uint32_t n = 0, best = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule_keys *keys = keys_of_rule(e, rules[i]);
        for (uint32_t k = 0; keys && k < keys->count; k++)
            if (key_on(keys, keys->keys[k].slot) == &keys->keys[k])
                vote(votes, &n, COUNT(votes), keys->keys[k].slot);
    }
    for (uint32_t i = 1; i < n; i++)
        best = votes[i].rules > votes[best].rules ? i : best;
    bool is_worth = n && votes[best].rules >= count - count / INDEX_GAIN_MIN;
    return is_worth ? votes[best].slot : B_NONE;
}

/* A value and a rule filed under it. */
struct filed {
    uint32_t constant, place; /* place: in the list, which is in order */
};

static int filed_order(const void *a, const void *b)
{
    const struct filed *x = a, *y = b;
    if (x->constant != y->constant)
        return x->constant < y->constant ? -1 : 1;
    return x->place < y->place ? -1 : x->place > y->place;
}

struct filing {
    struct filed *items;
    uint32_t count, room;
    uint32_t *rest, rest_count;   /* rules without the key */
    uint32_t *denies, deny_count; /* rules with it that act on unknown */
};

static void file_value(struct emitter *e, const struct expr *value, uint32_t place,
                       struct filing *filing)
{
    Str text = STR_INIT("");
    (void)expr_constant_text(e, expr_resolve(value), &text);
    if (filing->count == filing->room)
        return;
    filing->items[filing->count++] =
        (struct filed){ .constant = bundle_const(&e->bundle, B_CONST_STRING, false, text),
                        .place = place };
}

static uint32_t count_values(const struct key *key)
{
    uint32_t count = 1;
    if (key->values->kind == EXPR_SET || key->values->kind == EXPR_LIST) {
        count = 0;
        for (const struct expr *item = key->values->items; item; item = item->next)
            count++;
    }
    return count;
}

static bool file_rules(struct emitter *e, const uint32_t *rules, uint32_t count, uint32_t slot,
                       struct filing *filing)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct key *key = key_on(&e->keys[rules[i]], slot);
        filing->room += key ? count_values(key) : 0;
    }
    filing->items = ARENA_NEW(e->mem, struct filed, filing->room);
    filing->rest = ARENA_NEW(e->mem, uint32_t, count);
    filing->denies = ARENA_NEW(e->mem, uint32_t, count);
    if (!filing->items || !filing->rest || !filing->denies)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        const struct key *key = key_on(&e->keys[rules[i]], slot);
        if (!key) {
            filing->rest[filing->rest_count++] = rules[i];
            continue;
        }
        if (e->rules[rules[i]]->effect != EFFECT_ALLOW)
            filing->denies[filing->deny_count++] = rules[i];
        bool is_group = key->values->kind == EXPR_SET || key->values->kind == EXPR_LIST;
        const struct expr *first = is_group ? key->values->items : key->values;
        for (const struct expr *v = first; v; v = is_group ? v->next : NULL)
            file_value(e, v, i, filing);
    }
    qsort(filing->items, filing->count, sizeof *filing->items, filed_order);
    return true;
}

static uint32_t flags_of(const struct emitter *e, const uint32_t *rules, uint32_t count)
{
    uint32_t flags = 0;
    for (uint32_t i = 0; i < count; i++) {
        flags |= e->rules[rules[i]]->sets ? (uint32_t)B_LIST_REWRITES : 0;
        flags |= e->rules[rules[i]]->advertises ? (uint32_t)B_LIST_ADVERTISES : 0;
    }
    return flags;
}

/* A list without an index. */
static uint32_t plain_list(struct emitter *e, const uint32_t *rules, uint32_t count, uint32_t near)
{
    struct b_list record = {
        .count = count, .index = B_NONE, .near = near, .flags = flags_of(e, rules, count)
    };
    return bundle_list(&e->bundle, rules, &record);
}

static uint32_t write_index(struct emitter *e, const uint32_t *rules, uint32_t count, uint32_t slot,
                            const struct filing *filing)
{
    struct b_index_entry *entries = ARENA_NEW(e->mem, struct b_index_entry, filing->count);
    uint32_t *row = ARENA_NEW(e->mem, uint32_t, count), values = 0;
    e->bundle.is_full |= !entries || !row;
    if (e->bundle.is_full)
        return B_NONE;
    for (uint32_t i = 0; i < filing->count;) {
        uint32_t constant = filing->items[i].constant, n = 0;
        for (; i < filing->count && filing->items[i].constant == constant; i++) {
            uint32_t rule = rules[filing->items[i].place];
            if (n == 0 || row[n - 1] != rule)
                row[n++] = rule;
        }
        entries[values++] = (struct b_index_entry){ .constant = constant + 1,
                                                    .list = plain_list(e, row, n, B_NONE) };
    }
    struct b_index index = {
        .slot = slot,
        .otherwise = plain_list(e, filing->denies, filing->deny_count, B_NONE),
        .all = plain_list(e, rules, count, B_NONE),
    };
    return bundle_index(&e->bundle, &index, entries, values);
}

/* The first allow rule, one with a reason before others. */
static uint32_t nearest_rule(const struct emitter *e, const uint32_t *rules, uint32_t count)
{
    uint32_t near = B_NONE;
    for (uint32_t i = 0; i < count; i++) {
        const struct rule *rule = e->rules[rules[i]];
        if (rule->effect != EFFECT_ALLOW)
            continue;
        if (rule->reason.n)
            return rules[i];
        near = near == B_NONE ? rules[i] : near;
    }
    return near;
}

uint32_t emit_list(struct emitter *e, const uint32_t *rules, uint32_t count)
{
    struct filing filing = { .count = 0 };
    uint32_t near = nearest_rule(e, rules, count);
    uint32_t slot = count >= INDEX_RULES_MIN ? choose_slot(e, rules, count) : B_NONE;
    if (slot == B_NONE || e->bundle.is_full)
        return plain_list(e, rules, count, near);
    if (!file_rules(e, rules, count, slot, &filing)) {
        e->bundle.is_full = true;
        return 0;
    }
    uint32_t index = write_index(e, rules, count, slot, &filing);
    struct b_list record = {
        .count = filing.rest_count, .index = index, .near = near, .flags = flags_of(e, rules, count)
    };
    return bundle_list(&e->bundle, filing.rest, &record);
}
