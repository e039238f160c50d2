/* SPDX-License-Identifier: Apache-2.0 */
/* schema.c - from one JSON Schema to what the checker can say about values.
 *
 * Two mistakes are possible when a schema says more than is read here: to refuse a call that the
 * server takes, or to let an unknown argument pass. An object that lists its properties is closed
 * unless it says otherwise; a keyword that is not understood opens what it might open.
 */
#include "compiler/schema/schema_internal.h"

#include <stdlib.h>

enum { LIMIT_DIGITS_MAX = 18 };

const struct schema schema_anything = { .types = SCHEMA_ANY,
                                        .is_open = true,
                                        .more = SCHEMA_MORE_ALLOWED,
                                        .max_items = SCHEMA_NO_LIMIT,
                                        .max_length = SCHEMA_NO_LIMIT };
const struct schema schema_true = { .types = SCHEMA_ANY,
                                    .is_open = true,
                                    .max_items = SCHEMA_NO_LIMIT,
                                    .max_length = SCHEMA_NO_LIMIT };

static const struct {
    Str word;
    uint32_t types;
} type_words[] = {
    // clang-format off
    { STR_INIT("null"), SCHEMA_NULL },
    { STR_INIT("boolean"), SCHEMA_BOOL },
    { STR_INIT("integer"), SCHEMA_INTEGER },
    { STR_INIT("number"), SCHEMA_NUMBER | SCHEMA_INTEGER },
    { STR_INIT("string"), SCHEMA_STRING },
    { STR_INIT("array"), SCHEMA_ARRAY },
    { STR_INIT("object"), SCHEMA_OBJECT },
    // clang-format on
};

struct schema *schema_new(struct schema_reader *r)
{
    if (r->nodes >= SCHEMA_NODES_MAX)
        return NULL;
    r->nodes++;
    struct schema *out = schema_take(r, ARENA_NEW(r->mem, struct schema, 1));
    if (out)
        *out = schema_true;
    return out;
}

void schema_close(struct schema *schema)
{
    schema->is_open = schema->more == SCHEMA_MORE_ALLOWED || schema->pattern_count ||
                      (schema->more == SCHEMA_MORE_UNSAID && !schema->lists_members);
}

/* --------------------------------- types -------------------------------- */

static uint32_t types_of_word(Str word)
{
    for (size_t i = 0; i < COUNT(type_words); i++)
        if (str_eq(type_words[i].word, word))
            return type_words[i].types;
    return SCHEMA_ANY;
}

static uint32_t types_of_value(const struct json_node *value)
{
    static const uint32_t types[] = {
        [JSON_NULL] = SCHEMA_NULL,     [JSON_FALSE] = SCHEMA_BOOL,
        [JSON_TRUE] = SCHEMA_BOOL,     [JSON_NUMBER] = SCHEMA_NUMBER | SCHEMA_INTEGER,
        [JSON_STRING] = SCHEMA_STRING, [JSON_ARRAY] = SCHEMA_ARRAY,
        [JSON_OBJECT] = SCHEMA_OBJECT,
    };
    return types[value->type];
}

/* "type": a word or a list of words. "nullable" is OpenAPI's way to say null. */
static void read_types(const struct schema_reader *r, uint32_t node, struct schema *out)
{
    uint32_t type = schema_child(r, node, STR("type")), types = 0;
    if (schema_is(r, type, JSON_STRING)) {
        types = types_of_word(json_text(json_at(r->doc, type)));
    } else if (schema_is(r, type, JSON_ARRAY)) {
        for (uint32_t i = json_first(r->doc, type); i != JSON_NONE;
             i = json_after(r->doc, type, i)) {
            bool is_word = schema_is(r, i, JSON_STRING);
            types |= is_word ? types_of_word(json_text(json_at(r->doc, i))) : (uint32_t)SCHEMA_ANY;
        }
    }
    out->types = types ? types : (uint32_t)SCHEMA_ANY;
    if (schema_is(r, schema_child(r, node, STR("nullable")), JSON_TRUE))
        out->types |= SCHEMA_NULL;
}

