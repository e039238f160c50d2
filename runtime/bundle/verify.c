/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - decides whether a bundle may run: everything but instructions and costs.
 *
 * Bytes become a runnable program here or nowhere. There is no way to skip or weaken a check. The
 * order matters: texts first, since all others refer to them; then tables whose search must end;
 * verify_code and verify_cost last.
 */
#include "runtime/bundle/verify.h"

static bool is_boundary(const struct program *program, uint64_t offset)
{
    return offset == program->counts[SECTION_STRINGS] ||
           ((unsigned char)program->strings[offset] & 0xC0) != 0x80;
}

/* Inside the pool, cut at code point boundaries (the pool is valid UTF-8 as a whole), short enough.
 */
bool verify_text(const struct program *program, struct b_text text, uint32_t max)
{
    return text.length <= max &&
           verify_range(text.offset, text.length, program->counts[SECTION_STRINGS]) &&
           is_boundary(program, text.offset) &&
           is_boundary(program, (uint64_t)text.offset + text.length);
}

static bool verify_meta(const struct program *p, struct bundle_error *error)
{
    if (p->counts[SECTION_META] != 1 || p->meta->pad != 0)
        return verify_fail(error, "meta: not exactly one record");
    if (!verify_text(p, p->meta->name, BUNDLE_TEXT_MAX) ||
        !verify_text(p, p->meta->profile, BUNDLE_TEXT_MAX) ||
        !verify_text(p, p->meta->compiler, BUNDLE_TEXT_MAX) ||
        !verify_text(p, p->meta->default_reason, BUNDLE_TEXT_MAX))
        return verify_fail(error, "meta: a text out of range");
    for (uint32_t i = 0; i < p->counts[SECTION_SOURCES]; i++) {
        if (!verify_text(p, p->sources[i], BUNDLE_TEXT_MAX))
            return verify_fail(error, "source %u: name out of range", i);
    }
    return true;
}

static bool verify_server(const struct program *p, uint32_t i, struct bundle_error *error)
{
    const struct b_server *server = &p->servers[i];
    if (!verify_text(p, server->alias, BUNDLE_TEXT_MAX) || server->pad != 0 ||
        server->flags & ~(uint32_t)(B_SERVER_PINNED | B_SERVER_OPEN))
        return verify_fail(error, "server %u: alias, flags or padding", i);
    if (i && str_cmp(program_text(p, p->servers[i - 1].alias), program_text(p, server->alias)) >= 0)
        return verify_fail(error, "server %u: aliases are not ascending", i);
    return true;
}

static bool verify_route(const struct program *p, uint32_t i, struct bundle_error *error)
{
    const struct b_route *route = &p->routes[i];
    if (route->other >= p->counts[SECTION_LISTS])
        return verify_fail(error, "route %u: list out of range", i);
    if (route->dfa == B_NONE)
        return route->accept_count == 0 || verify_fail(error, "route %u: accepts, no dfa", i);
    if (route->dfa >= p->counts[SECTION_DFAS] ||
        p->dfas[route->dfa].accept_max > route->accept_count ||
        !verify_range(route->accept_first, route->accept_count, p->counts[SECTION_ACCEPTS]))
        return verify_fail(error, "route %u: dfa or accepts out of range", i);
    return true;
}

static bool verify_servers(const struct program *p, struct bundle_error *error)
{
    if (p->counts[SECTION_SERVERS] == 0)
        return verify_fail(error, "no servers");
    for (uint32_t i = 0; i < p->counts[SECTION_SERVERS]; i++) {
        if (!verify_server(p, i, error))
            return false;
    }
    if (p->counts[SECTION_ROUTES] != (uint64_t)p->counts[SECTION_SERVERS] * KIND_COUNT)
        return verify_fail(error, "routes: not one for each server and kind");
    for (uint32_t i = 0; i < p->counts[SECTION_ROUTES]; i++) {
        if (!verify_route(p, i, error))
            return false;
    }
    for (uint32_t i = 0; i < p->counts[SECTION_ACCEPTS]; i++) {
        if (p->accepts[i] >= p->counts[SECTION_LISTS])
            return verify_fail(error, "accept %u: list out of range", i);
    }
    return true;
}

