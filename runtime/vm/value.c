/* SPDX-License-Identifier: Apache-2.0 */
/* value.c - what an atom computes with. Every operation is total: whatever types come, the answer
 * is a value or unknown with a cause. Nothing is converted silently: a string is never a number,
 * null is never a default. Texts that an atom makes lie in the VM's scratch until the next atom. */
#include "runtime/bundle/decimal.h"
#include "runtime/vm/vm_internal.h"

#include <stdio.h>

enum vm_unknown cause_of(const struct value *value)
{
    if (value->type == VALUE_UNKNOWN)
        return (enum vm_unknown)value->cause;
    return value->type == VALUE_MISSING ? UNKNOWN_MISSING : UNKNOWN_TYPE;
}

void node_value(const struct json_doc *doc, uint32_t index, struct value *out)
{
    const struct json_node *node = json_at(doc, index);
    *out = (struct value){ .node = index, .text = json_text(node), .doc = doc };
    switch ((enum json_type)node->type) {
    case JSON_NULL: out->type = VALUE_NULL; break;
    case JSON_FALSE: out->type = VALUE_BOOL; break;
    case JSON_TRUE:
        out->type = VALUE_BOOL;
        out->truth = true;
        break;
    case JSON_NUMBER:
        out->type = VALUE_NUMBER;
        out->is_unsafe = (node->flags & JSON_UNSAFE_NUMBER) != 0;
        out->is_integer = (node->flags & JSON_INTEGER) != 0;
        break;
    case JSON_STRING: out->type = VALUE_STRING; break;
    case JSON_ARRAY: out->type = VALUE_LIST; break;
    case JSON_OBJECT: out->type = VALUE_OBJECT; break;
    }
}

/* -------------------------------- fields -------------------------------- */

/* Follows the slot's keys from an object. What is not there is missing; a step into something that
 * is no object is of another type. */
static void follow(const struct program *p, const struct b_slot *slot, const struct json_doc *doc,
                   uint32_t at, struct value *out)
{
    *out = (struct value){ .type = VALUE_MISSING };
    if (!doc)
        return;
    for (uint32_t i = 0; i < slot->count; i++) {
        const struct json_node *node = json_at(doc, at);
        if (node->type == JSON_NULL)
            return;
        if (node->type != JSON_OBJECT) {
            *out = unknown_value(UNKNOWN_TYPE);
            return;
        }
        at = json_member(doc, at, program_text(p, p->steps[slot->first + i]));
        if (at == JSON_NONE)
            return;
    }
    node_value(doc, at, out);
}

static struct value text_value(Str text)
{
    struct value value = { .type = VALUE_MISSING, .text = text };
    if (text.p)
        value.type = VALUE_STRING;
    return value;
}

static struct value made_number(char *at, int n)
{
    bool is_integer = memchr(at, '.', (size_t)n) == NULL;
    return (struct value){ .type = VALUE_NUMBER,
                           .is_integer = is_integer,
                           .text = { .p = at, .n = (size_t)n } };
}

static struct value now_value(struct vm *vm)
{
    char *at = arena_alloc_raw(&vm->arena, 1, 1, NUMBER_TEXT_BYTES);
    if (!at)
        return unknown_value(UNKNOWN_TOO_LONG);
    return made_number(at, snprintf(at, NUMBER_TEXT_BYTES, "%lld", (long long)vm->call->now));
}

static void read_field(struct vm *vm, const struct b_slot *slot, struct value *out)
{
    const struct vm_call *call = vm->call;
    const struct principal *who = call->principal;
    switch ((enum b_slot_root)slot->root) {
    case B_SLOT_ARGS: follow(vm->program, slot, call->doc, call->arguments, out); return;
    case B_SLOT_PRINCIPAL_ID: *out = text_value(who->id); return;
    case B_SLOT_PRINCIPAL_GROUPS: *out = (struct value){ .type = VALUE_GROUPS }; return;
    case B_SLOT_PRINCIPAL_ATTRIBUTES: follow(vm->program, slot, who->attributes, 0, out); return;
    case B_SLOT_GRANT_LABEL: *out = text_value(call->label); return;
    case B_SLOT_CLIENT_NAME: *out = text_value(call->client_name); return;
    case B_SLOT_CLIENT_VERSION: *out = text_value(call->client_version); return;
    case B_SLOT_CLIENT_ADDRESS: *out = text_value(call->client_address); return;
    case B_SLOT_CALL_NAME: *out = text_value(call->name); return;
    case B_SLOT_CALL_SERVER: *out = text_value(call->server); return;
    case B_SLOT_CALL_METHOD: *out = text_value(call->method); return;
    case B_SLOT_NOW: *out = now_value(vm); return;
    case B_SLOT_ROOT_COUNT: break;
    }
    *out = unknown_value(UNKNOWN_TYPE);
}

