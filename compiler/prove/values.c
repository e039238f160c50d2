/* SPDX-License-Identifier: Apache-2.0 */
/* values.c - values that show every way in which a field's tests can turn out.
 *
 * Of each JSON type: numbers at and between their bounds, the shortest string of each class, both
 * truths, null, nothing, objects made of the values of their members. Lists are made by adding one
 * element after the other: `any`, `all`, membership and subset answer for a longer list by their
 * answer for the shorter one and the new element alone, so lists with the same answers so far need
 * to be continued only once. Bounds on a list's length are met by repeating its last element, which
 * changes none of these answers.
 */
#include "compiler/prove/space.h"

#include <arpa/inet.h>
#include <stdlib.h>

enum {
    ELEMENTS_MAX = 256,      /* of one list's values for its elements */
    LIST_STATES_MAX = 1024,  /* lists with different answers */
    LIST_TRIALS_MAX = 40000, /* lists judged to find them */
    OBJECT_KEYS_MAX = 16,    /* of an object that is tried for its length */
    SAFE_DIGITS = 15,        /* of a number that every double can hold */
    ADDRESS_BYTES = 16,
};

/* ------------------------------- plumbing ------------------------------- */

static void put(struct space *space, struct vec *values, Str value)
{
    if (!value.p && value.n == 0) /* memory ended */
        space->is_full = true;
    else
        *VEC_ADD(space, values, Str) = value;
}

static Str quoted(struct space *space, Str text)
{
    struct buf json;
    buf_init(&json, BUNDLE_BYTES_MAX);
    json_write_string(&json, text);
    Str copy = arena_copy(space->mem, buf_str(&json));
    buf_free(&json);
    return copy;
}

static int number_order(const void *a, const void *b)
{
    const Decimal *x = a, *y = b;
    return decimal_cmp(*x, *y);
}

static int u32_order(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}

/* Sorts the bounds of lengths and drops repeats. */
static void settle_lengths(struct vec *lengths)
{
    uint32_t n = 0, *items = lengths->items;
    if (!lengths->count)
        return;
    qsort(items, lengths->count, sizeof *items, u32_order);
    for (uint32_t i = 0; i < lengths->count; i++)
        if (n == 0 || items[n - 1] != items[i])
            items[n++] = items[i];
    lengths->count = n;
}

/* -------------------------------- numbers ------------------------------- */

static void put_number(struct space *space, struct node *node, Decimal number, struct vec *values)
{
    char text[DECIMAL_TEXT_BYTES + 8];
    size_t n = decimal_write(number, text, sizeof text);
    if (n > SAFE_DIGITS)
        node->is_partial = true; /* it may not be comparable at all */
    put(space, values, arena_copy(space->mem, (Str){ .p = text, .n = n }));
}

/* A number between two: the next whole one when there is room, else the middle. */
static bool between(Decimal low, Decimal high, Decimal *out)
{
    const Decimal one = { .mantissa = 1 }, half = { .mantissa = 5, .scale = 1 };
    Decimal sum;
    if (decimal_add(low, one, out) && number_order(out, &high) < 0)
        return true;
    return decimal_add(low, high, &sum) && decimal_mul(sum, half, out);
}

static void put_numbers(struct space *space, struct node *node, struct vec *values)
{
    const Decimal one = { .mantissa = 1 }, minus_one = { .mantissa = -1 };
    uint32_t count = node->numbers.count;
    Decimal *bounds = node->numbers.items, made = { .mantissa = 0 };
    if (!count) {
        put(space, values, STR("0"));
        return;
    }
    qsort(bounds, count, sizeof *bounds, number_order);
    for (uint32_t i = 0; i < count; i++) {
        bool is_new = i == 0 || number_order(&bounds[i - 1], &bounds[i]) != 0;
        if (is_new)
            put_number(space, node, bounds[i], values);
        bool has_gap = i == 0 ? decimal_add(bounds[0], minus_one, &made)
                              : !is_new || between(bounds[i - 1], bounds[i], &made);
        if (has_gap && is_new)
            put_number(space, node, made, values);
        node->is_partial |= !has_gap;
    }
    if (decimal_add(bounds[count - 1], one, &made))
        put_number(space, node, made, values);
    else
        node->is_partial = true;
    put(space, values, STR("9007199254740993")); /* what a double can't hold */
}

