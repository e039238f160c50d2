/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - one test of a string as a table: what was a comparison in the VM becomes states and
 * transitions, so that many can be run at once over all strings. */
#include "compiler/prove/text.h"

static enum status machine_new(struct machine *m, uint32_t states, struct arena *mem)
{
    m->states = states;
    if ((uint64_t)states * m->classes > MACHINE_CELLS_MAX)
        return ST_LIMIT;
    m->next = ARENA_NEW(mem, uint32_t, (size_t)states * m->classes);
    m->accept = ARENA_NEW(mem, uint32_t, states);
    return m->next && m->accept ? ST_OK : ST_NO_MEMORY;
}

static uint32_t *row(const struct machine *m, uint32_t state)
{
    return m->next + (size_t)state * m->classes;
}

static void row_fill(const struct machine *m, uint32_t state, uint32_t to)
{
    for (uint32_t i = 0; i < m->classes; i++)
        row(m, state)[i] = to;
}

static void row_copy(const struct machine *m, uint32_t state, uint32_t from)
{
    for (uint32_t i = 0; i < m->classes; i++)
        row(m, state)[i] = row(m, from)[i];
}

static uint32_t class_at(const struct machine *m, Str text, size_t i)
{
    return m->class_of[(unsigned char)text.p[i]];
}

/* A class for each byte that the texts use; class 0 for all others. At least two byte values, those
 * that UTF-8 never uses, are others, so that the classes fit. */
static void classes_of_texts(struct machine *m, const Str *texts, uint32_t count)
{
    m->classes = 1;
    for (uint32_t i = 0; i < count; i++) {
        for (size_t k = 0; k < texts[i].n; k++) {
            uint8_t *class = &m->class_of[(unsigned char)texts[i].p[k]];
            if (!*class && m->classes < 256)
                *class = (uint8_t)m->classes++;
        }
    }
}

/* A tree of the texts; state 0 is dead, 1 the root. */
static enum status literals(const struct text_test *test, struct arena *mem, struct machine *m)
{
    uint64_t room = 2;
    uint32_t used = 2;
    for (uint32_t i = 0; i < test->count; i++)
        room += test->texts[i].n;
    classes_of_texts(m, test->texts, test->count);
    if (room > MACHINE_CELLS_MAX)
        return ST_LIMIT;
    enum status status = machine_new(m, (uint32_t)room, mem);
    if (status != ST_OK)
        return status;
    m->start = 1;
    for (uint32_t i = 0; i < test->count; i++) {
        uint32_t at = 1;
        for (size_t k = 0; k < test->texts[i].n; k++) {
            uint32_t *next = &row(m, at)[class_at(m, test->texts[i], k)];
            if (!*next)
                *next = used++;
            at = *next;
        }
        if (!m->accept[at])
            m->accept[at] = i + 1;
    }
    m->states = used;
    return ST_OK;
}

/* The text, then anything. With below: the text, then nothing or a slash and anything. */
static enum status starts(Str text, bool below, struct arena *mem, struct machine *m)
{
    Str texts[2] = { text, STR("/") };
    uint32_t n = (uint32_t)text.n, dead = n + 1, inside = n + 2;
    classes_of_texts(m, texts, 2);
    enum status status = machine_new(m, n + 3, mem);
    if (status != ST_OK)
        return status;
    for (uint32_t i = 0; i <= n; i++)
        row_fill(m, i, dead);
    row_fill(m, dead, dead);
    row_fill(m, inside, inside);
    for (uint32_t i = 0; i < n; i++)
        row(m, i)[class_at(m, text, i)] = i + 1;
    if (below)
        row(m, n)[m->class_of['/']] = inside;
    else
        row_fill(m, n, inside);
    m->accept[n] = m->accept[inside] = 1;
    return ST_OK;
}

/* Knuth, Morris, Pratt: state i has read the first i bytes of the text. */
static enum status contains(Str text, bool only_at_end, struct arena *mem, struct machine *m)
{
    uint32_t n = (uint32_t)text.n, border = 0;
    classes_of_texts(m, &text, 1);
    enum status status = machine_new(m, n + 1, mem);
    if (status != ST_OK)
        return status;
    m->accept[n] = 1;
    if (n == 0)
        return ST_OK;
    row(m, 0)[class_at(m, text, 0)] = 1;
    for (uint32_t i = 1; i < n; i++) {
        row_copy(m, i, border);
        row(m, i)[class_at(m, text, i)] = i + 1;
        border = row(m, border)[class_at(m, text, i)];
    }
    if (only_at_end)
        row_copy(m, n, border);
    else
        row_fill(m, n, n);
    return ST_OK;
}

