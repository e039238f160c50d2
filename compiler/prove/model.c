/* SPDX-License-Identifier: Apache-2.0 */
/* model.c - keys: a condition's code as text in which every index is replaced by what it stands
 * for. Large operands (automata, time zones, address ranges) stand for themselves by their hash. An
 * operand of a kind that is not known here keeps its program's number, so that it equals nothing
 * elsewhere. */
#include "compiler/prove/model.h"

#include "runtime/crypto/sha256.h"

#include <stdlib.h>

enum { KEY_BYTES_MAX = 16 << 20 };

static void add_text(struct buf *key, Str text)
{
    buf_printf(key, "%zu:", text.n);
    buf_add(key, text);
}

static void add_constant(struct buf *key, const struct program *p, const struct b_const *constant)
{
    buf_printf(key, "%u%u", constant->type, constant->truth);
    add_text(key, program_text(p, constant->text));
}

const struct b_const **set_elements(const struct program *p, uint32_t set, struct arena *mem)
{
    const struct b_set *s = &p->sets[set];
    const struct b_const **items = ARENA_NEW(mem, const struct b_const *, s->count + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s->slots && items; i++) {
        uint32_t entry = p->set_table[s->first + i];
        if (entry && n < s->count)
            items[n++] = &p->consts[entry - 1];
    }
    return items;
}

static int constant_order(const void *a, const void *b, void *program)
{
    const struct b_const *const *x = a, *const *y = b;
    const struct program *p = program;
    if ((*x)->type != (*y)->type)
        return (*x)->type < (*y)->type ? -1 : 1;
    if ((*x)->truth != (*y)->truth)
        return (*x)->truth < (*y)->truth ? -1 : 1;
    return str_cmp(program_text(p, (*x)->text), program_text(p, (*y)->text));
}

static void add_set(struct buf *key, struct program *p, uint32_t set, struct arena *mem)
{
    uint32_t count = p->sets[set].count;
    const struct b_const **items = set_elements(p, set, mem);
    key->is_full |= !items;
    if (!items)
        return;
    qsort_r(items, count, sizeof(const struct b_const *), constant_order,
            p); /* NOLINT(bugprone-sizeof-expression): an array of pointers */
    for (uint32_t i = 0; i < count; i++)
        add_constant(key, p, items[i]);
}

static void add_hash(struct buf *key, struct sha256 *hash)
{
    unsigned char digest[SHA256_BYTES];
    sha256_end(hash, digest);
    buf_add(key, (Str){ .p = (const char *)digest, .n = sizeof digest });
}

static Str bytes_of(const void *items, size_t bytes)
{
    return (Str){ .p = items, .n = bytes };
}

static void add_dfa(struct buf *key, const struct program *p, uint32_t index)
{
    const struct b_dfa *dfa = &p->dfas[index];
    struct sha256 hash;
    size_t cells = (size_t)dfa->states * dfa->class_count;
    buf_printf(key, "%u,%u:", dfa->states, dfa->class_count);
    sha256_begin(&hash);
    sha256_add(&hash, bytes_of(p->dfa_classes + dfa->classes, 256));
    sha256_add(&hash, bytes_of(p->dfa_next + dfa->next, cells * sizeof *p->dfa_next));
    sha256_add(&hash, bytes_of(p->dfa_accept + dfa->accept, dfa->states * sizeof *p->dfa_accept));
    add_hash(key, &hash);
}

static void add_trie(struct buf *key, const struct program *p, uint32_t index)
{
    const struct b_trie *trie = &p->tries[index];
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes_of(p->trie_nodes + trie->node, trie->nodes * sizeof *p->trie_nodes));
    buf_printf(key, "%u:", trie->forbidden);
    add_hash(key, &hash);
}

static void add_zone(struct buf *key, const struct program *p, uint32_t index)
{
    const struct b_zone *zone = &p->zones[index];
    struct sha256 hash;
    sha256_begin(&hash);
    sha256_add(&hash, bytes_of(p->zone_steps + zone->first, zone->count * sizeof *p->zone_steps));
    add_hash(key, &hash);
}

static void add_slot(struct buf *key, const struct program *p, uint32_t index)
{
    const struct b_slot *slot = &p->slots[index];
    buf_printf(key, "%u/%u", slot->root, slot->count);
    for (uint32_t i = 0; i < slot->count; i++)
        add_text(key, program_text(p, p->steps[slot->first + i]));
}

static void add_operand(struct buf *key, struct program *p, const struct b_insn *in,
                        struct arena *mem)
{
    switch (op_table[in->op].operands) {
    case OPERANDS_D_SLOT: add_slot(key, p, in->c); break;
    case OPERANDS_D_CONST: add_constant(key, p, &p->consts[in->c]); break;
    case OPERANDS_D_R_STEP: add_text(key, program_text(p, p->steps[in->c])); break;
    case OPERANDS_R_SET:
    case OPERANDS_D_R_SET: add_set(key, p, in->c, mem); break;
    case OPERANDS_R_DFA: add_dfa(key, p, in->c); break;
    case OPERANDS_D_ZONE: add_zone(key, p, in->c); break;
    case OPERANDS_R_NETS:
        add_text(key, bytes_of(p->net_ranges + p->nets[in->c].first,
                               p->nets[in->c].count * sizeof *p->net_ranges));
        break;
    case OPERANDS_R_TRIE: add_trie(key, p, in->c); break;
    case OPERANDS_NONE:
    case OPERANDS_D:
    case OPERANDS_D_RR:
    case OPERANDS_D_R:
    case OPERANDS_R:
    case OPERANDS_RR:
    case OPERANDS_D_R_NUMBER:
    case OPERANDS_D_R_DOMAIN:
    case OPERANDS_LOOP: buf_printf(key, "%u", in->c); break;
    default: buf_printf(key, "%s/%u", p->id, in->c); break;
    }
}

