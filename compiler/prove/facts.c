/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c - a call out of single values: as the VM takes it, and as `mcpc eval` reads it. Both are
 * made of the same texts, and arguments go through the same strict reader as on the wire. */
#include "compiler/prove/space.h"
#include "runtime/base/utc.h"

enum { CALL_TEXT_MAX = 8 << 20 };

/* Noon of a Monday: the moment of a call whose clock nobody looks at. */
#define QUIET_MOMENT INT64_C(1767614400)

static void write_object(const struct fact *facts, uint32_t count, enum field_kind kind,
                         struct buf *out)
{
    bool is_first = true;
    buf_add_char(out, '{');
    for (uint32_t i = 0; i < count; i++) {
        if (facts[i].field->kind != kind || !facts[i].value.p)
            continue;
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        json_write_string(out, facts[i].field->key);
        buf_add_char(out, ':');
        buf_add(out, facts[i].value);
    }
    buf_add_char(out, '}');
}

static bool read_object(const struct fact *facts, uint32_t count, enum field_kind kind,
                        struct arena *mem, struct json_doc *doc)
{
    struct buf text;
    buf_init(&text, CALL_TEXT_MAX);
    write_object(facts, count, kind, &text);
    Str copy = arena_copy(mem, buf_str(&text));
    bool is_full = text.is_full;
    buf_free(&text);
    return !is_full && copy.p &&
           json_parse(copy, &json_limits_default, mem, doc, NULL) == JSON_ERR_NONE;
}

/* The names in the JSON list that FIELD_GROUPS is, and each FIELD_GROUP. */
static bool read_groups(const struct fact *facts, uint32_t count, struct arena *mem,
                        struct principal *who)
{
    struct json_doc list;
    uint32_t room = count;
    bool has_list = false;
    for (uint32_t i = 0; i < count; i++) {
        if (facts[i].field->kind != FIELD_GROUPS || !facts[i].value.p)
            continue;
        if (json_parse(facts[i].value, &json_limits_default, mem, &list, NULL) != JSON_ERR_NONE)
            return false;
        has_list = true;
        room += json_at(&list, 0)->count;
    }
    Str *groups = ARENA_NEW(mem, Str, room);
    if (!groups)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (facts[i].field->kind == FIELD_GROUP && facts[i].value.p)
            groups[who->group_count++] = facts[i].value;
    for (uint32_t i = has_list ? json_first(&list, 0) : JSON_NONE; i != JSON_NONE;
         i = json_after(&list, 0, i))
        groups[who->group_count++] = json_text(json_at(&list, i));
    who->groups = groups;
    return true;
}

static void take_text(const struct fact *fact, struct staged_call *call)
{
    switch (fact->field->root) {
    case B_SLOT_PRINCIPAL_ID: call->principal.id = fact->value; break;
    case B_SLOT_GRANT_LABEL: call->vm.label = fact->value; break;
    case B_SLOT_CLIENT_NAME: call->vm.client_name = fact->value; break;
    case B_SLOT_CLIENT_VERSION: call->vm.client_version = fact->value; break;
    case B_SLOT_CLIENT_ADDRESS: call->vm.client_address = fact->value; break;
    default: break;
    }
}

bool facts_stage(const struct space *space, const struct fact *facts, uint32_t count,
                 struct arena *mem, struct staged_call *out)
{
    bool has_attributes = false;
    *out = (struct staged_call){ .principal = { .id = STR("anonymous") } };
    out->vm = (struct vm_call){ .server = space->server,
                                .kind = space->kind,
                                .name = space->name,
                                .doc = &out->arguments,
                                .principal = &out->principal,
                                .method = kind_first_method(space->kind),
                                .now = QUIET_MOMENT };
    for (uint32_t i = 0; i < count; i++) {
        uint64_t now;
        if (!facts[i].value.p)
            continue;
        has_attributes |= facts[i].field->kind == FIELD_ATTRIBUTE;
        if (facts[i].field->kind == FIELD_TEXT)
            take_text(&facts[i], out);
        if (facts[i].field->kind == FIELD_NOW && str_to_u64(facts[i].value, INT64_MAX, &now))
            out->vm.now = (int64_t)now;
    }
    if (has_attributes) {
        out->principal.attributes = &out->attributes;
        if (!read_object(facts, count, FIELD_ATTRIBUTE, mem, &out->attributes))
            return false;
    }
    return read_object(facts, count, FIELD_ARGUMENT, mem, &out->arguments) &&
           read_groups(facts, count, mem, &out->principal);
}

bool facts_judge(struct space *space, const struct fact *facts, uint32_t count,
                 const struct atom_row *atoms, uint8_t *out)
{
    struct staged_call call;
    struct model *m = space->model;
    if (space->scratch.blocks)
        arena_rewind(&space->scratch);
    if (!facts_stage(space, facts, count, &space->scratch, &call))
        return false;
    for (uint32_t side = 0; side < SIDES; side++) {
        vm_judge_begin(m->vms[side], &call.vm);
        for (uint32_t i = 0; i < atoms->count; i++) {
            const struct model_atom *atom = &m->atoms[space->atoms[atoms->items[i]]->atom];
            if (atom->side != side)
                continue;
            enum b_truth truth = vm_judge_atom(m->vms[side], atom->index);
            out[i] = (uint8_t)truth;
        }
        vm_judge_end(m->vms[side]);
    }
    return true;
}