/* -------------------------------- strings ------------------------------- */

static void put_address(struct space *space, const unsigned char address[ADDRESS_BYTES],
                        struct vec *texts)
{
    static const unsigned char mapped[12] = { [10] = 0xFF, [11] = 0xFF };
    char text[INET6_ADDRSTRLEN];
    bool is_v4 = memcmp(address, mapped, sizeof mapped) == 0;
    const void *from = is_v4 ? address + sizeof mapped : address;
    if (inet_ntop(is_v4 ? AF_INET : AF_INET6, from, text, sizeof text))
        put(space, texts, arena_copy(space->mem, str_of(text)));
}

/* The address one up; false at the end of all. */
static bool address_next(unsigned char address[ADDRESS_BYTES])
{
    for (int i = ADDRESS_BYTES - 1; i >= 0; i--)
        if (++address[i] != 0)
            return true;
    return false;
}

/* What addresses a set of ranges tells apart changes only where a range begins or has ended. */
static void put_addresses(struct space *space, struct node *node, struct vec *texts)
{
    unsigned char zero[ADDRESS_BYTES] = { 0 };
    put_address(space, zero, texts);
    for (uint32_t i = 0; i < node->nets.count; i++) {
        struct b_net net = VEC_AT(&node->nets, struct b_net, i);
        put_address(space, net.address, texts);
        for (uint32_t bit = net.bits; bit < 8 * ADDRESS_BYTES; bit++)
            net.address[bit / 8] |= (unsigned char)(0x80 >> bit % 8);
        put_address(space, net.address, texts);
        if (address_next(net.address))
            put_address(space, net.address, texts);
    }
    put(space, texts, STR("no address"));
    node->is_partial |=
        node->tests.count || node->lowered.count || node->lengths.count || node->literals.count;
}

static void add_test(struct space *space, struct vec *tests, struct text_test test)
{
    *VEC_ADD(space, tests, struct text_test) = test;
}

static bool same_test(const struct text_test *a, const struct text_test *b)
{
    if (a->kind != b->kind || a->lowers != b->lowers)
        return false;
    if (a->kind == TEXT_DFA || a->kind == TEXT_WORDS)
        return a->program == b->program && a->dfa == b->dfa;
    return str_eq(a->texts[0], b->texts[0]);
}

static void gather_tests(struct space *space, struct node *node, struct vec *tests)
{
    const struct vec *literals[2] = { &node->literals, &node->lowered };
    for (uint32_t i = 0; i < 2; i++) {
        if (!literals[i]->count)
            continue;
        add_test(space, tests,
                 (struct text_test){ .kind = TEXT_LITERALS,
                                     .lowers = i == 1,
                                     .texts = literals[i]->items,
                                     .count = literals[i]->count });
    }
    for (uint32_t i = 0; i < node->tests.count; i++) {
        const struct text_test *test = &VEC_AT(&node->tests, struct text_test, i);
        bool is_new = true;
        for (uint32_t k = 0; k < i && is_new; k++)
            is_new = !same_test(&VEC_AT(&node->tests, struct text_test, k), test);
        if (is_new)
            add_test(space, tests, *test);
    }
    settle_lengths(&node->lengths);
    if (node->lengths.count)
        add_test(space, tests,
                 (struct text_test){ .kind = TEXT_LENGTH,
                                     .bounds = node->lengths.items,
                                     .count = node->lengths.count });
}