static void code_key(struct buf *key, struct program *p, uint32_t first, uint32_t count,
                     struct arena *mem)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct b_insn *in = &p->code[first + i];
        buf_printf(key, "%u.%u.%u.", in->op, in->a, in->b);
        add_operand(key, p, in, mem);
    }
}

static void atom_key(struct buf *key, struct program *p, const struct b_atom *atom,
                     struct arena *mem)
{
    buf_clear(key);
    code_key(key, p, atom->code, atom->code_count, mem);
}

/* Where a rule stands and what it says to the agent do not count. */
static void rule_key(struct buf *key, struct program *p, const struct b_rule *rule,
                     const uint32_t *atom_of, struct arena *mem)
{
    buf_clear(key);
    buf_printf(key, "%u", rule->effect);
    for (uint32_t i = 0; i < rule->set_count; i++) {
        const struct b_rewrite *rewrite = &p->rewrites[rule->set_first + i];
        buf_add(key, STR("="));
        add_slot(key, p, rewrite->slot);
        code_key(key, p, rewrite->code, rewrite->code_count, mem);
    }
    for (uint32_t i = 0; i < rule->code_count; i++) {
        const struct b_insn *in = &p->code[rule->code + i];
        bool tests = op_table[in->op].operands == OPERANDS_TEST;
        buf_printf(key, ".%u.%u.%u.%u", in->op, in->a, in->b, tests ? atom_of[in->c] : in->c);
    }
}

/* The number of a key, new ones counted up; false: no memory. */
static bool number_of(struct intern *numbers, const struct buf *key, uint32_t *count,
                      uint32_t *number)
{
    const uint32_t *known = intern_get(numbers, buf_str(key));
    *number = known ? *known : (*count)++;
    return !key->is_full && (known || intern_put(numbers, buf_str(key), *number));
}

static bool number_atoms(struct model *m, uint32_t side, struct intern *numbers, struct buf *key)
{
    struct program *p = m->programs[side];
    for (uint32_t i = 0; i < p->counts[SECTION_ATOMS]; i++) {
        uint32_t before = m->atom_count;
        atom_key(key, p, &p->atoms[i], m->mem);
        if (!number_of(numbers, key, &m->atom_count, &m->atom_of[side][i]))
            return false;
        if (m->atom_count > before)
            m->atoms[before] = (struct model_atom){ .side = side, .index = i };
    }
    return true;
}

static bool number_rules(struct model *m, uint32_t side, struct intern *numbers, struct buf *key)
{
    struct program *p = m->programs[side];
    for (uint32_t i = 0; i < p->counts[SECTION_RULES]; i++) {
        uint32_t before = m->rule_count;
        rule_key(key, p, &p->rules[i], m->atom_of[side], m->mem);
        if (!number_of(numbers, key, &m->rule_count, &m->rule_of[side][i]))
            return false;
        if (m->rule_count > before)
            m->rules[before] =
                (struct model_rule){ .side = side, .index = i, .effect = p->rules[i].effect };
    }
    return true;
}

static bool make_tables(struct model *m)
{
    uint32_t atoms = 0, rules = 0;
    for (uint32_t side = 0; side < SIDES; side++) {
        const uint32_t *counts = m->programs[side]->counts;
        atoms += counts[SECTION_ATOMS];
        rules += counts[SECTION_RULES];
        m->atom_of[side] = ARENA_NEW(m->mem, uint32_t, counts[SECTION_ATOMS]);
        m->rule_of[side] = ARENA_NEW(m->mem, uint32_t, counts[SECTION_RULES]);
        if (!m->atom_of[side] || !m->rule_of[side])
            return false;
    }
    m->atoms = ARENA_NEW(m->mem, struct model_atom, atoms);
    m->rules = ARENA_NEW(m->mem, struct model_rule, rules);
    return m->atoms && m->rules;
}

enum status model_open(struct program *old, struct program *new, struct arena *mem,
                       struct model *out)
{
    struct intern atoms, rules;
    struct buf key;
    *out = (struct model){ .mem = mem, .programs = { old, new } };
    intern_init(&atoms, mem);
    intern_init(&rules, mem);
    buf_init(&key, KEY_BYTES_MAX);
    bool is_good = make_tables(out);
    for (uint32_t side = 0; side < SIDES && is_good; side++)
        is_good = number_atoms(out, side, &atoms, &key) && number_rules(out, side, &rules, &key) &&
                  vm_open(out->programs[side], &out->vms[side]) == ST_OK;
    buf_free(&key);
    if (is_good)
        return ST_OK;
    model_close(out);
    return ST_NO_MEMORY;
}

void model_close(struct model *model)
{
    for (uint32_t side = 0; side < SIDES; side++)
        vm_close(model->vms[side]);
}
