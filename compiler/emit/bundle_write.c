/* SPDX-License-Identifier: Apache-2.0 */
/* bundle_write.c - sections and what is stored once in them. The order of everything follows the
 * order of the calls, never a hash table's, so that a policy has one bundle. */
#include "compiler/emit/bundle_write.h"

#include <stdlib.h>

void bundle_init(struct bundle *bundle, struct arena *mem)
{
    *bundle = (struct bundle){ .mem = mem };
    for (int i = 0; i < SECTION_COUNT; i++)
        buf_init(&bundle->sections[i], BUNDLE_BYTES_MAX);
    struct intern *interns[] = { &bundle->strings, &bundle->consts, &bundle->slots, &bundle->atoms,
                                 &bundle->lists,   &bundle->sets,   &bundle->dfas,  &bundle->shapes,
                                 &bundle->steps,   &bundle->nets,   &bundle->zones };
    for (size_t i = 0; i < COUNT(interns); i++)
        intern_init(interns[i], mem);
}

void bundle_free(struct bundle *bundle)
{
    for (int i = 0; i < SECTION_COUNT; i++)
        buf_free(&bundle->sections[i]);
}

uint32_t bundle_count(const struct bundle *bundle, enum section_kind section)
{
    return (uint32_t)(bundle->sections[section].n / section_element_bytes[section]);
}

static uint32_t add_many(struct bundle *bundle, enum section_kind section, const void *records,
                         size_t count)
{
    uint32_t index = bundle_count(bundle, section);
    buf_add(&bundle->sections[section],
            (Str){ .p = records, .n = count * section_element_bytes[section] });
    bundle->is_full |= bundle->sections[section].is_full;
    return index;
}

uint32_t bundle_add(struct bundle *bundle, enum section_kind section, const void *record)
{
    return add_many(bundle, section, record, 1);
}

static bool known(const struct intern *intern, Str key, uint32_t *index)
{
    const uint32_t *value = intern_get(intern, key);
    if (value)
        *index = *value;
    return value != NULL;
}

static void remember(struct bundle *bundle, struct intern *intern, Str key, uint32_t index)
{
    if (!intern_put(intern, key, index))
        bundle->is_full = true;
}

struct b_text bundle_text(struct bundle *bundle, Str text)
{
    uint32_t offset = 0;
    if (text.n && !known(&bundle->strings, text, &offset)) {
        offset = add_many(bundle, SECTION_STRINGS, text.p, text.n);
        remember(bundle, &bundle->strings, text, offset);
    }
    return (struct b_text){ .offset = offset, .length = (uint32_t)text.n };
}

uint32_t bundle_const(struct bundle *bundle, enum b_const_type type, bool truth, Str text)
{
    struct number number;
    if (type == B_CONST_NUMBER && number_parse(text, &number)) {
        size_t room = (size_t)number.count + 24;
        char *canonical = ARENA_NEW(bundle->mem, char, room);
        bundle->is_full |= !canonical;
        if (canonical)
            text = (Str){ .p = canonical, .n = number_canonical(&number, canonical, room) };
    }
    struct b_const constant = { .type = (uint32_t)type, .truth = truth };
    constant.text = bundle_text(bundle, text);
    Str key = { .p = (const char *)&constant, .n = sizeof constant };
    uint32_t index;
    if (!known(&bundle->consts, key, &index)) {
        index = bundle_add(bundle, SECTION_CONSTS, &constant);
        remember(bundle, &bundle->consts, key, index);
    }
    return index;
}

uint32_t bundle_slot(struct bundle *bundle, enum b_slot_root root, const Str *steps, uint32_t count)
{
    struct b_text texts[BUNDLE_SLOT_STEPS_MAX + 1];
    ENSURE(count <= BUNDLE_SLOT_STEPS_MAX);
    texts[0] = (struct b_text){ .offset = (uint32_t)root, .length = 0 }; /* part of the key */
    for (uint32_t i = 0; i < count; i++)
        texts[i + 1] = bundle_text(bundle, steps[i]);
    Str key = { .p = (const char *)texts, .n = (count + 1) * sizeof *texts };
    uint32_t index;
    if (!known(&bundle->slots, key, &index)) {
        struct b_slot slot = { .root = (uint32_t)root, .count = count };
        slot.first = add_many(bundle, SECTION_STEPS, texts + 1, count);
        index = bundle_add(bundle, SECTION_SLOTS, &slot);
        remember(bundle, &bundle->slots, key, index);
    }
    return index;
}