/* The strings of a node, without quotes. */
static void node_texts(struct space *space, struct node *node, struct vec *texts)
{
    struct vec tests = { .count = 0 };
    struct text_classes classes;
    gather_tests(space, node, &tests);
    if (space->is_full || text_classes(tests.items, tests.count, space->mem, &classes) != ST_OK) {
        space->is_full = true;
        return;
    }
    node->is_partial |= !classes.is_complete;
    for (uint32_t i = 0; i < classes.count; i++)
        put(space, texts, classes.items[i].text);
    for (uint32_t i = 0; i < node->literals.count && !classes.is_complete; i++)
        put(space, texts, VEC_AT(&node->literals, Str, i));
    if (node->has_nets)
        put_addresses(space, node, texts);
}

/* ------------------------------- embedding ------------------------------ */

/* The value of the whole field in which the node has that value and nothing else is. */
static Str embed(struct space *space, const struct node *node, Str json)
{
    for (; node->parent; node = node->parent) {
        if (node->is_each)
            json = arena_printf(space->mem, "[%.*s]", STR_ARG(json));
        else
            json = arena_printf(space->mem, "{%.*s:%.*s}", STR_ARG(quoted(space, node->key)),
                                STR_ARG(json));
        space->is_full |= !json.p;
    }
    return json;
}

static bool answers(struct space *space, const struct node *node, const struct atom_row *atoms,
                    Str json, uint8_t *out)
{
    struct fact fact = { .field = node->field, .value = embed(space, node, json) };
    return facts_judge(space, &fact, 1, atoms, out);
}

/* --------------------------------- lists -------------------------------- */

/* A list that is tried: its elements with commas between. */
struct made_list {
    Str inner, last;
    uint32_t count;
};

struct lister {
    struct space *space;
    struct node *node;
    struct atom_row atoms;
    struct intern seen;
    uint8_t *row;
    struct made_list lists[LIST_STATES_MAX];
    uint32_t count, trials;
    Str elements[ELEMENTS_MAX];
    uint32_t element_count;
};

static Str bracketed(struct space *space, const struct made_list *list)
{
    return arena_printf(space->mem, "[%.*s]", STR_ARG(list->inner));
}

/* True when no list with these answers was seen; salt keeps kinds of lists apart. */
static bool is_new_list(struct lister *l, const struct made_list *list, uint8_t salt)
{
    if (l->trials++ >= LIST_TRIALS_MAX) {
        l->node->is_partial = true;
        return false;
    }
    if (!answers(l->space, l->node, &l->atoms, bracketed(l->space, list), l->row))
        return false;
    l->row[l->atoms.count] = salt;
    Str key = { .p = (const char *)l->row, .n = l->atoms.count + 1 };
    if (intern_get(&l->seen, key))
        return false;
    l->space->is_full |= !intern_put(&l->seen, key, l->count);
    return true;
}

static void keep_list(struct lister *l, struct made_list list)
{
    if (l->count == LIST_STATES_MAX)
        l->node->is_partial = true;
    else
        l->lists[l->count++] = list;
}

static struct made_list longer(struct lister *l, const struct made_list *list, Str element,
                               uint32_t times)
{
    struct buf inner;
    struct made_list made = { .last = element, .count = list->count + times };
    buf_init(&inner, BUNDLE_BYTES_MAX);
    buf_add(&inner, list->inner);
    for (uint32_t i = 0; i < times; i++) {
        if (inner.n)
            buf_add_char(&inner, ',');
        buf_add(&inner, element);
    }
    made.inner = arena_copy(l->space->mem, buf_str(&inner));
    l->space->is_full |= !made.inner.p;
    buf_free(&inner);
    return made;
}

/* One list of each element that answers otherwise than those before. */
static void choose_elements(struct lister *l, const struct vec *values)
{
    struct made_list empty = { .inner = STR("") };
    keep_list(l, empty);
    (void)is_new_list(l, &empty, 1);
    for (uint32_t i = 0; i < values->count && !l->space->is_full; i++) {
        Str element = VEC_AT(values, Str, i);
        struct made_list one = { .inner = element, .last = element, .count = 1 };
        if (!is_new_list(l, &one, 0))
            continue;
        if (l->element_count == ELEMENTS_MAX) {
            l->node->is_partial = true;
            break;
        }
        l->elements[l->element_count++] = element;
        keep_list(l, one);
    }
}