/* A hash table of count entries: half of it is free and no run of used slots is long, so every
 * search is short whatever the hashes are. */
static bool verify_table(const uint32_t *table, uint32_t slots, uint32_t count)
{
    uint32_t run = 0;
    if (slots < 2 || (slots & (slots - 1)) != 0 || count > slots / 2)
        return false;
    /* Twice round, for the run that goes over the end; some slot is free, or run would pass it. */
    for (uint64_t i = 0; i < (uint64_t)slots * 2 && run <= BUNDLE_RUN_MAX; i++)
        run = table[i & (slots - 1)] ? run + 1 : 0;
    return run <= BUNDLE_RUN_MAX;
}

static bool add_text(uint64_t *sum, struct b_text text)
{
    *sum += text.length;
    return *sum <= BUNDLE_TEXTS_MAX;
}

/* pins counts the names with a pin so far, which use the pins in order. */
static bool verify_name(const struct program *p, uint32_t i, uint32_t *pins,
                        struct bundle_error *error)
{
    const struct b_name *name = &p->names[i];
    if (name->pin != B_NONE && (name->pin != *pins || (*pins)++ == p->counts[SECTION_PINS]))
        return verify_fail(error, "name %u: pins are not in order", i);
    if (!verify_text(p, name->name, BUNDLE_TEXT_MAX) || name->route >= p->counts[SECTION_ROUTES] ||
        name->list >= p->counts[SECTION_LISTS] || name->shape >= p->counts[SECTION_SHAPES])
        return verify_fail(error, "name %u: a field out of range", i);
    bool is_tool = name->route % KIND_COUNT == KIND_TOOL;
    if (!is_tool && (name->shape != 0 || name->pin != B_NONE))
        return verify_fail(error, "name %u: only tools are pinned", i);
    if (i == 0)
        return true;
    const struct b_name *before = &p->names[i - 1];
    bool is_ascending = before->route < name->route ||
                        (before->route == name->route &&
                         str_cmp(program_text(p, before->name), program_text(p, name->name)) < 0);
    return is_ascending || verify_fail(error, "name %u: names are not ascending", i);
}

/* Every name is found, every entry is a name, and an empty slot ends every other search. */
static bool verify_names(const struct program *p, struct bundle_error *error)
{
    uint32_t slots = p->counts[SECTION_DISPATCH], names = p->counts[SECTION_NAMES], used = 0;
    uint32_t pins = 0;
    uint64_t texts = 0;
    if (!verify_table(p->dispatch, slots, names))
        return verify_fail(error, "dispatch: %u slots for %u names, or a long run", slots, names);
    for (uint32_t i = 0; i < names; i++) {
        if (!verify_name(p, i, &pins, error))
            return false;
        if (!add_text(&texts, p->names[i].name))
            return verify_fail(error, "names: they are too long together");
    }
    if (pins != p->counts[SECTION_PINS])
        return verify_fail(error, "pins: %u of %u are some tool's", pins, p->counts[SECTION_PINS]);
    for (uint32_t i = 0; i < slots; i++) {
        used += p->dispatch[i] != 0;
        if (p->dispatch[i] > names)
            return verify_fail(error, "dispatch: slot %u out of range", i);
    }
    if (used != names)
        return verify_fail(error, "dispatch: %u entries for %u names", used, names);
    for (uint32_t i = 0; i < names; i++) {
        if (program_known(p, p->names[i].route, program_text(p, p->names[i].name)) != i)
            return verify_fail(error, "dispatch: name %u is not found", i);
    }
    return true;
}