/* Takes one value of enum or const into the lists, which have room. */
static void take_value(const struct json_node *value, struct schema_value *values, Str *strings,
                       struct schema *out)
{
    if (value->type == JSON_STRING)
        strings[out->enum_count++] = json_text(value);
    if (value->type != JSON_ARRAY && value->type != JSON_OBJECT)
        values[out->value_count++] =
            (struct schema_value){ .type = (enum json_type)value->type, .text = json_text(value) };
}

/* enum or const: the types that occur, the strings, and the values when all are scalars. */
static void read_enum(struct schema_reader *r, uint32_t node, struct schema *out)
{
    uint32_t only = schema_child(r, node, STR("const")), list = schema_child(r, node, STR("enum"));
    uint32_t count = only != JSON_NONE ? 1 : 0, types = 0;
    if (!count && schema_is(r, list, JSON_ARRAY))
        count = json_at(r->doc, list)->count;
    if (!count)
        return;
    Str *strings = schema_take(r, ARENA_NEW(r->mem, Str, count));
    struct schema_value *values = schema_take(r, ARENA_NEW(r->mem, struct schema_value, count));
    if (!strings || !values)
        return;
    uint32_t at = only != JSON_NONE ? only : json_first(r->doc, list);
    for (uint32_t n = 0; n < count; n++) {
        types |= types_of_value(json_at(r->doc, at));
        take_value(json_at(r->doc, at), values, strings, out);
        at = n + 1 < count ? json_after(r->doc, list, at) : at;
    }
    out->types = (out->types & types) ? out->types & types : types;
    out->enum_strings = strings;
    out->values = values;
    if (out->value_count < count)
        out->value_count = 0;
}

/* -------------------------------- bounds -------------------------------- */

static void read_limit(const struct schema_reader *r, uint32_t node, Str key, uint64_t *out)
{
    uint32_t at = schema_child(r, node, key);
    uint64_t value;
    if (schema_is(r, at, JSON_NUMBER) && json_at(r->doc, at)->text_n <= LIMIT_DIGITS_MAX &&
        str_to_u64(json_text(json_at(r->doc, at)), SCHEMA_NO_LIMIT, &value))
        *out = value;
}

/* exclusive: the keyword of its own; before draft 6 it was a truth beside the bound. */
static void read_bound(const struct schema_reader *r, uint32_t node, Str key, Str exclusive,
                       struct schema_bound *out)
{
    uint32_t at = schema_child(r, node, key), other = schema_child(r, node, exclusive);
    bool is_own = schema_is(r, other, JSON_NUMBER);
    if (is_own)
        at = other;
    if (!schema_is(r, at, JSON_NUMBER))
        return;
    out->text = json_text(json_at(r->doc, at));
    out->is_exclusive = is_own || schema_is(r, other, JSON_TRUE);
}

static void read_bounds(const struct schema_reader *r, uint32_t node, struct schema *out)
{
    read_limit(r, node, STR("minLength"), &out->min_length);
    read_limit(r, node, STR("maxLength"), &out->max_length);
    read_limit(r, node, STR("minItems"), &out->min_items);
    read_limit(r, node, STR("maxItems"), &out->max_items);
    read_bound(r, node, STR("minimum"), STR("exclusiveMinimum"), &out->minimum);
    read_bound(r, node, STR("maximum"), STR("exclusiveMaximum"), &out->maximum);
    out->format = json_member_string(r->doc, node, STR("format"));
    out->pattern = json_member_string(r->doc, node, STR("pattern"));
    out->title = json_member_string(r->doc, node, STR("title"));
    out->description = json_member_string(r->doc, node, STR("description"));
}

/* -------------------------------- objects ------------------------------- */