static void close_lists(struct lister *l)
{
    for (uint32_t at = 1; at < l->count && !l->space->is_full; at++) {
        for (uint32_t i = 0; i < l->element_count; i++) {
            struct made_list more = longer(l, &l->lists[at], l->elements[i], 1);
            if (is_new_list(l, &more, 0))
                keep_list(l, more);
        }
    }
}

/* Lists as they are, and lengthened to each bound and past what loops go over. */
static void put_lists(struct lister *l, struct vec *values)
{
    struct space *space = l->space;
    const struct vec *bounds = &l->node->lengths;
    for (uint32_t at = 0; at < l->count && !space->is_full; at++) {
        const struct made_list *list = &l->lists[at];
        put(space, values, bracketed(space, list));
        for (uint32_t i = 0; i < bounds->count * 3 && list->count; i++) {
            uint32_t target = VEC_AT(bounds, uint32_t, i / 3) + i % 3 - 1;
            bool is_odd = target == UINT32_MAX || target <= list->count;
            if (!is_odd && target > LIST_LENGTH_MAX)
                l->node->is_partial = true;
            if (is_odd || target > LIST_LENGTH_MAX)
                continue;
            struct made_list made = longer(l, list, list->last, target - list->count);
            put(space, values, bracketed(space, &made));
        }
        if (list->count == 1) {
            struct made_list endless = longer(l, list, list->last, BUNDLE_ITERATIONS_MAX);
            put(space, values, bracketed(space, &endless));
        }
    }
}

static void node_values(struct space *space, struct node *node, struct vec *values, uint32_t depth);

static void add_lists(struct space *space, struct node *node, struct vec *values, uint32_t depth)
{
    struct vec elements = { .count = 0 };
    struct node *each = node->children;
    while (each && !each->is_each)
        each = each->next;
    struct lister *l = ARENA_NEW(space->mem, struct lister, 1);
    space->is_full |= !l;
    if (!l || !each)
        return;
    if (node->field->kind == FIELD_GROUPS) {
        struct vec texts = { .count = 0 };
        node_texts(space, each, &texts);
        for (uint32_t i = 0; i < texts.count; i++)
            put(space, &elements, quoted(space, VEC_AT(&texts, Str, i)));
        for (uint32_t i = 0; i < each->samples.count; i++)
            put(space, &elements, VEC_AT(&each->samples, Str, i));
    } else {
        node_values(space, each, &elements, depth + 1);
    }
    node->is_partial |= each->is_partial;
    *l = (struct lister){ .space = space, .node = node, .atoms = field_atoms(space, node->field) };
    intern_init(&l->seen, space->mem);
    l->row = ARENA_NEW(space->mem, uint8_t, l->atoms.count + 1);
    space->is_full |= !l->row;
    if (space->is_full)
        return;
    settle_lengths(&node->lengths);
    choose_elements(l, &elements);
    close_lists(l);
    put_lists(l, values);
}

/* -------------------------------- objects ------------------------------- */

/* `{` and the members so far, times each value of one more member. */
static void multiply(struct space *space, struct node *member, struct vec *objects, uint32_t depth)
{
    struct vec values = { .count = 0 }, made = { .count = 0 };
    *VEC_ADD(space, &values, Str) = (Str){ .p = NULL, .n = 0 };
    node_values(space, member, &values, depth);
    Str key = quoted(space, member->key);
    for (uint32_t v = 0; v < values.count && !space->is_full; v++) {
        Str value = VEC_AT(&values, Str, v);
        for (uint32_t i = 0; i < objects->count && made.count < FIELD_VALUES_MAX; i++) {
            Str object = VEC_AT(objects, Str, i);
            if (value.p)
                object = arena_printf(space->mem, "%.*s%s%.*s:%.*s", STR_ARG(object),
                                      object.n > 1 ? "," : "", STR_ARG(key), STR_ARG(value));
            put(space, &made, object);
        }
    }
    member->parent->is_partial |=
        member->is_partial || (uint64_t)values.count * objects->count > FIELD_VALUES_MAX;
    *objects = made;
}