const struct value *field_value(struct vm *vm, uint32_t slot)
{
    struct value *value = &vm->fields[slot];
    if (vm->has_field[slot])
        return value;
    read_field(vm, &vm->program->slots[slot], value);
    vm->has_field[slot] = 1;
    vm->touched_slots[vm->touched_slot_count++] = slot;
    return value;
}

void const_value(const struct program *p, uint32_t index, struct value *out)
{
    const struct b_const *constant = &p->consts[index];
    *out = (struct value){ .type = VALUE_NULL, .text = program_text(p, constant->text) };
    switch ((enum b_const_type)constant->type) {
    case B_CONST_BOOL:
        out->type = VALUE_BOOL;
        out->truth = constant->truth != 0;
        break;
    case B_CONST_NUMBER: out->type = VALUE_NUMBER; break;
    case B_CONST_STRING: out->type = VALUE_STRING; break;
    case B_CONST_NULL:
    case B_CONST_TYPE_COUNT: break;
    }
}

/* -------------------------------- texts --------------------------------- */

/* The text that a value has inside a string; false, with *out unknown, when it has none. */
static bool joinable(const struct value *value, Str *text, struct value *out)
{
    *text = value->text;
    if (value->type == VALUE_STRING)
        return true;
    if (value->type == VALUE_NUMBER && value->is_unsafe) {
        *out = unknown_value(UNKNOWN_NUMBER);
        return false;
    }
    if (value->type == VALUE_NUMBER && value->is_integer) {
        if (str_eq(*text, STR("-0")))
            *text = STR("0");
        return true;
    }
    *out = unknown_value(cause_of(value));
    return false;
}

/* Room in the scratch for n bytes; NULL when it is used up. */
static char *scratch_take(struct vm *vm, size_t n)
{
    if (n > BUNDLE_CONCAT_MAX - vm->scratch_used)
        return NULL;
    char *at = vm->scratch + vm->scratch_used;
    vm->scratch_used += n;
    return at;
}

struct value value_concat(struct vm *vm, const struct value *first, const struct value *second)
{
    Str a, b;
    struct value out;
    if (!joinable(first, &a, &out) || !joinable(second, &b, &out))
        return out;
    /* What was joined last grows where it is, so that joining many pieces copies each once. */
    bool grows = a.n && a.n <= vm->scratch_used && a.p == vm->scratch + vm->scratch_used - a.n;
    size_t start = vm->scratch_used - (grows ? a.n : 0), left = BUNDLE_CONCAT_MAX - start;
    if (a.n > left || b.n > left - a.n)
        return unknown_value(UNKNOWN_TOO_LONG);
    char *at = vm->scratch + start;
    if (a.n && !grows)
        memcpy(at, a.p, a.n);
    if (b.n)
        memcpy(at + a.n, b.p, b.n);
    vm->scratch_used = start + a.n + b.n;
    return (struct value){ .type = VALUE_STRING, .text = { .p = at, .n = a.n + b.n } };
}