/* Denies, then asks, then allows, each ascending: the first that acts is the verdict. */
static bool verify_list(const struct program *p, uint32_t i, uint64_t *code,
                        struct bundle_error *error)
{
    const struct b_list *list = &p->lists[i];
    for (uint32_t k = 0; k < list->count; k++) {
        uint32_t rule = p->list_rules[list->first + k];
        if (rule >= p->counts[SECTION_RULES])
            return verify_fail(error, "list %u: rule out of range", i);
        *code += p->rules[rule].code_count;
        if (k == 0)
            continue;
        uint32_t before = p->list_rules[list->first + k - 1];
        uint32_t effect = p->rules[rule].effect, effect_before = p->rules[before].effect;
        if (effect < effect_before || (effect == effect_before && rule <= before))
            return verify_fail(error, "list %u: rules are not in order", i);
    }
    return true;
}

static bool verify_place(const struct program *p, uint32_t source, uint32_t line, uint32_t column)
{
    return source < p->counts[SECTION_SOURCES] && line > 0 && column > 0;
}

/* What is so of one of the rules that the list stands for. */
static uint32_t list_flags(const struct program *p, const struct b_list *list)
{
    uint32_t flags = 0;
    const struct b_list *all =
        list->index == B_NONE ? list : &p->lists[p->indexes[list->index].all];
    for (uint32_t k = 0; k < all->count; k++) {
        const struct b_rule *rule = &p->rules[p->list_rules[all->first + k]];
        flags |= rule->set_count ? (uint32_t)B_LIST_REWRITES : 0;
        flags |= rule->flags & B_RULE_ADVERTISES ? (uint32_t)B_LIST_ADVERTISES : 0;
    }
    return flags;
}

static bool list_keys_hold(const struct program *p, const struct b_list *list)
{
    bool has_index = list->index == B_NONE || list->index < p->counts[SECTION_INDEXES];
    bool has_near = list->near == B_NONE || (list->near < p->counts[SECTION_RULES] &&
                                             p->rules[list->near].effect == B_ALLOW);
    return has_index && has_near;
}

static bool is_plain_list(const struct program *p, uint32_t list)
{
    return list < p->counts[SECTION_LISTS] && p->lists[list].index == B_NONE;
}

static int rule_order(const struct program *p, uint32_t a, uint32_t b)
{
    if (p->rules[a].effect != p->rules[b].effect)
        return p->rules[a].effect < p->rules[b].effect ? -1 : 1;
    return a < b ? -1 : a > b;
}

/* Every rule of the list is one of `all` too, whose cost stands for any choice of lists. Both are
 * in order, which verify_lists proved. */
static bool is_part_of(const struct program *p, const struct b_list *list, const struct b_list *all)
{
    uint32_t from = 0;
    for (uint32_t k = 0; k < list->count; k++) {
        uint32_t rule = p->list_rules[list->first + k], to = all->count;
        while (from < to) {
            uint32_t middle = from + (to - from) / 2;
            if (rule_order(p, p->list_rules[all->first + middle], rule) < 0)
                from = middle + 1;
            else
                to = middle;
        }
        if (from == all->count || p->list_rules[all->first + from++] != rule)
            return false;
    }
    return true;
}

/* What an index leads to lies within its list of all rules. rules counts those looked at so far, so
 * that entries that share lists can't make loading slow. */
static bool index_lists_hold(const struct program *p, const struct b_index *index, uint64_t *rules)
{
    const struct b_list *all = &p->lists[index->all];
    *rules += p->lists[index->otherwise].count;
    if (!is_part_of(p, &p->lists[index->otherwise], all))
        return false;
    for (uint32_t k = 0; k < index->slots; k++) {
        const struct b_index_entry *entry = &p->index_table[index->first + k];
        if (!entry->constant)
            continue;
        *rules += p->lists[entry->list].count;
        if (*rules > BUNDLE_INDEX_RULES_MAX || !is_part_of(p, &p->lists[entry->list], all))
            return false;
    }
    return true;
}

