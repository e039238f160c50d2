/* SPDX-License-Identifier: Apache-2.0 */
/* disasm.c - a program as text, complete enough to review what a bundle does without its source. */
#include "runtime/bundle/program.h"
#include "runtime/domain/domain.h"

static void add_quoted(struct buf *out, Str text)
{
    buf_add_char(out, '"');
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c == '"' || c == '\\')
            buf_printf(out, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\u{%x}", c);
        else
            buf_add_char(out, (char)c);
    }
    buf_add_char(out, '"');
}

static void add_const(const struct program *p, uint32_t i, struct buf *out)
{
    const struct b_const *c = &p->consts[i];
    if (c->type == B_CONST_STRING)
        add_quoted(out, program_text(p, c->text));
    else if (c->type == B_CONST_NUMBER)
        buf_add(out, program_text(p, c->text));
    else if (c->type == B_CONST_BOOL)
        buf_add(out, c->truth ? STR("true") : STR("false"));
    else
        buf_add(out, STR("null"));
}

static void add_slot(const struct program *p, uint32_t i, struct buf *out)
{
    const struct b_slot *slot = &p->slots[i];
    buf_printf(out, "%s", slot_root_table[slot->root].text);
    for (uint32_t k = 0; k < slot->count; k++) {
        Str key = program_text(p, p->steps[slot->first + k]);
        buf_printf(out, ".%.*s", STR_ARG(key));
    }
}

/* The set's elements in table order, which is the same for the same set. */
static void add_set(const struct program *p, uint32_t i, struct buf *out)
{
    const struct b_set *set = &p->sets[i];
    const char *between = "{ ";
    for (uint32_t k = 0; k < set->slots; k++) {
        uint32_t entry = p->set_table[set->first + k];
        if (!entry)
            continue;
        buf_printf(out, "%s", between);
        add_const(p, entry - 1, out);
        between = ", ";
    }
    buf_add(out, set->count ? STR(" }") : STR("{ }"));
}

static void add_nets(const struct program *p, uint32_t i, struct buf *out)
{
    for (uint32_t k = 0; k < p->nets[i].count; k++) {
        const struct b_net *net = &p->net_ranges[p->nets[i].first + k];
        buf_printf(out, "%s ", k ? "," : "");
        for (uint32_t b = 0; b < sizeof net->address; b++)
            buf_printf(out, "%s%02x", b && b % 2 == 0 ? ":" : "", net->address[b]);
        buf_printf(out, "/%u", net->bits);
    }
}

static void add_trie(const struct program *p, uint32_t i, struct buf *out)
{
    const struct b_trie *trie = &p->tries[i];
    buf_printf(out, ", words %u (%u nodes", i, trie->nodes);
    if (trie->forbidden != B_TRIE_NO_BYTE)
        buf_printf(out, ", no byte %02x", trie->forbidden);
    buf_add_char(out, ')');
}

static void add_mask(uint32_t mask, struct buf *out)
{
    static const char *const names[] = { "true", "false", "unknown" };
    const char *between = "";
    for (uint32_t k = 0; k < COUNT(names); k++) {
        if (mask >> k & 1) {
            buf_printf(out, "%s%s", between, names[k]);
            between = "|";
        }
    }
}

static void add_registers(const struct b_insn *in, unsigned count, struct buf *out)
{
    buf_printf(out, " r%u", in->b & 0xFFu);
    if (count == 2)
        buf_printf(out, ", r%u", (unsigned)in->b >> 8);
}