uint32_t bundle_step(struct bundle *bundle, Str key)
{
    uint32_t index = 0;
    if (known(&bundle->steps, key, &index))
        return index;
    struct b_text text = bundle_text(bundle, key);
    index = bundle_add(bundle, SECTION_STEPS, &text);
    remember(bundle, &bundle->steps, key, index);
    return index;
}

uint32_t bundle_nets(struct bundle *bundle, const struct b_net *nets, uint32_t count)
{
    Str key = { .p = (const char *)nets, .n = count * sizeof *nets };
    uint32_t index = 0;
    if (known(&bundle->nets, key, &index))
        return index;
    struct b_nets record = { .first = add_many(bundle, SECTION_NET_RANGES, nets, count),
                             .count = count };
    index = bundle_add(bundle, SECTION_NETS, &record);
    remember(bundle, &bundle->nets, key, index);
    return index;
}

uint32_t bundle_zone_find(const struct bundle *bundle, Str name)
{
    uint32_t index;
    return known(&bundle->zones, name, &index) ? index : B_NONE;
}

uint32_t bundle_zone(struct bundle *bundle, Str name, const struct b_zone_step *steps,
                     uint32_t count)
{
    struct b_zone zone = { .name = bundle_text(bundle, name),
                           .first = add_many(bundle, SECTION_ZONE_STEPS, steps, count),
                           .count = count };
    uint32_t index = bundle_add(bundle, SECTION_ZONES, &zone);
    remember(bundle, &bundle->zones, name, index);
    return index;
}