/* The host or a name that ends in a dot and it: what ".name" ends in, so it starts behind a dot. */
static enum status host(Str text, struct arena *mem, struct machine *m)
{
    Str dotted = arena_printf(mem, ".%.*s", STR_ARG(text));
    if (!dotted.p)
        return ST_NO_MEMORY;
    enum status status = contains(dotted, true, mem, m);
    m->start = 1;
    return status;
}

static enum status order(Str text, struct arena *mem, struct machine *m)
{
    uint32_t n = (uint32_t)text.n, less = n + 1, more = n + 2;
    for (uint32_t byte = 0; byte < 256; byte++)
        m->class_of[byte] = (uint8_t)byte;
    m->classes = 256;
    enum status status = machine_new(m, n + 3, mem);
    if (status != ST_OK)
        return status;
    row_fill(m, less, less);
    row_fill(m, more, more);
    row_fill(m, n, more);
    m->accept[n] = 1;
    m->accept[more] = 2;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t byte = (unsigned char)text.p[i];
        for (uint32_t c = 0; c < 256; c++)
            row(m, i)[c] = c < byte ? less : c > byte ? more : i + 1;
    }
    return ST_OK;
}

static enum status of_dfa(const struct program *p, uint32_t index, struct arena *mem,
                          struct machine *m)
{
    const struct b_dfa *dfa = &p->dfas[index];
    memcpy(m->class_of, p->dfa_classes + dfa->classes, sizeof m->class_of);
    m->classes = dfa->class_count;
    enum status status = machine_new(m, dfa->states, mem);
    if (status != ST_OK)
        return status;
    for (size_t i = 0; i < (size_t)dfa->states * dfa->class_count; i++)
        m->next[i] = p->dfa_next[dfa->next + i];
    for (uint32_t i = 0; i < dfa->states; i++)
        m->accept[i] = p->dfa_accept[dfa->accept + i];
    return ST_OK;
}

/* The node after one more byte, as the VM goes: up until a child fits. */
static uint32_t trie_step(const struct program *p, const struct b_trie *trie, uint32_t at,
                          uint32_t byte)
{
    const struct b_trie_node *nodes = p->trie_nodes + trie->node;
    for (; at; at = nodes[at].fail) {
        const struct b_trie_node *node = &nodes[at];
        for (uint32_t i = 0; i < node->children; i++)
            if (nodes[node->child + i].byte == byte)
                return node->child + i;
    }
    return p->trie_roots[trie->roots + byte];
}

/* State n is the trie's node n; then come `found` and, behind a forbidden byte, `dead`. */
static enum status words(const struct program *p, uint32_t index, struct arena *mem,
                         struct machine *m)
{
    const struct b_trie *trie = &p->tries[index];
    uint32_t found = trie->nodes, dead = found + 1;
    for (uint32_t byte = 0; byte < 256; byte++)
        m->class_of[byte] = (uint8_t)byte;
    m->classes = 256;
    enum status status = machine_new(m, dead + 1, mem);
    if (status != ST_OK)
        return status;
    row_fill(m, found, found);
    row_fill(m, dead, dead);
    m->accept[found] = 1;
    m->start = p->trie_nodes[trie->node].accepts ? found : 0;
    for (uint32_t at = 0; at < found; at++) {
        for (uint32_t byte = 0; byte < 256; byte++) {
            uint32_t to = trie_step(p, trie, at, byte);
            row(m, at)[byte] = p->trie_nodes[trie->node + to].accepts ? found : to;
        }
    }
    for (uint32_t at = 0; at < dead && trie->forbidden != B_TRIE_NO_BYTE; at++)
        row(m, at)[trie->forbidden] = dead;
    return ST_OK;
}

static bool is_continuation(uint32_t byte)
{
    return byte >= 0x80 && byte <= 0xBF;
}