static int compare_members(const void *left, const void *right)
{
    const struct schema_member *a = left, *b = right;
    return str_cmp(a->key, b->key);
}

static struct schema_member *find_member(struct schema_member *members, uint32_t count, Str key)
{
    struct schema_member probe = { .key = key };
    return count ? bsearch(&probe, members, count, sizeof *members, compare_members) : NULL;
}

static uint32_t count_of(const struct schema_reader *r, uint32_t node, enum json_type type)
{
    return schema_is(r, node, type) ? json_at(r->doc, node)->count : 0;
}

/* "required" may name what "properties" does not: that exists too, of any type. */
static void read_required(const struct schema_reader *r, uint32_t node, struct schema *out,
                          uint32_t room)
{
    uint32_t list = schema_child(r, node, STR("required")), known = out->member_count;
    if (!schema_is(r, list, JSON_ARRAY))
        return;
    for (uint32_t i = json_first(r->doc, list); i != JSON_NONE; i = json_after(r->doc, list, i)) {
        if (!schema_is(r, i, JSON_STRING))
            continue;
        Str key = json_text(json_at(r->doc, i));
        struct schema_member *member = find_member(out->members, known, key);
        if (member)
            member->is_required = true;
        else if (out->member_count < room)
            out->members[out->member_count++] =
                (struct schema_member){ .key = key, .schema = &schema_true, .is_required = true };
    }
    if (out->member_count == known)
        return;
    qsort(out->members, out->member_count, sizeof *out->members, compare_members);
    uint32_t kept = 1; /* "required" may repeat itself */
    for (uint32_t i = 1; i < out->member_count; i++)
        if (!str_eq(out->members[i].key, out->members[kept - 1].key))
            out->members[kept++] = out->members[i];
    out->member_count = kept;
}

static void read_members(struct schema_reader *r, uint32_t node, uint32_t depth, struct schema *out)
{
    uint32_t properties = schema_child(r, node, STR("properties"));
    uint32_t count = count_of(r, properties, JSON_OBJECT);
    uint32_t room = count + count_of(r, schema_child(r, node, STR("required")), JSON_ARRAY);
    out->lists_members = properties != JSON_NONE;
    out->members = schema_take(r, ARENA_NEW(r->mem, struct schema_member, room));
    if (!out->members || !room)
        return;
    uint32_t i = count ? json_first(r->doc, properties) : JSON_NONE;
    for (; i != JSON_NONE; i = json_after(r->doc, properties, i))
        out->members[out->member_count++] =
            (struct schema_member){ .key = json_key(json_at(r->doc, i)),
                                    .schema = schema_read(r, i, depth + 1) };
    if (count)
        qsort(out->members, count, sizeof *out->members, compare_members);
    read_required(r, node, out, room);
}

static void read_patterns(struct schema_reader *r, uint32_t node, uint32_t depth,
                          struct schema *out)
{
    uint32_t list = schema_child(r, node, STR("patternProperties"));
    uint32_t count = count_of(r, list, JSON_OBJECT);
    if (!count)
        return;
    out->patterns = schema_take(r, ARENA_NEW(r->mem, struct schema_pattern, count));
    if (!out->patterns)
        return;
    for (uint32_t i = json_first(r->doc, list); i != JSON_NONE; i = json_after(r->doc, list, i))
        out->patterns[out->pattern_count++] =
            (struct schema_pattern){ .pattern = json_key(json_at(r->doc, i)),
                                     .schema = schema_read(r, i, depth + 1) };
}

