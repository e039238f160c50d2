/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - automata side by side, breadth first.
 *
 * Bytes that no automaton tells apart are tried once, by the one of them that reads best. A state
 * is a row of the automata's states; the way to it is kept as its parent and a byte.
 */
#include "compiler/prove/text.h"

#include "compiler/emit/intern.h"

struct product {
    struct arena *mem;
    struct machine *machines; /* the first accepts what strings may be */
    uint32_t count;
    uint8_t bytes[256]; /* one a class, those that read well first */
    uint32_t byte_count;
    struct intern seen;    /* a row of states to its number */
    struct intern classes; /* a row of answers to its number */
    uint32_t *rows;        /* TEXT_STATES_MAX rows of count states */
    uint32_t *parents;
    uint8_t *by;
    uint32_t states;
    uint32_t *row; /* the one being made */
    bool is_cut, is_full;
};

/* Lower is nicer in a string that a person will read. */
static uint32_t byte_rank(uint32_t byte)
{
    static const Str nice = STR_INIT("abcdefghijklmnopqrstuvwxyz0123456789");
    static const Str fair = STR_INIT("ABCDEFGHIJKLMNOPQRSTUVWXYZ/-_.:@");
    if (memchr(nice.p, (int)byte, nice.n))
        return byte < 'a' ? 1 : 0;
    if (memchr(fair.p, (int)byte, fair.n))
        return 2;
    return byte > ' ' && byte < 0x7F ? 3 : byte == ' ' ? 4 : byte >= 0x80 ? 5 : 6;
}

static bool bytes_differ(const struct product *p, uint32_t a, uint32_t b)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (p->machines[i].class_of[a] != p->machines[i].class_of[b])
            return true;
    return false;
}

static void choose_bytes(struct product *p)
{
    for (uint32_t rank = 0; rank <= 6; rank++) {
        for (uint32_t byte = 1; byte < 256; byte++) {
            bool is_new = byte_rank(byte) == rank;
            for (uint32_t i = 0; i < p->byte_count && is_new; i++)
                is_new = bytes_differ(p, byte, p->bytes[i]);
            if (is_new)
                p->bytes[p->byte_count++] = (uint8_t)byte;
        }
    }
}

/* p->row as a state; new ones go behind the others. */
static void reach(struct product *p, uint32_t parent, uint8_t byte)
{
    Str key = { .p = (const char *)p->row, .n = p->count * sizeof *p->row };
    if (intern_get(&p->seen, key))
        return;
    if (p->states == TEXT_STATES_MAX) {
        p->is_cut = true;
        return;
    }
    p->is_full |= !intern_put(&p->seen, key, p->states);
    memcpy(p->rows + (size_t)p->states * p->count, p->row, key.n);
    p->parents[p->states] = parent;
    p->by[p->states++] = byte;
}

/* Nothing that continues what is no UTF-8 will be any. */
static bool is_dead(const struct product *p, const uint32_t *row)
{
    const struct machine *utf8 = &p->machines[0];
    const uint32_t *next = utf8->next + (size_t)row[0] * utf8->classes;
    return !utf8->accept[row[0]] && next[0x80] == row[0] && next[0xBF] == row[0];
}

static void expand(struct product *p, uint32_t state)
{
    const uint32_t *from = p->rows + (size_t)state * p->count;
    if (is_dead(p, from))
        return;
    for (uint32_t i = 0; i < p->byte_count; i++) {
        for (uint32_t k = 0; k < p->count; k++) {
            const struct machine *m = &p->machines[k];
            p->row[k] = m->next[(size_t)from[k] * m->classes + m->class_of[p->bytes[i]]];
        }
        reach(p, state, p->bytes[i]);
    }
}

static Str text_of(struct product *p, uint32_t state)
{
    size_t n = 0;
    for (uint32_t at = state; at != 0; at = p->parents[at])
        n++;
    char *bytes = ARENA_NEW(p->mem, char, n + 1);
    p->is_full |= !bytes;
    if (!bytes)
        return STR("");
    Str text = { .p = bytes, .n = n };
    for (uint32_t at = state; at != 0; at = p->parents[at])
        bytes[--n] = (char)p->by[at];
    return text;
}

static void add_class(struct product *p, uint32_t state, struct text_classes *out)
{
    const uint32_t *row = p->rows + (size_t)state * p->count;
    if (!p->machines[0].accept[row[0]])
        return;
    for (uint32_t i = 0; i < p->count; i++)
        p->row[i] = p->machines[i].accept[row[i]];
    Str key = { .p = (const char *)p->row, .n = p->count * sizeof *p->row };
    if (intern_get(&p->classes, key))
        return;
    if (out->count == TEXT_CLASSES_MAX) {
        p->is_cut = true;
        return;
    }
    uint32_t *answers = ARENA_NEW(p->mem, uint32_t, p->count);
    p->is_full |= !answers || !intern_put(&p->classes, key, out->count);
    if (!answers)
        return;
    memcpy(answers, p->row, key.n);
    out->items[out->count++] =
        (struct text_class){ .text = text_of(p, state), .answers = answers + 1 };
}

static bool make_machines(struct product *p, const struct text_test *tests, uint32_t count)
{
    enum status status = machine_of_utf8(p->mem, &p->machines[p->count++]);
    for (uint32_t i = 0; i < count && status == ST_OK; i++)
        status = machine_of_test(&tests[i], p->mem, &p->machines[p->count++]);
    p->is_full |= status == ST_NO_MEMORY;
    return status == ST_OK;
}

/* Room for what the search grows into; it is large, so it comes from a block of its own. */
static bool make_room(struct product *p, struct text_classes *out)
{
    p->rows = arena_alloc_raw(p->mem, sizeof *p->rows, _Alignof(uint32_t),
                              (size_t)TEXT_STATES_MAX * p->count);
    p->parents = arena_alloc_raw(p->mem, sizeof *p->parents, _Alignof(uint32_t), TEXT_STATES_MAX);
    p->by = arena_alloc_raw(p->mem, 1, 1, TEXT_STATES_MAX);
    p->row = ARENA_NEW(p->mem, uint32_t, p->count);
    out->items = ARENA_NEW(p->mem, struct text_class, TEXT_CLASSES_MAX);
    return p->rows && p->parents && p->by && p->row && out->items;
}

enum status text_classes(const struct text_test *tests, uint32_t count, struct arena *mem,
                         struct text_classes *out)
{
    struct product p = { .mem = mem };
    *out = (struct text_classes){ .count = 0 };
    uint32_t taken = count < TEXT_TESTS_MAX ? count : TEXT_TESTS_MAX;
    intern_init(&p.seen, mem);
    intern_init(&p.classes, mem);
    p.machines = ARENA_NEW(mem, struct machine, taken + 1);
    if (!p.machines)
        return ST_NO_MEMORY;
    bool is_whole = make_machines(&p, tests, taken) && taken == count;
    if (p.is_full || !make_room(&p, out))
        return ST_NO_MEMORY;
    if (!is_whole) /* what is too large is left out: the classes are not all there are */
        p.count = 1;
    choose_bytes(&p);
    for (uint32_t i = 0; i < p.count; i++)
        p.row[i] = p.machines[i].start;
    reach(&p, 0, 0);
    for (uint32_t at = 0; at < p.states && !p.is_full; at++) {
        add_class(&p, at, out);
        expand(&p, at);
    }
    out->is_complete = is_whole && !p.is_cut;
    return p.is_full ? ST_NO_MEMORY : ST_OK;
}