static enum status length(const uint32_t *bounds, uint32_t count, struct arena *mem,
                          struct machine *m)
{
    uint32_t last = count ? bounds[count - 1] : 0, bracket = 0;
    if (last >= MACHINE_CELLS_MAX / 2)
        return ST_LIMIT;
    for (uint32_t byte = 0; byte < 256; byte++)
        m->class_of[byte] = is_continuation(byte);
    m->classes = 2;
    enum status status = machine_new(m, last + 2, mem);
    if (status != ST_OK)
        return status;
    for (uint32_t n = 0; n < m->states; n++) {
        row(m, n)[0] = n + 1 < m->states ? n + 1 : n;
        row(m, n)[1] = n;
        while (bracket < count && bounds[bracket] < n)
            bracket++;
        m->accept[n] = 2 * bracket + (bracket < count && bounds[bracket] == n);
    }
    return ST_OK;
}

enum status machine_of_test(const struct text_test *test, struct arena *mem, struct machine *out)
{
    enum status status = ST_LIMIT;
    *out = (struct machine){ .start = 0 };
    switch (test->kind) {
    case TEXT_LITERALS: status = literals(test, mem, out); break;
    case TEXT_STARTS: status = starts(test->texts[0], false, mem, out); break;
    case TEXT_ENDS: status = contains(test->texts[0], true, mem, out); break;
    case TEXT_CONTAINS: status = contains(test->texts[0], false, mem, out); break;
    case TEXT_PATH:
        status = starts(test->texts[0], !str_eq(test->texts[0], STR("/")), mem, out);
        break;
    case TEXT_HOST: status = host(test->texts[0], mem, out); break;
    case TEXT_ORDER: status = order(test->texts[0], mem, out); break;
    case TEXT_DFA: status = of_dfa(test->program, test->dfa, mem, out); break;
    case TEXT_WORDS: status = words(test->program, test->dfa, mem, out); break;
    case TEXT_LENGTH: status = length(test->bounds, test->count, mem, out); break;
    }
    uint8_t class_of[256];
    memcpy(class_of, out->class_of, sizeof class_of);
    for (uint32_t byte = 0; byte < 256 && test->lowers; byte++)
        out->class_of[byte] = class_of[(unsigned char)char_lower((char)byte)];
    return status;
}

/* AT_START: between characters; NEED_n: n continuation bytes to come; behind some first bytes the
 * next one has less room (RFC 3629). */
enum utf8_state {
    AT_START,
    NEED_1,
    NEED_2,
    NEED_3,
    BEHIND_E0,
    BEHIND_ED,
    BEHIND_F0,
    BEHIND_F4,
    DEAD,
    UTF8_STATES
};

struct utf8_step {
    uint8_t from, lo, hi, to;
};

static const struct utf8_step utf8_steps[] = {
    { AT_START, 0x01, 0x7F, AT_START },  { AT_START, 0xC2, 0xDF, NEED_1 },
    { AT_START, 0xE0, 0xE0, BEHIND_E0 }, { AT_START, 0xE1, 0xEC, NEED_2 },
    { AT_START, 0xED, 0xED, BEHIND_ED }, { AT_START, 0xEE, 0xEF, NEED_2 },
    { AT_START, 0xF0, 0xF0, BEHIND_F0 }, { AT_START, 0xF1, 0xF3, NEED_3 },
    { AT_START, 0xF4, 0xF4, BEHIND_F4 }, { NEED_1, 0x80, 0xBF, AT_START },
    { NEED_2, 0x80, 0xBF, NEED_1 },      { NEED_3, 0x80, 0xBF, NEED_2 },
    { BEHIND_E0, 0xA0, 0xBF, NEED_1 },   { BEHIND_ED, 0x80, 0x9F, NEED_1 },
    { BEHIND_F0, 0x90, 0xBF, NEED_2 },   { BEHIND_F4, 0x80, 0x8F, NEED_2 },
};

enum status machine_of_utf8(struct arena *mem, struct machine *out)
{
    *out = (struct machine){ .classes = 256 };
    for (uint32_t byte = 0; byte < 256; byte++)
        out->class_of[byte] = (uint8_t)byte;
    enum status status = machine_new(out, UTF8_STATES, mem);
    if (status != ST_OK)
        return status;
    for (uint32_t state = 0; state < UTF8_STATES; state++)
        row_fill(out, state, DEAD);
    for (size_t i = 0; i < COUNT(utf8_steps); i++) {
        const struct utf8_step *step = &utf8_steps[i];
        for (uint32_t byte = step->lo; byte <= step->hi; byte++)
            row(out, step->from)[byte] = step->to;
    }
    out->accept[AT_START] = 1;
    return ST_OK;
}