static void add_objects(struct space *space, struct node *node, struct vec *values, uint32_t depth)
{
    struct vec objects = { .count = 0 };
    put(space, &objects, STR("{"));
    for (struct node *at = node->children; at && !space->is_full; at = at->next)
        if (!at->is_each)
            multiply(space, at, &objects, depth + 1);
    for (uint32_t i = 0; i < objects.count; i++)
        put(space, values, arena_printf(space->mem, "%.*s}", STR_ARG(VEC_AT(&objects, Str, i))));
}

/* Objects whose members nobody asks for, for bounds on their number. */
static void add_sizes(struct space *space, const struct node *node, struct vec *values)
{
    Str object = STR("{");
    uint32_t top = 0;
    for (uint32_t i = 0; i < node->lengths.count; i++)
        if (VEC_AT(&node->lengths, uint32_t, i) < OBJECT_KEYS_MAX)
            top = VEC_AT(&node->lengths, uint32_t, i) + 1;
    for (uint32_t i = 0; i < top && !space->is_full; i++) {
        object = arena_printf(space->mem, "%.*s%s\"k%u\":0", STR_ARG(object), i ? "," : "", i);
        put(space, values, arena_printf(space->mem, "%.*s}", STR_ARG(object)));
    }
}

/* --------------------------------- nodes -------------------------------- */

static void node_values(struct space *space, struct node *node, struct vec *values, uint32_t depth)
{
    struct vec texts = { .count = 0 };
    if (depth > BUNDLE_SLOT_STEPS_MAX + BUNDLE_LOOP_DEPTH_MAX) {
        node->is_partial = true;
        return;
    }
    node_texts(space, node, &texts);
    for (uint32_t i = 0; i < texts.count && !space->is_full; i++)
        put(space, values, quoted(space, VEC_AT(&texts, Str, i)));
    put_numbers(space, node, values);
    put(space, values, STR("true"));
    if (node->has_bool)
        put(space, values, STR("false"));
    put(space, values, STR("null"));
    for (uint32_t i = 0; i < node->samples.count; i++)
        put(space, values, VEC_AT(&node->samples, Str, i));
    if (node->is_list)
        add_lists(space, node, values, depth);
    else
        put(space, values, STR("[]"));
    add_objects(space, node, values, depth);
    add_sizes(space, node, values);
}

static Str unquoted(struct space *space, Str json)
{
    struct json_doc doc;
    if (json_parse(json, &json_limits_default, space->mem, &doc, NULL) != JSON_ERR_NONE ||
        json_at(&doc, 0)->type != JSON_STRING)
        return (Str){ .p = NULL, .n = 0 };
    return json_text(json_at(&doc, 0));
}

/* A field that is a string by itself. */
static void text_values(struct space *space, struct field *field, struct vec *values)
{
    node_texts(space, field->node, values);
    for (uint32_t i = 0; i < field->node->samples.count; i++) {
        Str text = unquoted(space, VEC_AT(&field->node->samples, Str, i));
        if (text.p)
            put(space, values, text);
    }
}

void field_fill(struct space *space, struct field *field)
{
    struct vec values = { .count = 0 };
    *VEC_ADD(space, &values, Str) = (Str){ .p = NULL, .n = 0 };
    switch (field->kind) {
    case FIELD_ARGUMENT:
    case FIELD_ATTRIBUTE: node_values(space, field->node, &values, 0); break;
    case FIELD_TEXT: text_values(space, field, &values); break;
    case FIELD_GROUPS:
        if (field->node->is_list)
            add_lists(space, field->node, &values, 0);
        break;
    case FIELD_GROUP: put(space, &values, field->key); break;
    case FIELD_NOW: clock_values(space, field, &values); break;
    case FIELD_FIXED: break;
    }
    field->values = values.items;
    field->value_count = values.count;
    field->is_partial = field->node->is_partial;
}
