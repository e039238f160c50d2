/* SPDX-License-Identifier: Apache-2.0 */
/* explain_print.c - an explanation in words. Nothing of the call's values is repeated: conditions
 * are shown as they stand in the source. */
#include "compiler/command/explain.h"
#include "runtime/json/json.h"

static const char *truth_word(uint8_t truth)
{
    return truth == B_TRUE ? "true" : truth == B_FALSE ? "false" : "unknown";
}

static const char *effect_word(const struct b_rule *rule)
{
    return rule->effect == B_ALLOW ? "allow" : "deny";
}

static void add_place(const struct program *p, uint32_t source, uint32_t line, struct buf *out)
{
    buf_printf(out, "%.*s:%u", STR_ARG(program_text(p, p->sources[source])), line);
}

/* The atoms of a rule in the order of its code, each once. */
struct atom_walk {
    const struct program *program;
    const struct b_rule *rule;
    uint32_t at;
};

static bool next_atom(struct atom_walk *walk, uint32_t *atom)
{
    const struct b_insn *code = walk->program->code + walk->rule->code;
    for (; walk->at < walk->rule->code_count; walk->at++) {
        const struct b_insn *in = &code[walk->at];
        bool is_new = in->op == OP_SKIP_IF || in->op == OP_SKIP_UNLESS;
        for (uint32_t i = 0; i < walk->at && is_new; i++)
            is_new =
                (code[i].op != OP_SKIP_IF && code[i].op != OP_SKIP_UNLESS) || code[i].c != in->c;
        if (is_new) {
            *atom = in->c;
            walk->at++;
            return true;
        }
    }
    return false;
}

static void print_rule(const struct explanation *e, const struct explained_rule *shown,
                       struct buf *out)
{
    const struct program *p = e->program;
    const struct b_rule *rule = &p->rules[shown->rule];
    struct atom_walk walk = { .program = p, .rule = rule };
    uint32_t atom;
    buf_printf(out, "\n  %-8s", shown->acts ? "acts" : "silent");
    add_place(p, rule->source, rule->line, out);
    buf_printf(out, ": %.*s\n", STR_ARG(program_text(p, rule->text)));
    while (next_atom(&walk, &atom)) {
        const struct b_atom *a = &p->atoms[atom];
        buf_printf(out, "    %-8s", truth_word(e->truths[atom]));
        add_place(p, a->source, a->line, out);
        buf_printf(out, ": %.*s", STR_ARG(program_text(p, a->text)));
        if (e->unknowns[atom] != UNKNOWN_NONE)
            buf_printf(out, "  (%s)", vm_unknown_text((enum vm_unknown)e->unknowns[atom]));
        buf_add_char(out, '\n');
    }
    if (rule->code_count <= 1)
        buf_printf(out, "    always\n");
}

static void print_way(const struct explanation *e, const struct way *way, struct buf *out)
{
    const struct program *p = e->program;
    if (way->rule == B_NONE) {
        buf_printf(out, "\n  because no rule would allow it:\n");
    } else {
        buf_printf(out, "\n  by ");
        add_place(p, p->rules[way->rule].source, p->rules[way->rule].line, out);
        buf_printf(out, ", if\n");
    }
    for (uint32_t i = 0; i < way->count; i++) {
        const struct flip *flip = &way->flips[i];
        const struct b_atom *atom = &p->atoms[flip->atom];
        buf_printf(out, "    `%.*s` were %s, and not %s", STR_ARG(program_text(p, atom->text)),
                   truth_word((uint8_t)flip->wanted), truth_word(e->truths[flip->atom]));
        if (flip->rule != way->rule) {
            buf_printf(out, ", so that ");
            add_place(p, p->rules[flip->rule].source, p->rules[flip->rule].line, out);
            buf_printf(out, " does not act");
        }
        buf_add_char(out, '\n');
    }
}

void explain_print(const struct explanation *e, struct buf *out)
{
    bool is_denied = e->decision.verdict == VERDICT_DENY;
    if (e->is_rewritten)
        buf_printf(out, "\nthe call is allowed as it was sent, but not as rewritten\n");
    buf_printf(out, "\nrules about this call: %u\n", e->shape.total);
    if (e->rule_count < e->shape.total)
        buf_printf(out, "shown: %u, the others can't act for this caller or these arguments\n",
                   e->rule_count);
    for (uint32_t i = 0; i < e->rule_count; i++)
        print_rule(e, &e->rules[i], out);
    if (e->shape.total == 0)
        return;
    if (e->way_count == 0)
        buf_printf(out, "\nno change of these conditions would %s it\n",
                   is_denied ? "allow" : "deny");
    else
        buf_printf(out, "\nit would be %s\n", is_denied ? "allowed" : "denied");
    for (uint32_t i = 0; i < e->way_count; i++)
        print_way(e, &e->ways[i], out);
}

/* --------------------------------- JSON --------------------------------- */

static void json_place(const struct program *p, uint32_t source, uint32_t line, struct buf *out)
{
    struct buf place;
    buf_init(&place, BUNDLE_TEXT_MAX + 16);
    add_place(p, source, line, &place);
    buf_add(out, STR("\"source\":"));
    json_write_string(out, buf_str(&place));
    buf_free(&place);
}