/* As for sets, every search ends at a free slot. */
static bool verify_index(const struct program *p, const struct b_index *index)
{
    const struct b_index_entry *table = p->index_table + index->first;
    uint32_t used = 0, run = 0;
    if (index->slot >= p->counts[SECTION_SLOTS] || !is_plain_list(p, index->otherwise) ||
        !is_plain_list(p, index->all) || index->slots < 2 ||
        (index->slots & (index->slots - 1)) != 0 || index->count > index->slots / 2)
        return false;
    for (uint32_t k = 0; k < index->slots; k++) {
        if (table[k].constant > p->counts[SECTION_CONSTS] ||
            (table[k].constant && (p->consts[table[k].constant - 1].type != B_CONST_STRING ||
                                   !is_plain_list(p, table[k].list))))
            return false;
        used += table[k].constant != 0;
    }
    for (uint64_t k = 0; k < (uint64_t)index->slots * 2 && run <= BUNDLE_RUN_MAX; k++)
        run = table[k & (index->slots - 1)].constant ? run + 1 : 0;
    return used == index->count && run <= BUNDLE_RUN_MAX;
}

static bool verify_indexes(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0, rules = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_INDEXES]; i++) {
        const struct b_index *index = &p->indexes[i];
        if (!verify_next(&next, index->first, index->slots, p->counts[SECTION_INDEX_TABLE]) ||
            !verify_index(p, index))
            return verify_fail(error, "index %u: a field out of range, or a long run", i);
        if (!index_lists_hold(p, index, &rules))
            return verify_fail(error, "index %u: leads to a rule that its list of all lacks", i);
    }
    for (uint32_t i = 0; i < p->counts[SECTION_LISTS]; i++) {
        const struct b_list *list = &p->lists[i];
        if (list->index != B_NONE && !is_part_of(p, list, &p->lists[p->indexes[list->index].all]))
            return verify_fail(error, "list %u: a rule that its index's list of all lacks", i);
        if (list->flags != list_flags(p, list))
            return verify_fail(error, "list %u: flags do not say what its rules do", i);
    }
    return next == p->counts[SECTION_INDEX_TABLE] || verify_fail(error, "indexes: loose entries");
}

/* Lists share no entries: they stand behind each other. */
static bool verify_lists(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0, code = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_LISTS]; i++) {
        if (!verify_next(&next, p->lists[i].first, p->lists[i].count,
                         p->counts[SECTION_LIST_RULES]))
            return verify_fail(error, "list %u: out of range", i);
        if (!verify_list(p, i, &code, error))
            return false;
        if (!list_keys_hold(p, &p->lists[i]))
            return verify_fail(error, "list %u: index or nearest rule out of range", i);
        if (code > BUNDLE_LIST_CODE_MAX)
            return verify_fail(error, "lists: too much code for the tools together");
    }
    return next == p->counts[SECTION_LIST_RULES] || verify_fail(error, "lists: loose entries");
}

/* Rules have what they set one behind the other, and only an allow sets. */
static bool verify_sets_of(const struct program *p, uint32_t i, uint64_t *next,
                           struct bundle_error *error)
{
    const struct b_rule *rule = &p->rules[i];
    if (!verify_next(next, rule->set_first, rule->set_count, p->counts[SECTION_REWRITES]) ||
        rule->set_count > BUNDLE_REWRITES_MAX || (rule->set_count && rule->effect != B_ALLOW))
        return verify_fail(error, "rule %u: what it sets is out of range", i);
    for (uint32_t k = 0; k < rule->set_count; k++) {
        const struct b_rewrite *rewrite = &p->rewrites[rule->set_first + k];
        if (rewrite->slot >= p->counts[SECTION_SLOTS] ||
            p->slots[rewrite->slot].root != B_SLOT_ARGS || rewrite->pad != 0)
            return verify_fail(error, "rule %u: sets what is no argument", i);
    }
    return true;
}