static void add_operands(const struct program *p, const struct b_insn *in, uint32_t at,
                         struct buf *out)
{
    if (op_table[in->op].kind <= OP_TRUTH)
        buf_printf(out, " r%u =", in->a);
    switch (op_table[in->op].operands) {
    case OPERANDS_D_SLOT:
        buf_add_char(out, ' ');
        add_slot(p, in->c, out);
        break;
    case OPERANDS_D_CONST:
        buf_add_char(out, ' ');
        add_const(p, in->c, out);
        break;
    case OPERANDS_D_R:
    case OPERANDS_R: add_registers(in, 1, out); break;
    case OPERANDS_D_RR:
    case OPERANDS_RR: add_registers(in, 2, out); break;
    case OPERANDS_D_R_SET:
    case OPERANDS_R_SET:
        add_registers(in, 1, out);
        buf_printf(out, ", set %u ", in->c);
        add_set(p, in->c, out);
        break;
    case OPERANDS_D_R_STEP:
        add_registers(in, 1, out);
        buf_add_char(out, ' ');
        add_quoted(out, program_text(p, p->steps[in->c]));
        break;
    case OPERANDS_D_R_NUMBER:
        add_registers(in, 1, out);
        buf_printf(out, "[%u]", in->c);
        break;
    case OPERANDS_D_R_DOMAIN:
        buf_printf(out, " %s of", domain_table[in->c].word);
        add_registers(in, 1, out);
        break;
    case OPERANDS_D_ZONE:
        buf_add_char(out, ' ');
        add_quoted(out, program_text(p, p->zones[in->c].name));
        break;
    case OPERANDS_R_NETS:
        add_registers(in, 1, out);
        add_nets(p, in->c, out);
        break;
    case OPERANDS_LOOP:
        buf_printf(out, " each of r%u, body to %u leaves r%u", in->b & 0xFFu, at + in->c,
                   (unsigned)in->b >> 8);
        break;
    case OPERANDS_R_DFA:
        add_registers(in, 1, out);
        buf_printf(out, ", dfa %u (%u states)", in->c, p->dfas[in->c].states);
        break;
    case OPERANDS_R_TRIE:
        add_registers(in, 1, out);
        add_trie(p, in->c, out);
        break;
    case OPERANDS_R_NFA:
        add_registers(in, 1, out);
        buf_printf(out, ", nfa %u (%u positions, %u unchained)", in->c, p->nfas[in->c].positions,
                   p->nfas[in->c].unchained);
        break;
    case OPERANDS_TEST:
        buf_printf(out, " atom %u ", in->c);
        add_mask(in->a, out);
        buf_printf(out, " to %u", at + 1 + in->b);
        break;
    case OPERANDS_SKIP: buf_printf(out, " to %u", at + 1 + in->b); break;
    case OPERANDS_D:
    case OPERANDS_NONE: break;
    }
}

static void add_code(const struct program *p, uint32_t code, uint32_t count, struct buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct b_insn *in = &p->code[code + i];
        buf_printf(out, "    %4u  %-11s", i, op_table[in->op].name);
        add_operands(p, in, i, out);
        buf_add_char(out, '\n');
    }
}

static void add_place(const struct program *p, uint32_t source, uint32_t line, uint32_t column,
                      struct buf *out)
{
    Str name = program_text(p, p->sources[source]);
    buf_printf(out, "%.*s:%u:%u", STR_ARG(name), line, column);
}

static void add_list(const struct program *p, uint32_t list, struct buf *out)
{
    buf_printf(out, "rules");
    for (uint32_t k = 0; k < p->lists[list].count; k++)
        buf_printf(out, " %u", p->list_rules[p->lists[list].first + k]);
    if (p->lists[list].count == 0)
        buf_printf(out, " none");
    if (p->lists[list].index == B_NONE)
        return;
    const struct b_index *index = &p->indexes[p->lists[list].index];
    buf_printf(out, "; by ");
    add_slot(p, index->slot, out);
    for (uint32_t k = 0; k < index->slots; k++) {
        const struct b_index_entry *entry = &p->index_table[index->first + k];
        if (!entry->constant)
            continue;
        buf_printf(out, "\n      ");
        add_const(p, entry->constant - 1, out);
        buf_printf(out, ": ");
        add_list(p, entry->list, out);
    }
    buf_printf(out, "\n      no string: ");
    add_list(p, index->otherwise, out);
}

/* The digest's beginning, as much as two people would read to each other. */
static void add_pin(const struct program *p, uint32_t pin, struct buf *out)
{
    enum { SHOWN_BYTES = 8 };
    if (pin == B_NONE)
        return;
    buf_add(out, STR(" pin "));
    for (size_t i = 0; i < SHOWN_BYTES; i++)
        buf_printf(out, "%02x", p->pins[pin].digest[i]);
}

static bool is_silent(const struct program *p, uint32_t index)
{
    const struct b_route *route = &p->routes[index];
    const struct b_list *other = &p->lists[route->other];
    return route->accept_count == 0 && other->count == 0 && other->index == B_NONE;
}

/* *name: the next of NAMES, which are in the order of routes. */
static void add_route(const struct program *p, uint32_t index, uint32_t *name, struct buf *out)
{
    const struct b_route *route = &p->routes[index];
    Str word = kind_table[index % KIND_COUNT].word;
    bool has_name = *name < p->counts[SECTION_NAMES] && p->names[*name].route == index;
    if (index % KIND_COUNT != KIND_TOOL && !has_name && is_silent(p, index))
        return; /* no rule is about it: all of it is denied */
    for (; *name < p->counts[SECTION_NAMES] && p->names[*name].route == index; ++*name) {
        const struct b_name *known = &p->names[*name];
        buf_printf(out, "  %.*s ", STR_ARG(word));
        add_quoted(out, program_text(p, known->name));
        if (index % KIND_COUNT == KIND_TOOL)
            buf_printf(out, " shape %u", known->shape);
        add_pin(p, known->pin, out);
        buf_add(out, STR(": "));
        add_list(p, known->list, out);
        buf_add_char(out, '\n');
    }
    for (uint32_t k = 0; k < route->accept_count; k++) {
        buf_printf(out, "  %.*s in pattern class %u of dfa %u: ", STR_ARG(word), k + 1, route->dfa);
        add_list(p, p->accepts[route->accept_first + k], out);
        buf_add_char(out, '\n');
    }
    bool has_names = kind_table[index % KIND_COUNT].names != NAMES_NONE;
    buf_printf(out, "  %s%.*s: ", has_names ? "any other " : "", STR_ARG(word));
    add_list(p, route->other, out);
    buf_add_char(out, '\n');
}