static int index_order(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

static uint32_t power_of_two_above(uint32_t count)
{
    uint32_t slots = 2;
    while (slots < count * 2 && slots < UINT32_C(1) << 31)
        slots *= 2;
    return slots;
}

static void fill_set(struct bundle *bundle, struct b_set *set, const uint32_t *elements)
{
    const struct b_const *consts =
        (const struct b_const *)(const void *)bundle->sections[SECTION_CONSTS].p;
    const char *strings = bundle->sections[SECTION_STRINGS].p;
    uint32_t *table = ARENA_NEW(bundle->mem, uint32_t, set->slots);
    bundle->is_full |= !table;
    if (bundle->is_full)
        return;
    for (uint32_t i = 0; i < set->count; i++) {
        const struct b_const *c = &consts[elements[i]];
        Str text = { .p = strings + c->text.offset, .n = c->text.length };
        set->types |= UINT32_C(1) << c->type;
        uint64_t at = bundle_const_hash((enum b_const_type)c->type, c->truth != 0, text);
        while (table[at & (set->slots - 1)])
            at++;
        table[at & (set->slots - 1)] = elements[i] + 1;
    }
    (void)add_many(bundle, SECTION_SET_TABLE, table, set->slots);
}

uint32_t bundle_set(struct bundle *bundle, const uint32_t *elements, uint32_t count)
{
    uint32_t *sorted = ARENA_NEW(bundle->mem, uint32_t, count), n = 0;
    bundle->is_full |= !sorted;
    if (bundle->is_full)
        return 0;
    if (count) {
        memcpy(sorted, elements, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, index_order);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (n == 0 || sorted[n - 1] != sorted[i])
            sorted[n++] = sorted[i];
    }
    Str key = { .p = (const char *)sorted, .n = n * sizeof *sorted };
    uint32_t index;
    if (!known(&bundle->sets, key, &index)) {
        struct b_set set = { .first = bundle_count(bundle, SECTION_SET_TABLE),
                             .slots = power_of_two_above(n),
                             .count = n };
        fill_set(bundle, &set, sorted);
        index = bundle_add(bundle, SECTION_SETS, &set);
        remember(bundle, &bundle->sets, key, index);
    }
    return index;
}

uint32_t bundle_dfa(struct bundle *bundle, const struct automaton *a)
{
    size_t cells = (size_t)a->state_count * a->class_count;
    struct buf key;
    buf_init(&key, BUNDLE_BYTES_MAX);
    buf_add(&key, (Str){ .p = (const char *)a->classes, .n = 256 });
    buf_add(&key, (Str){ .p = (const char *)a->next, .n = cells * sizeof *a->next });
    buf_add(&key, (Str){ .p = (const char *)a->accept, .n = a->state_count * sizeof *a->accept });
    bundle->is_full |= key.is_full;
    uint32_t index = 0;
    if (!bundle->is_full && !known(&bundle->dfas, buf_str(&key), &index)) {
        struct b_dfa dfa = { .states = a->state_count,
                             .class_count = a->class_count,
                             .accept_max = a->accept_count };
        dfa.classes = add_many(bundle, SECTION_DFA_CLASSES, a->classes, 256);
        dfa.next = add_many(bundle, SECTION_DFA_NEXT, a->next, cells);
        dfa.accept = add_many(bundle, SECTION_DFA_ACCEPT, a->accept, a->state_count);
        index = bundle_add(bundle, SECTION_DFAS, &dfa);
        remember(bundle, &bundle->dfas, buf_str(&key), index);
    }
    buf_free(&key);
    return index;
}

uint32_t bundle_trie(struct bundle *bundle, const struct trie *trie, uint32_t forbidden)
{
    struct b_trie record = { .nodes = trie->node_count, .forbidden = forbidden };
    record.node = add_many(bundle, SECTION_TRIE_NODES, trie->nodes, trie->node_count);
    record.roots = add_many(bundle, SECTION_TRIE_ROOTS, trie->roots, COUNT(trie->roots));
    return bundle_add(bundle, SECTION_TRIES, &record);
}

uint32_t bundle_nfa(struct bundle *bundle, const struct bit_nfa *nfa)
{
    struct b_nfa record = nfa->head;
    record.classes = add_many(bundle, SECTION_NFA_CLASSES, nfa->classes, COUNT(nfa->classes));
    record.masks = add_many(bundle, SECTION_NFA_MASKS, nfa->masks, nfa->mask_words);
    return bundle_add(bundle, SECTION_NFAS, &record);
}

uint32_t bundle_list(struct bundle *bundle, const uint32_t *rules, const struct b_list *record)
{
    struct b_list list = *record;
    uint32_t count = list.count;
    struct buf key;
    uint32_t found = 0;
    buf_init(&key, BUNDLE_BYTES_MAX);
    buf_add(&key, (Str){ .p = (const char *)&list, .n = sizeof list });
    buf_add(&key, (Str){ .p = (const char *)rules, .n = count * sizeof *rules });
    bundle->is_full |= key.is_full;
    if (!bundle->is_full && !known(&bundle->lists, buf_str(&key), &found)) {
        list.first = add_many(bundle, SECTION_LIST_RULES, rules, count);
        found = bundle_add(bundle, SECTION_LISTS, &list);
        remember(bundle, &bundle->lists, buf_str(&key), found);
    }
    buf_free(&key);
    return found;
}

uint32_t bundle_index(struct bundle *bundle, const struct b_index *record,
                      const struct b_index_entry *entries, uint32_t count)
{
    const struct b_const *consts =
        (const struct b_const *)(const void *)bundle->sections[SECTION_CONSTS].p;
    const char *strings = bundle->sections[SECTION_STRINGS].p;
    struct b_index index = *record;
    index.slots = power_of_two_above(count);
    index.count = count;
    struct b_index_entry *table = ARENA_NEW(bundle->mem, struct b_index_entry, index.slots);
    bundle->is_full |= !table;
    if (bundle->is_full)
        return 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct b_const *c = &consts[entries[i].constant - 1];
        Str text = { .p = strings + c->text.offset, .n = c->text.length };
        uint64_t at = bundle_const_hash(B_CONST_STRING, false, text);
        while (table[at & (index.slots - 1)].constant)
            at++;
        table[at & (index.slots - 1)] = entries[i];
    }
    index.first = add_many(bundle, SECTION_INDEX_TABLE, table, index.slots);
    return bundle_add(bundle, SECTION_INDEXES, &index);
}