static bool verify_rules(const struct program *p, struct bundle_error *error)
{
    uint64_t sets = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_RULES]; i++) {
        const struct b_rule *rule = &p->rules[i];
        if (rule->effect >= B_EFFECT_COUNT || rule->effect == B_ASK)
            return verify_fail(error, "rule %u: effect %u", i, rule->effect);
        if (rule->flags & ~(uint32_t)B_RULE_ADVERTISES)
            return verify_fail(error, "rule %u: flags", i);
        if (!verify_text(p, rule->reason, BUNDLE_TEXT_MAX) ||
            !verify_text(p, rule->text, BUNDLE_TEXT_MAX) ||
            !verify_place(p, rule->source, rule->line, rule->column))
            return verify_fail(error, "rule %u: text or place out of range", i);
        if (!verify_sets_of(p, i, &sets, error))
            return false;
    }
    if (sets != p->counts[SECTION_REWRITES])
        return verify_fail(error, "rewrites: loose entries");
    for (uint32_t i = 0; i < p->counts[SECTION_ATOMS]; i++) {
        const struct b_atom *atom = &p->atoms[i];
        if (!verify_text(p, atom->text, BUNDLE_TEXT_MAX) ||
            !verify_place(p, atom->source, atom->line, atom->column))
            return verify_fail(error, "atom %u: text or place out of range", i);
    }
    return true;
}

static bool verify_slots(const struct program *p, struct bundle_error *error)
{
    for (uint32_t i = 0; i < p->counts[SECTION_STEPS]; i++) {
        if (!verify_text(p, p->steps[i], BUNDLE_TEXT_MAX))
            return verify_fail(error, "step %u: text out of range", i);
    }
    for (uint32_t i = 0; i < p->counts[SECTION_SLOTS]; i++) {
        const struct b_slot *slot = &p->slots[i];
        bool is_root = slot->root < B_SLOT_ROOT_COUNT;
        bool takes_steps = is_root && slot_root_table[slot->root].has_steps;
        if (!is_root || slot->pad != 0 || slot->count > BUNDLE_SLOT_STEPS_MAX ||
            (slot->count > 0) != takes_steps ||
            !verify_range(slot->first, slot->count, p->counts[SECTION_STEPS]))
            return verify_fail(error, "slot %u: a field out of range", i);
    }
    return true;
}

static bool verify_consts(const struct program *p, struct bundle_error *error)
{
    uint64_t texts = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_CONSTS]; i++) {
        const struct b_const *constant = &p->consts[i];
        struct number number;
        bool is_text = constant->type == B_CONST_NUMBER || constant->type == B_CONST_STRING;
        if (constant->type >= B_CONST_TYPE_COUNT ||
            constant->truth > (constant->type == B_CONST_BOOL) ||
            !verify_text(p, constant->text, is_text ? BUNDLE_CONCAT_MAX : 0))
            return verify_fail(error, "constant %u: a field out of range", i);
        if (!add_text(&texts, constant->text))
            return verify_fail(error, "constants: too long together");
        if (constant->type == B_CONST_NUMBER &&
            (constant->text.length > BUNDLE_TEXT_MAX ||
             !number_parse(program_text(p, constant->text), &number)))
            return verify_fail(error, "constant %u: not a number", i);
    }
    return true;
}

static bool verify_set(const struct program *p, uint32_t i, uint64_t *texts,
                       struct bundle_error *error)
{
    const struct b_set *set = &p->sets[i];
    const uint32_t *table = p->set_table + set->first;
    uint32_t used = 0, types = 0;
    if (!verify_table(table, set->slots, set->count))
        return verify_fail(error, "set %u: a field out of range, or a long run", i);
    for (uint32_t k = 0; k < set->slots; k++) {
        if (table[k] > p->counts[SECTION_CONSTS])
            return verify_fail(error, "set %u: constant out of range", i);
        if (!table[k])
            continue;
        const struct b_const *element = &p->consts[table[k] - 1];
        used++;
        types |= UINT32_C(1) << element->type;
        if (!add_text(texts, element->text))
            return verify_fail(error, "sets: the elements are too long together");
    }
    if (used != set->count || types != set->types)
        return verify_fail(error, "set %u: %u elements instead of %u, or of other types", i, used,
                           set->count);
    for (uint32_t k = 0; k < set->slots; k++) {
        if (table[k] && !program_set_has(p, i, table[k] - 1))
            return verify_fail(error, "set %u: an element is not found", i);
        types |= table[k] ? UINT32_C(1) << p->consts[table[k] - 1].type : 0;
    }
    return types == set->types || verify_fail(error, "set %u: not its elements' types", i);
}