struct atom_row field_atoms(struct space *space, const struct field *field)
{
    struct atom_row row = { .items = ARENA_NEW(space->mem, uint32_t, space->atom_count) };
    space->is_full |= !row.items;
    for (uint32_t i = 0; i < space->atom_count && row.items; i++) {
        const struct space_atom *atom = space->atoms[i];
        bool reads = false;
        for (uint32_t k = 0; k < atom->field_count; k++)
            reads |= atom->fields[k] == field;
        if (reads)
            row.items[row.count++] = i;
    }
    return row;
}

/* ------------------------------- as text -------------------------------- */

static void write_member(struct buf *out, const char *before, const char *key, Str text)
{
    buf_printf(out, "%s\"%s\":", before, key);
    json_write_string(out, text);
}

static const struct fact *find_root(const struct fact *facts, uint32_t count, uint32_t root)
{
    for (uint32_t i = 0; i < count; i++)
        if (facts[i].field->root == root && facts[i].value.p)
            return &facts[i];
    return NULL;
}

static void write_groups(const struct fact *facts, uint32_t count, const char *before,
                         struct buf *out)
{
    const struct fact *whole = find_root(facts, count, B_SLOT_PRINCIPAL_GROUPS);
    bool is_first = true;
    buf_printf(out, "%s\"groups\":", before);
    if (whole) {
        buf_add(out, whole->value);
        return;
    }
    buf_add_char(out, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (facts[i].field->kind != FIELD_GROUP || !facts[i].value.p)
            continue;
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        json_write_string(out, facts[i].value);
    }
    buf_add_char(out, ']');
}

static void write_principal(const struct fact *facts, uint32_t count, struct buf *out)
{
    const struct fact *id = find_root(facts, count, B_SLOT_PRINCIPAL_ID);
    bool has_groups =
        find_root(facts, count, B_SLOT_PRINCIPAL_GROUPS) || find_root(facts, count, GROUP_ROOT);
    bool has_attributes = find_root(facts, count, B_SLOT_PRINCIPAL_ATTRIBUTES);
    if (!id && !has_groups && !has_attributes)
        return;
    buf_printf(out, ",\"principal\":{");
    if (id)
        write_member(out, "", "id", id->value);
    if (has_groups)
        write_groups(facts, count, id ? "," : "", out);
    if (has_attributes) {
        buf_printf(out, "%s\"attributes\":", id || has_groups ? "," : "");
        write_object(facts, count, FIELD_ATTRIBUTE, out);
    }
    buf_add_char(out, '}');
}

static void write_client(const struct fact *facts, uint32_t count, struct buf *out)
{
    static const struct {
        uint32_t root;
        const char *key;
    } members[] = { { B_SLOT_CLIENT_NAME, "name" },
                    { B_SLOT_CLIENT_VERSION, "version" },
                    { B_SLOT_CLIENT_ADDRESS, "address" } };
    bool is_first = true;
    for (uint32_t i = 0; i < COUNT(members); i++) {
        const struct fact *fact = find_root(facts, count, members[i].root);
        if (!fact)
            continue;
        write_member(out, is_first ? ",\"client\":{" : ",", members[i].key, fact->value);
        is_first = false;
    }
    if (!is_first)
        buf_add_char(out, '}');
}

void facts_write(const struct space *space, const struct fact *facts, uint32_t count,
                 struct buf *out)
{
    const struct fact *label = find_root(facts, count, B_SLOT_GRANT_LABEL);
    const struct fact *now = find_root(facts, count, B_SLOT_NOW);
    uint64_t at;
    if (space->kind == KIND_TOOL) {
        write_member(out, "{", "tool", space->name);
    } else {
        write_member(out, "{", "kind", kind_table[space->kind].word);
        if (kind_table[space->kind].names != NAMES_NONE)
            write_member(out, ",", "name", space->name);
    }
    if (space->server.n)
        write_member(out, ",", "server", space->server);
    if (find_root(facts, count, B_SLOT_ARGS)) {
        buf_printf(out, ",\"arguments\":");
        write_object(facts, count, FIELD_ARGUMENT, out);
    }
    write_principal(facts, count, out);
    if (label) {
        write_member(out, ",\"grant\":{", "label", label->value);
        buf_add_char(out, '}');
    }
    write_client(facts, count, out);
    if (now && str_to_u64(now->value, INT64_MAX / 1000, &at))
        buf_printf(out, ",\"at\":\"%s\"", utc_seconds((int64_t)at * 1000).text);
    buf_add_char(out, '}');
}