uint32_t bundle_atom(struct bundle *bundle, const struct b_insn *code, uint32_t count,
                     const struct b_atom *place)
{
    Str key = { .p = (const char *)code, .n = count * sizeof *code };
    uint32_t index;
    if (!known(&bundle->atoms, key, &index)) {
        struct b_atom atom = *place;
        atom.code = add_many(bundle, SECTION_CODE, code, count);
        atom.code_count = count;
        index = bundle_add(bundle, SECTION_ATOMS, &atom);
        remember(bundle, &bundle->atoms, key, index);
    }
    return index;
}

static void write_dispatch(struct bundle *bundle)
{
    const struct b_name *names =
        (const struct b_name *)(const void *)bundle->sections[SECTION_NAMES].p;
    const char *strings = bundle->sections[SECTION_STRINGS].p;
    uint32_t count = bundle_count(bundle, SECTION_NAMES), slots = power_of_two_above(count);
    uint32_t *table = ARENA_NEW(bundle->mem, uint32_t, slots);
    bundle->is_full |= !table;
    if (bundle->is_full)
        return;
    for (uint32_t i = 0; i < count; i++) {
        Str name = { .p = strings + names[i].name.offset, .n = names[i].name.length };
        uint64_t at = bundle_name_hash(names[i].route, name);
        while (table[at & (slots - 1)])
            at++;
        table[at & (slots - 1)] = i + 1;
    }
    (void)add_many(bundle, SECTION_DISPATCH, table, slots);
}

static void assemble(const struct bundle *bundle, struct buf *out)
{
    struct bundle_section table[SECTION_COUNT];
    uint64_t end = sizeof(struct bundle_header) + sizeof table;
    for (uint32_t i = 0; i < SECTION_COUNT; i++) {
        uint64_t start = (end + 7) & ~UINT64_C(7);
        table[i] = (struct bundle_section){ .kind = i,
                                            .offset = start,
                                            .count = bundle_count(bundle, (enum section_kind)i) };
        end = start + bundle->sections[i].n;
    }
    struct bundle_header header = { .format = BUNDLE_FORMAT,
                                    .section_count = SECTION_COUNT,
                                    .total_bytes = end };
    memcpy(header.magic, BUNDLE_MAGIC, sizeof header.magic);
    buf_add(out, (Str){ .p = (const char *)&header, .n = sizeof header });
    buf_add(out, (Str){ .p = (const char *)table, .n = sizeof table });
    for (uint32_t i = 0; i < SECTION_COUNT; i++) {
        buf_add(out, (Str){ .p = "\0\0\0\0\0\0\0", .n = (size_t)table[i].offset - out->n });
        buf_add(out, buf_str(&bundle->sections[i]));
    }
    if (!out->is_full)
        bundle_seal(out->p, out->n);
}

/* The cost needs a program to walk; this one borrows the sections and is never run. */
static bool measure(struct bundle *bundle, struct b_meta *meta)
{
    struct program program = { .references = 1 };
#define SECTION(NAME, name, type, doc)                                                             \
    program.name = (const type *)(const void *)bundle->sections[SECTION_##NAME].p;                 \
    program.counts[SECTION_##NAME] = bundle_count(bundle, SECTION_##NAME);
#include "runtime/bundle/section.def"
#undef SECTION
    struct bundle_cost cost;
    if (!program_cost(&program, &cost))
        return false;
    meta->cost_fixed = cost.fixed;
    meta->cost_per_byte = cost.per_byte;
    return true;
}

enum status bundle_finish(struct bundle *bundle, const struct b_meta *meta, struct buf *out,
                          struct bundle_error *error)
{
    struct b_meta full = *meta;
    write_dispatch(bundle);
    if (bundle->is_full || !measure(bundle, &full))
        return ST_LIMIT;
    (void)bundle_add(bundle, SECTION_META, &full);
    assemble(bundle, out);
    if (bundle->is_full || out->is_full)
        return ST_LIMIT;
    struct program *program;
    enum status status = program_load(buf_str(out), &program, error);
    if (status == ST_OK)
        program_release(program);
    return status;
}