static bool verify_sets(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0, texts = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_SETS]; i++) {
        if (!verify_next(&next, p->sets[i].first, p->sets[i].slots, p->counts[SECTION_SET_TABLE]))
            return verify_fail(error, "set %u: misplaced", i);
        if (!verify_set(p, i, &texts, error))
            return false;
    }
    return next == p->counts[SECTION_SET_TABLE] || verify_fail(error, "sets: loose table slots");
}

/* How far the tables of automata are taken: each stands behind the one before. */
struct dfa_tables {
    uint64_t classes, next, accept;
};

static bool verify_dfa(const struct program *p, uint32_t i, struct dfa_tables *tables,
                       struct bundle_error *error)
{
    const struct b_dfa *dfa = &p->dfas[i];
    uint64_t cells = (uint64_t)dfa->states * dfa->class_count;
    if (dfa->states == 0 || dfa->states > UINT16_MAX || dfa->class_count == 0 ||
        dfa->class_count > 256 ||
        !verify_next(&tables->classes, dfa->classes, 256, p->counts[SECTION_DFA_CLASSES]) ||
        !verify_next(&tables->next, dfa->next, cells, p->counts[SECTION_DFA_NEXT]) ||
        !verify_next(&tables->accept, dfa->accept, dfa->states, p->counts[SECTION_DFA_ACCEPT]))
        return verify_fail(error, "dfa %u: tables out of range", i);
    for (uint32_t k = 0; k < 256; k++) {
        if (p->dfa_classes[dfa->classes + k] >= dfa->class_count)
            return verify_fail(error, "dfa %u: class of byte %u out of range", i, k);
    }
    for (uint64_t k = 0; k < cells; k++) {
        if (p->dfa_next[dfa->next + k] >= dfa->states)
            return verify_fail(error, "dfa %u: a transition leaves it", i);
    }
    for (uint32_t k = 0; k < dfa->states; k++) {
        if (p->dfa_accept[dfa->accept + k] > dfa->accept_max)
            return verify_fail(error, "dfa %u: accept id out of range", i);
    }
    return true;
}

/* Shapes refer to shapes with smaller indexes only, so a walk always ends. */
static bool verify_shape(const struct program *p, uint32_t i, uint64_t *texts,
                         struct bundle_error *error)
{
    const struct b_shape *shape = &p->shapes[i];
    if (shape->flags & ~(uint32_t)B_SHAPE_OPEN ||
        (i && shape->items >= i && shape->items != B_NONE))
        return verify_fail(error, "shape %u: a field out of range", i);
    for (uint32_t k = 0; k < shape->count; k++) {
        const struct b_member *member = &p->shape_members[shape->first + k];
        if (member->pad != 0 || !verify_text(p, member->key, BUNDLE_TEXT_MAX) || member->shape >= i)
            return verify_fail(error, "shape %u: member %u out of range", i, k);
        if (!add_text(texts, member->key))
            return verify_fail(error, "shapes: the keys are too long together");
        if (k && str_cmp(program_text(p, member[-1].key), program_text(p, member->key)) >= 0)
            return verify_fail(error, "shape %u: members are not ascending", i);
    }
    return true;
}

static bool verify_shapes(const struct program *p, struct bundle_error *error)
{
    if (p->counts[SECTION_SHAPES] == 0 || !(p->shapes[0].flags & B_SHAPE_OPEN) ||
        p->shapes[0].count != 0 || p->shapes[0].items != 0)
        return verify_fail(error, "shape 0 must accept anything");
    uint64_t next = 0, texts = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_SHAPES]; i++) {
        if (!verify_next(&next, p->shapes[i].first, p->shapes[i].count,
                         p->counts[SECTION_SHAPE_MEMBERS]))
            return verify_fail(error, "shape %u: misplaced", i);
        if (!verify_shape(p, i, &texts, error))
            return false;
    }
    return next == p->counts[SECTION_SHAPE_MEMBERS] || verify_fail(error, "shapes: loose members");
}

