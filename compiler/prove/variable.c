/* SPDX-License-Identifier: Apache-2.0 */
/* variable.c - from fields to variables: values judged by the VM, those with equal truths merged
 * into the one that reads shortest. */
#include "compiler/prove/search.h"

static uint32_t find_root(const struct space *space, uint32_t at)
{
    while (space->fields[at]->component != at)
        at = space->fields[at]->component;
    return at;
}

static uint32_t index_of(const struct space *space, const struct field *field)
{
    uint32_t i = 0;
    while (space->fields[i] != field)
        i++;
    return i;
}

/* Fields that one condition reads come together. */
static void join_fields(struct space *space)
{
    for (uint32_t i = 0; i < space->atom_count; i++) {
        const struct space_atom *atom = space->atoms[i];
        for (uint32_t k = 1; k < atom->field_count; k++) {
            uint32_t a = find_root(space, index_of(space, atom->fields[0]));
            uint32_t b = find_root(space, index_of(space, atom->fields[k]));
            space->fields[a > b ? a : b]->component = a > b ? b : a;
        }
    }
}

static uint32_t value_cost(const struct field *field, Str value)
{
    return value.p ? (uint32_t)(value.n + field->key.n + 12) : 0;
}

static bool shape_refuses(struct space *space, uint32_t side, const struct fact *facts,
                          uint32_t count)
{
    struct staged_call call;
    struct decision decision;
    if (space->scratch.blocks)
        arena_rewind(&space->scratch);
    if (!facts_stage(space, facts, count, &space->scratch, &call))
        return true;
    vm_decide(space->model->vms[side], &call.vm, &decision);
    return decision.cause == CAUSE_UNKNOWN_ARGUMENT;
}

/* Takes one value of each field, unless one with the same truths is there. */
static void take_value(struct space *space, struct variable *v, struct intern *seen,
                       const struct fact *facts, uint8_t *row)
{
    uint32_t cost = 0, n = v->atoms.count;
    if (!facts_judge(space, facts, v->field_count, &v->atoms, row))
        return;
    row[n] = 0;
    for (uint32_t side = 0; side < SIDES; side++)
        row[n] |= (uint8_t)(shape_refuses(space, side, facts, v->field_count) << side);
    for (uint32_t i = 0; i < v->field_count; i++)
        cost += value_cost(facts[i].field, facts[i].value);
    Str key = { .p = (const char *)row, .n = n + 1 };
    const uint32_t *known = intern_get(seen, key);
    uint32_t at = known ? *known : v->count;
    if (known && v->costs[at] <= cost)
        return;
    if (!known && v->count == FIELD_VALUES_MAX) {
        v->is_complete = false;
        return;
    }
    space->is_full |= !known && !intern_put(seen, key, at);
    v->count += !known;
    v->costs[at] = cost;
    v->refused[at] = row[n];
    for (uint32_t i = 0; i < v->field_count; i++)
        v->values[at * v->field_count + i] = facts[i].value;
    for (uint32_t i = 0; i < n && !known; i++) {
        uint32_t truth = row[i] == B_TRUE ? 0 : row[i] == B_FALSE ? 1 : 2;
        v->bits[(size_t)(i * 3 + truth) * v->words + at / 64] |= UINT64_C(1) << (at % 64);
    }
}

/* Every combination; past the limit, a spread of them. */
static void combine(struct space *space, struct variable *v)
{
    struct fact *facts = ARENA_NEW(space->mem, struct fact, v->field_count);
    uint8_t *row = ARENA_NEW(space->mem, uint8_t, v->atoms.count + 1);
    struct intern seen;
    uint64_t total = 1, state = 1;
    space->is_full |= !facts || !row;
    for (uint32_t i = 0; i < v->field_count; i++)
        total = total > UINT32_MAX ? total : total * v->fields[i]->value_count;
    bool is_spread = v->field_count > 1 && total > FIELD_VALUES_MAX;
    uint64_t count = is_spread ? FIELD_VALUES_MAX : total;
    v->is_complete &= !is_spread;
    intern_init(&seen, space->mem);
    for (uint64_t n = 0; n < count && !space->is_full; n++) {
        uint64_t rest = n;
        for (uint32_t i = 0; i < v->field_count; i++) {
            struct field *field = v->fields[i];
            state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            uint64_t pick = is_spread ? state >> 33 : rest;
            facts[i] = (struct fact){ field, field->values[pick % field->value_count] };
            rest /= field->value_count;
        }
        take_value(space, v, &seen, facts, row);
    }
}

/* The costs of a variable's values lie ascending in no order that matters: the cheapest is looked
 * for where it is needed. */
static bool make_variable(struct space *space, struct variable *v)
{
    struct arena *mem = space->mem;
    uint64_t total = 1;
    for (uint32_t i = 0; i < v->field_count; i++)
        total = total > FIELD_VALUES_MAX ? total : total * v->fields[i]->value_count;
    uint32_t room = total > FIELD_VALUES_MAX ? FIELD_VALUES_MAX : (uint32_t)total;
    v->words = room / 64 + 1;
    v->values = ARENA_NEW(mem, Str, (size_t)room * v->field_count);
    v->costs = ARENA_NEW(mem, uint32_t, room);
    v->refused = ARENA_NEW(mem, uint8_t, room);
    v->bits = ARENA_NEW(mem, uint64_t, (size_t)v->atoms.count * 3 * v->words);
    v->alive = ARENA_NEW(mem, uint64_t, v->words);
    space->is_full |= !v->values || !v->costs || !v->refused || !v->bits || !v->alive;
    if (!space->is_full)
        combine(space, v);
    return !space->is_full;
}