struct value value_lower(struct vm *vm, const struct value *of)
{
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    char *at = scratch_take(vm, of->text.n);
    if (!at)
        return unknown_value(UNKNOWN_TOO_LONG);
    for (size_t i = 0; i < of->text.n; i++)
        at[i] = char_lower(of->text.p[i]);
    return (struct value){ .type = VALUE_STRING, .text = { .p = at, .n = of->text.n } };
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct value value_trim(const struct value *of)
{
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    Str text = of->text;
    while (text.n && is_blank(text.p[text.n - 1]))
        text.n--;
    while (text.n && is_blank(text.p[0])) {
        text.p++;
        text.n--;
    }
    return (struct value){ .type = VALUE_STRING, .text = text };
}

/* ------------------------------- numbers -------------------------------- */

char *number_room(struct vm *vm)
{
    return scratch_take(vm, NUMBER_TEXT_BYTES);
}

void number_keep(struct value *number, char *room)
{
    if (number->type != VALUE_NUMBER)
        return;
    ENSURE(number->text.n <= NUMBER_TEXT_BYTES);
    memmove(room, number->text.p, number->text.n);
    number->text.p = room;
}

static struct value number_value(struct vm *vm, Decimal number)
{
    char *at = number_room(vm);
    if (!at)
        return unknown_value(UNKNOWN_TOO_LONG);
    return made_number(at, (int)decimal_write(number, at, NUMBER_TEXT_BYTES));
}

struct value value_count(struct vm *vm, uint64_t count)
{
    return number_value(vm, (Decimal){ .mantissa = (int64_t)count });
}

struct value value_micros(struct vm *vm, int64_t micros)
{
    Decimal seconds;
    Decimal micro = { .mantissa = 1, .scale = 6 }, count = { .mantissa = micros };
    return decimal_mul(count, micro, &seconds) ? number_value(vm, seconds)
                                               : unknown_value(UNKNOWN_OVERFLOW);
}

struct value value_length(struct vm *vm, const struct value *of)
{
    size_t count;
    if (of->type == VALUE_STRING)
        count = utf8_length(of->text);
    else if (of->type == VALUE_LIST || of->type == VALUE_OBJECT)
        count = json_at(of->doc, of->node)->count;
    else if (of->type == VALUE_GROUPS)
        count = vm->call->principal->group_count;
    else
        return unknown_value(cause_of(of));
    return value_count(vm, count);
}

static bool decimal_value(const struct value *value, Decimal *out, enum vm_unknown *why)
{
    struct number number;
    *why = value->type == VALUE_NUMBER ? UNKNOWN_NUMBER : cause_of(value);
    return value->type == VALUE_NUMBER && !value->is_unsafe && number_parse(value->text, &number) &&
           decimal_of(&number, out);
}

struct value value_arithmetic(struct vm *vm, enum op op, const struct value *a,
                              const struct value *b)
{
    Decimal x, y, result;
    enum vm_unknown why;
    if (!decimal_value(a, &x, &why) || !decimal_value(b, &y, &why))
        return unknown_value(why);
    Decimal minus = { .mantissa = -y.mantissa, .scale = y.scale };
    bool is_exact = op == OP_MUL   ? decimal_mul(x, y, &result)
                    : op == OP_ADD ? decimal_add(x, y, &result)
                                   : decimal_add(x, minus, &result);
    if (!is_exact)
        return unknown_value(UNKNOWN_OVERFLOW);
    if (op == OP_MIN || op == OP_MAX)
        result = (result.mantissa < 0) == (op == OP_MIN) ? x : y;
    return number_value(vm, result);
}

/* The strict reader says what a number is, and whether a double would hold it. */
struct value value_number(struct vm *vm, const struct value *of)
{
    struct json_doc doc;
    struct value out;
    if (of->type != VALUE_STRING)
        return unknown_value(cause_of(of));
    if (json_parse(of->text, &json_limits_default, &vm->arena, &doc, NULL) != JSON_ERR_NONE ||
        doc.nodes[0].type != JSON_NUMBER || doc.nodes[0].raw_n != of->text.n)
        return unknown_value(UNKNOWN_NO_NUMBER);
    node_value(&doc, 0, &out);
    out.doc = NULL; /* it stands in no document that outlives this */
    return out;
}

struct value value_empty(void)
{
    static const struct json_node list = {
        .text = "[]", .text_n = 2, .next = 1, .type = JSON_ARRAY
    };
    static const struct json_doc doc = { .text = STR_INIT("[]"), .nodes = &list, .count = 1 };
    struct value out;
    node_value(&doc, 0, &out);
    return out;
}

/* ----------------------- members and elements --------------------------- */

struct value value_member(const struct value *of, Str key)
{
    struct value out = { .type = VALUE_MISSING };
    if (is_absent(of))
        return out;
    if (of->type != VALUE_OBJECT)
        return unknown_value(cause_of(of));
    uint32_t at = json_member(of->doc, of->node, key);
    if (at != JSON_NONE)
        node_value(of->doc, at, &out);
    return out;
}

struct list_walk list_begin(const struct vm *vm, const struct value *list)
{
    return (struct list_walk){ .vm = vm,
                               .list = list,
                               .node = list->type == VALUE_LIST ? json_first(list->doc, list->node)
                                                                : JSON_NONE };
}

bool list_next(struct list_walk *walk, struct value *element)
{
    const struct principal *who = walk->vm->call->principal;
    if (walk->list->type == VALUE_GROUPS) {
        if (walk->group == who->group_count)
            return false;
        *element = text_value(who->groups[walk->group++]);
        return true;
    }
    if (walk->node == JSON_NONE)
        return false;
    node_value(walk->list->doc, walk->node, element);
    walk->node = json_after(walk->list->doc, walk->list->node, walk->node);
    return true;
}

struct value value_element(struct vm *vm, const struct value *of, uint32_t index)
{
    struct value element = { .type = VALUE_MISSING };
    if (is_absent(of))
        return element;
    if (!is_list(of))
        return unknown_value(cause_of(of));
    struct list_walk walk = list_begin(vm, of);
    for (uint32_t i = 0; i <= index; i++) {
        if (!list_next(&walk, &element))
            return (struct value){ .type = VALUE_MISSING };
    }
    return element;
}