static void json_atom(const struct explanation *e, uint32_t atom, struct buf *out)
{
    const struct b_atom *a = &e->program->atoms[atom];
    buf_add_char(out, '{');
    json_place(e->program, a->source, a->line, out);
    buf_add(out, STR(",\"condition\":"));
    json_write_string(out, program_text(e->program, a->text));
    buf_printf(out, ",\"value\":\"%s\"", truth_word(e->truths[atom]));
    if (e->unknowns[atom] != UNKNOWN_NONE)
        buf_printf(out, ",\"why\":\"%s\"", vm_unknown_text((enum vm_unknown)e->unknowns[atom]));
}

static void json_rule(const struct explanation *e, const struct explained_rule *shown,
                      struct buf *out)
{
    const struct program *p = e->program;
    const struct b_rule *rule = &p->rules[shown->rule];
    struct atom_walk walk = { .program = p, .rule = rule };
    uint32_t atom;
    buf_printf(out, "{\"effect\":\"%s\",\"acts\":%s,", effect_word(rule),
               shown->acts ? "true" : "false");
    json_place(p, rule->source, rule->line, out);
    buf_add(out, STR(",\"rule\":"));
    json_write_string(out, program_text(p, rule->text));
    buf_add(out, STR(",\"conditions\":["));
    for (bool is_first = true; next_atom(&walk, &atom); is_first = false) {
        buf_add(out, is_first ? STR("") : STR(","));
        json_atom(e, atom, out);
        buf_add_char(out, '}');
    }
    buf_add(out, STR("]}"));
}

static void json_way(const struct explanation *e, const struct way *way, struct buf *out)
{
    const struct program *p = e->program;
    buf_add_char(out, '{');
    if (way->rule != B_NONE) {
        json_place(p, p->rules[way->rule].source, p->rules[way->rule].line, out);
        buf_add_char(out, ',');
    }
    buf_add(out, STR("\"changes\":["));
    for (uint32_t i = 0; i < way->count; i++) {
        buf_add(out, i ? STR(",") : STR(""));
        json_atom(e, way->flips[i].atom, out);
        buf_printf(out, ",\"wanted\":\"%s\"}", truth_word((uint8_t)way->flips[i].wanted));
    }
    buf_add(out, STR("]}"));
}

void explain_json(const struct explanation *e, struct buf *out)
{
    buf_printf(out, "\"rules_about_the_call\":%u,%s\"rules\":[", e->shape.total,
               e->is_rewritten ? "\"of_rewritten_arguments\":true," : "");
    for (uint32_t i = 0; i < e->rule_count; i++) {
        buf_add(out, i ? STR(",") : STR(""));
        json_rule(e, &e->rules[i], out);
    }
    buf_add(out, STR("],\"ways\":["));
    for (uint32_t i = 0; i < e->way_count; i++) {
        buf_add(out, i ? STR(",") : STR(""));
        json_way(e, &e->ways[i], out);
    }
    buf_add_char(out, ']');
}

/* --------------------------------- plan --------------------------------- */

static void add_field(const struct program *p, uint32_t index, struct buf *out)
{
    const struct b_slot *slot = &p->slots[index];
    buf_printf(out, "%s", slot_root_table[slot->root].text);
    for (uint32_t i = 0; i < slot->count; i++)
        buf_printf(out, ".%.*s", STR_ARG(program_text(p, p->steps[slot->first + i])));
}

void explain_plan(const struct explanation *e, const struct vm_call *call, struct buf *out)
{
    const struct program *p = e->program;
    uint32_t server = program_server(p, call->server);
    buf_printf(out, "\nplan\n  policy: %u rules, %u conditions, %u names known\n",
               p->counts[SECTION_RULES], p->counts[SECTION_ATOMS], p->counts[SECTION_NAMES]);
    buf_printf(out, "  patterns: %u automata, %u by positions, %u sets of words\n",
               p->counts[SECTION_DFAS], p->counts[SECTION_NFAS], p->counts[SECTION_TRIES]);
    if (e->shape.list == B_NONE) {
        buf_printf(out, "  the call leads to no list of rules\n");
        return;
    }
    bool is_named = server != B_NONE &&
                    program_known(p, program_route(server, call->kind), call->name) != B_NONE;
    const struct b_list *list = &p->lists[e->shape.list];
    buf_printf(out, "  %.*s: %s, list %u: %u of %u rules\n", STR_ARG(kind_table[call->kind].word),
               is_named ? "found by name in a hash table" : "matched by the automaton of patterns",
               e->shape.list, e->shape.total, p->counts[SECTION_RULES]);
    if (list->index == B_NONE) {
        buf_printf(out, "  second key: none\n");
    } else {
        buf_printf(out, "  second key: ");
        add_field(p, p->indexes[list->index].slot, out);
        buf_printf(out, ", %u values; it leaves %u of %u rules\n", p->indexes[list->index].count,
                   e->shape.candidates, e->shape.total);
    }
    buf_printf(out, "  cost of any decision: at most %llu + %llu a byte of the call\n",
               (unsigned long long)p->meta->cost_fixed, (unsigned long long)p->meta->cost_per_byte);
}