static bool verify_dfas(const struct program *p, struct bundle_error *error)
{
    struct dfa_tables tables = { .classes = 0 };
    for (uint32_t i = 0; i < p->counts[SECTION_DFAS]; i++) {
        if (!verify_dfa(p, i, &tables, error))
            return false;
    }
    bool is_all = tables.classes == p->counts[SECTION_DFA_CLASSES] &&
                  tables.next == p->counts[SECTION_DFA_NEXT] &&
                  tables.accept == p->counts[SECTION_DFA_ACCEPT];
    return is_all || verify_fail(error, "dfas: loose tables");
}

static bool net_holds(const struct b_net *net)
{
    if (net->bits > 128 || net->pad != 0)
        return false;
    for (uint32_t bit = net->bits; bit < 128; bit++) {
        if (net->address[bit / 8] >> (7 - bit % 8) & 1)
            return false;
    }
    return true;
}

static bool verify_nets(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_NETS]; i++) {
        if (!verify_next(&next, p->nets[i].first, p->nets[i].count, p->counts[SECTION_NET_RANGES]))
            return verify_fail(error, "nets %u: misplaced", i);
    }
    for (uint32_t i = 0; i < p->counts[SECTION_NET_RANGES]; i++) {
        if (!net_holds(&p->net_ranges[i]))
            return verify_fail(error, "net %u: a field out of range", i);
    }
    return next == p->counts[SECTION_NET_RANGES] || verify_fail(error, "nets: loose ranges");
}

enum { ZONE_OFFSET_MAX = 86399 };

/* The first step begins before all time, so every instant has one. */
static bool verify_zone(const struct program *p, const struct b_zone *zone)
{
    const struct b_zone_step *steps = p->zone_steps + zone->first;
    if (!verify_text(p, zone->name, BUNDLE_TEXT_MAX) || zone->count == 0 ||
        steps[0].from != INT64_MIN)
        return false;
    for (uint32_t k = 0; k < zone->count; k++) {
        if ((k && steps[k].from <= steps[k - 1].from) || steps[k].offset > ZONE_OFFSET_MAX ||
            steps[k].offset < -ZONE_OFFSET_MAX || steps[k].pad != 0)
            return false;
    }
    return true;
}

static bool verify_zones(const struct program *p, struct bundle_error *error)
{
    uint64_t next = 0;
    for (uint32_t i = 0; i < p->counts[SECTION_ZONES]; i++) {
        const struct b_zone *zone = &p->zones[i];
        if (!verify_next(&next, zone->first, zone->count, p->counts[SECTION_ZONE_STEPS]) ||
            !verify_zone(p, zone))
            return verify_fail(error, "zone %u: a field out of range", i);
    }
    return next == p->counts[SECTION_ZONE_STEPS] || verify_fail(error, "zones: loose steps");
}

bool program_verify(const struct program *program, struct bundle_error *error)
{
    Str pool = { .p = program->strings, .n = program->counts[SECTION_STRINGS] };
    if (!utf8_is_valid(pool))
        return verify_fail(error, "strings: not UTF-8");
    return verify_meta(program, error) && verify_slots(program, error) &&
           verify_consts(program, error) && verify_sets(program, error) &&
           verify_nets(program, error) && verify_zones(program, error) &&
           verify_dfas(program, error) && verify_matchers(program, error) &&
           verify_shapes(program, error) && verify_rules(program, error) &&
           verify_lists(program, error) && verify_indexes(program, error) &&
           verify_servers(program, error) && verify_names(program, error) &&
           verify_code(program, error) && verify_cost(program, error);
}