static void add_servers(const struct program *p, struct buf *out)
{
    uint32_t name = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_SERVERS]; i++) {
        const struct b_server *server = &p->servers[i];
        Str alias = program_text(p, server->alias);
        buf_printf(out, "\nserver %u ", i);
        add_quoted(out, alias);
        buf_printf(out, "%s%s\n", server->flags & B_SERVER_PINNED ? " pinned" : "",
                   server->flags & B_SERVER_OPEN ? " open" : "");
        for (uint32_t kind = 0; kind < KIND_COUNT; kind++)
            add_route(p, program_route(i, (enum message_kind)kind), &name, out);
    }
}

static void add_rules(const struct program *p, struct buf *out)
{
    static const char *const effects[] = { "deny", "ask", "allow" };
    for (uint32_t i = 0; i < p->counts[SECTION_RULES]; i++) {
        const struct b_rule *rule = &p->rules[i];
        buf_printf(out, "\nrule %u %s at ", i, effects[rule->effect]);
        add_place(p, rule->source, rule->line, rule->column, out);
        if (rule->reason.length) {
            buf_printf(out, " reason ");
            add_quoted(out, program_text(p, rule->reason));
        }
        buf_printf(out, rule->flags & B_RULE_ADVERTISES ? " advertise" : "");
        buf_printf(out, "\n    ; %.*s\n", STR_ARG(program_text(p, rule->text)));
        add_code(p, rule->code, rule->code_count, out);
        for (uint32_t k = rule->set_first; k < rule->set_first + rule->set_count; k++) {
            buf_printf(out, "  set ");
            add_slot(p, p->rewrites[k].slot, out);
            buf_add_char(out, '\n');
            add_code(p, p->rewrites[k].code, p->rewrites[k].code_count, out);
        }
    }
}

static void add_atoms(const struct program *p, struct buf *out)
{
    for (uint32_t i = 0; i < p->counts[SECTION_ATOMS]; i++) {
        const struct b_atom *atom = &p->atoms[i];
        buf_printf(out, "\natom %u at ", i);
        add_place(p, atom->source, atom->line, atom->column, out);
        buf_printf(out, "%s\n    ; %.*s\n", atom->flags & B_ATOM_VARIES ? ", varies" : "",
                   STR_ARG(program_text(p, atom->text)));
        add_code(p, atom->code, atom->code_count, out);
    }
}

static void add_shapes(const struct program *p, struct buf *out)
{
    for (uint32_t i = 1; i < p->counts[SECTION_SHAPES]; i++) {
        const struct b_shape *shape = &p->shapes[i];
        buf_printf(out, "%sshape %u%s:", i == 1 ? "\n" : "", i,
                   shape->flags & B_SHAPE_OPEN ? " open" : "");
        for (uint32_t k = 0; k < shape->count; k++) {
            const struct b_member *member = &p->shape_members[shape->first + k];
            buf_add_char(out, ' ');
            add_quoted(out, program_text(p, member->key));
            if (member->shape)
                buf_printf(out, "=%u", member->shape);
        }
        if (shape->items == B_NONE)
            buf_printf(out, " no-list");
        else if (shape->items)
            buf_printf(out, " items=%u", shape->items);
        buf_add_char(out, '\n');
    }
}

void program_disassemble(const struct program *program, struct buf *out)
{
    const struct b_meta *meta = program->meta;
    buf_printf(out, "policy ");
    add_quoted(out, program_name(program));
    buf_printf(out, " version %u, by %.*s\nidentity %s\n", meta->version,
               STR_ARG(program_text(program, meta->compiler)), program->id);
    buf_printf(out, "cost of a decision: at most %llu + %llu a byte of the call\n",
               (unsigned long long)meta->cost_fixed, (unsigned long long)meta->cost_per_byte);
    for (uint32_t i = 0; i < SECTION_COUNT; i++)
        buf_printf(out, "%s%s %u", i == 0 ? "sections: " : ", ", section_names[i],
                   program->counts[i]);
    buf_add_char(out, '\n');
    add_servers(program, out);
    add_rules(program, out);
    add_atoms(program, out);
    add_shapes(program, out);
}