static bool reads_only(const struct space_atom *atom, const struct field *field)
{
    return atom->field_count == 1 && atom->fields[0] == field;
}

/* Which conditions a variable tells apart: by witness, all that read its fields; by possibility,
 * those that its values cover for certain. */
static void take_atoms(struct search *s, uint32_t index, bool by_witness)
{
    struct space *space = s->space;
    struct variable *v = &s->variables[index];
    v->atoms.items = ARENA_NEW(space->mem, uint32_t, space->atom_count);
    space->is_full |= !v->atoms.items;
    for (uint32_t i = 0; i < space->atom_count && v->atoms.items; i++) {
        const struct space_atom *atom = space->atoms[i];
        bool takes = false;
        for (uint32_t k = 0; k < v->field_count; k++)
            takes |=
                by_witness
                    ? atom->field_count && atom->fields[0]->component == v->fields[0]->component
                    : atom->is_exact && !v->fields[0]->is_partial && reads_only(atom, v->fields[0]);
        v->is_complete &= !takes || atom->is_exact;
        if (!takes)
            continue;
        s->variable_of[i] = index;
        s->local_of[i] = v->atoms.count;
        v->atoms.items[v->atoms.count++] = i;
    }
}

/* The fields of a component, or one field. */
static void take_fields(struct search *s, struct variable *v, uint32_t first, bool by_witness)
{
    struct space *space = s->space;
    v->fields = ARENA_NEW(space->mem, struct field *, space->field_count);
    v->is_complete = true;
    space->is_full |= !v->fields;
    for (uint32_t i = first; i < space->field_count && v->fields; i++) {
        if (i != first && (!by_witness || space->fields[i]->component != first))
            continue;
        v->fields[v->field_count++] = space->fields[i];
        v->is_complete &= !space->fields[i]->is_partial;
    }
}

static bool make_tables(struct search *s)
{
    struct space *space = s->space;
    struct arena *mem = space->mem;
    s->variables = ARENA_NEW(mem, struct variable, space->field_count + space->term_count);
    s->variable_of = ARENA_NEW(mem, uint32_t, space->atom_count);
    s->local_of = ARENA_NEW(mem, uint32_t, space->atom_count);
    s->masks = ARENA_NEW(mem, uint8_t, space->atom_count);
    s->chosen = ARENA_NEW(mem, uint32_t, space->field_count + space->term_count);
    s->fixed = ARENA_NEW(mem, uint8_t, space->atom_count);
    space->is_full |=
        !s->fixed || !s->variables || !s->variable_of || !s->local_of || !s->masks || !s->chosen;
    return !space->is_full;
}

/* Conditions that read no field have one truth. */
static void judge_fixed(struct search *s)
{
    for (uint32_t i = 0; i < s->space->atom_count; i++) {
        struct atom_row one = { .items = &i, .count = 1 };
        s->fixed[i] = B_MAYBE;
        if (s->space->atoms[i]->field_count == 0 &&
            !facts_judge(s->space, NULL, 0, &one, &s->fixed[i]))
            s->space->is_full = true;
    }
}

bool search_open(struct space *space, bool by_witness, struct search *out)
{
    *out = (struct search){ .space = space, .best = UINT64_MAX, .blamed = B_NONE };
    if (!make_tables(out))
        return false;
    judge_fixed(out);
    join_fields(space);
    for (uint32_t i = 0; i < space->field_count; i++)
        space->fields[i]->component = find_root(space, i);
    memset(out->variable_of, 0xFF, space->atom_count * sizeof *out->variable_of);
    for (uint32_t i = 0; i < space->field_count; i++) {
        if (by_witness && space->fields[i]->component != i)
            continue;
        struct variable *v = &out->variables[out->variable_count];
        take_fields(out, v, i, by_witness);
        take_atoms(out, out->variable_count, by_witness);
        if (space->is_full || !make_variable(space, v))
            return false;
        out->variable_count++;
    }
    if (!by_witness && !search_add_terms(out))
        return false;
    for (uint32_t i = 0; i < out->variable_count; i++) {
        const struct variable *v = &out->variables[i];
        out->pool_words = v->words > out->pool_words ? v->words : out->pool_words;
    }
    out->pool = ARENA_NEW(space->mem, uint64_t, (size_t)SEARCH_DEPTH_MAX * (out->pool_words + 1));
    return out->pool != NULL;
}

bool search_is_complete(const struct search *s)
{
    bool is_complete = true;
    for (uint32_t i = 0; i < s->variable_count; i++)
        is_complete &= s->variables[i].is_complete;
    return is_complete;
}

void search_reset(struct search *s, uint32_t side)
{
    memcpy(s->masks, s->fixed, s->space->atom_count);
    for (uint32_t i = 0; i < s->variable_count; i++) {
        struct variable *v = &s->variables[i];
        memset(v->alive, 0, v->words * sizeof *v->alive);
        for (uint32_t k = 0; k < v->count; k++)
            if (!(v->refused[k] >> side & 1))
                v->alive[k / 64] |= UINT64_C(1) << (k % 64);
    }
}