/* What the object says of members that it does not list. */
static void read_more(struct schema_reader *r, uint32_t node, uint32_t depth, struct schema *out)
{
    /* Keywords that apply further schemas under conditions that are not read here. */
    static const Str openers[] = { STR_INIT("then"), STR_INIT("else"), STR_INIT("dependentSchemas"),
                                   STR_INIT("dependencies") };
    uint32_t more = schema_child(r, node, STR("additionalProperties"));
    uint32_t others = schema_child(r, node, STR("unevaluatedProperties"));
    uint32_t keys = schema_child(r, node, STR("propertyNames"));
    if (schema_is(r, keys, JSON_OBJECT))
        out->keys = schema_read(r, keys, depth + 1);
    if (schema_is(r, more, JSON_FALSE)) {
        out->more = SCHEMA_MORE_REFUSED;
        return;
    }
    if (schema_is(r, more, JSON_OBJECT))
        out->rest = schema_read(r, more, depth + 1);
    bool is_open = more != JSON_NONE;
    /* This one looks into what is merged with it, so it only ends what nobody opens. */
    if (schema_is(r, others, JSON_FALSE))
        out->lists_members = true;
    else
        is_open |= others != JSON_NONE;
    for (size_t i = 0; i < COUNT(openers); i++)
        is_open |= schema_child(r, node, openers[i]) != JSON_NONE;
    out->more = is_open ? SCHEMA_MORE_ALLOWED : SCHEMA_MORE_UNSAID;
}

/* -------------------------------- arrays -------------------------------- */

/* The elements of a list of schemas; NULL when there are none, or no memory. */
static const struct schema **read_list(struct schema_reader *r, uint32_t list, uint32_t depth,
                                       uint32_t *count)
{
    *count = count_of(r, list, JSON_ARRAY);
    const struct schema **out =
        *count ? schema_take(r, ARENA_NEW(r->mem, const struct schema *, *count)) : NULL;
    uint32_t n = 0;
    for (uint32_t i = out ? json_first(r->doc, list) : JSON_NONE; i != JSON_NONE;
         i = json_after(r->doc, list, i))
        out[n++] = schema_read(r, i, depth + 1);
    *count = n;
    return out;
}

/* Merged two by two, so that long lists stay cheap. all has count members, at least one. */
static const struct schema *merge_all(struct schema_reader *r, const struct schema **all,
                                      uint32_t count, bool is_both)
{
    for (; count > 1; count = (count + 1) / 2) {
        for (uint32_t i = 0; i + 1 < count; i += 2)
            all[i / 2] =
                is_both ? schema_both(r, all[i], all[i + 1]) : schema_either(r, all[i], all[i + 1]);
        if (count % 2)
            all[count / 2] = all[count - 1];
    }
    return all[0];
}

/* Until 2019-09 the prefix was a list in `items`, and the rest in `additionalItems`. */
static void read_items(struct schema_reader *r, uint32_t node, uint32_t depth, struct schema *out)
{
    uint32_t prefix = schema_child(r, node, STR("prefixItems"));
    uint32_t items = schema_child(r, node, STR("items")), count = 0;
    if (schema_is(r, items, JSON_ARRAY)) {
        prefix = items;
        items = schema_child(r, node, STR("additionalItems"));
    }
    const struct schema **list = read_list(r, prefix, depth, &count);
    bool is_whole = schema_is(r, items, JSON_FALSE);
    const struct schema *rest =
        schema_is(r, items, JSON_OBJECT) ? schema_read(r, items, depth + 1) : NULL;
    if (!count) {
        out->items = rest;
        return;
    }
    out->prefix = list;
    out->prefix_count = count;
    const struct schema **all = schema_take(r, ARENA_NEW(r->mem, const struct schema *, count + 1));
    if (!all || (!rest && !is_whole))
        return;
    for (uint32_t i = 0; i < count; i++)
        all[i] = list[i];
    all[count] = rest;
    out->items = merge_all(r, all, count + (rest != NULL), false);
}

/* --------------------------------- whole -------------------------------- */

/* A definition that contains itself is followed a few turns. */
static const struct schema *read_reference(struct schema_reader *r, Str reference, uint32_t depth)
{
    uint32_t target, turns = 0;
    if (!schema_resolve(r, reference, &target))
        return &schema_anything;
    for (uint32_t i = 0; i < r->active_count; i++)
        turns += r->active[i] == target;
    if (turns >= SCHEMA_REF_NEST_MAX || r->active_count == COUNT(r->active))
        return &schema_anything;
    r->active[r->active_count++] = target;
    const struct schema *out = schema_read(r, target, depth + 1);
    r->active_count--;
    return out;
}

/* allOf, anyOf, oneOf beside the rest. */
static const struct schema *read_combined(struct schema_reader *r, uint32_t node, uint32_t depth,
                                          const struct schema *out)
{
    static const Str words[] = { STR_INIT("allOf"), STR_INIT("anyOf"), STR_INIT("oneOf") };
    for (size_t i = 0; i < COUNT(words); i++) {
        uint32_t count, list = schema_child(r, node, words[i]);
        if (list == JSON_NONE)
            continue;
        const struct schema **all = read_list(r, list, depth, &count);
        const struct schema *merged =
            all && count ? merge_all(r, all, count, i == 0) : &schema_anything;
        out = schema_both(r, out, merged);
    }
    return out;
}

static const struct schema *read_plain(struct schema_reader *r, uint32_t node, uint32_t depth)
{
    struct schema *out = schema_new(r);
    if (!out)
        return &schema_anything;
    read_types(r, node, out);
    read_enum(r, node, out);
    read_bounds(r, node, out);
    read_members(r, node, depth, out);
    read_patterns(r, node, depth, out);
    read_more(r, node, depth, out);
    read_items(r, node, depth, out);
    schema_close(out);
    return out;
}

const struct schema *schema_read(struct schema_reader *r, uint32_t node, uint32_t depth)
{
    if (schema_is(r, node, JSON_TRUE))
        return &schema_true;
    /* An embedded resource of its own has other references than we would follow. */
    bool is_embedded = node != r->root && schema_is(r, node, JSON_OBJECT) &&
                       schema_child(r, node, STR("$id")) != JSON_NONE;
    if (depth > SCHEMA_DEPTH_MAX || !schema_is(r, node, JSON_OBJECT) || is_embedded)
        return &schema_anything;
    uint32_t reference = schema_child(r, node, STR("$ref"));
    bool is_dynamic = schema_child(r, node, STR("$dynamicRef")) != JSON_NONE ||
                      schema_child(r, node, STR("$recursiveRef")) != JSON_NONE;
    const struct schema *target = NULL;
    if (reference != JSON_NONE)
        target = schema_is(r, reference, JSON_STRING)
                     ? read_reference(r, json_text(json_at(r->doc, reference)), depth)
                     : &schema_anything;
    if (target && r->ignores_siblings)
        return target;
    const struct schema *out = read_plain(r, node, depth);
    if (target)
        out = schema_both(r, out, target);
    if (is_dynamic)
        out = schema_both(r, out, &schema_anything);
    return read_combined(r, node, depth, out);
}

/* The arguments are an object whatever the schema says, and a tool that lists nothing takes
 * nothing. */
const struct schema *schema_read_arguments(struct schema_reader *r, uint32_t node)
{
    Str draft = json_member_string(r->doc, node, STR("$schema"));
    r->root = node;
    r->nodes = r->anchors = r->active_count = 0;
    r->ignores_siblings = str_contains(draft, STR("json-schema.org/draft-0"));
    const struct schema *read = schema_read(r, node, 0);
    struct schema *out = schema_take(r, ARENA_NEW(r->mem, struct schema, 1));
    if (!out)
        return &schema_anything;
    *out = *read;
    out->types = SCHEMA_OBJECT;
    out->is_open = read->more == SCHEMA_MORE_ALLOWED || read->pattern_count > 0;
    return out;
}

const struct schema_member *schema_member(const struct schema *schema, Str key)
{
    return find_member(schema->members, schema->member_count, key);
}
