/* SPDX-License-Identifier: Apache-2.0 */
/* schema_merge.c - two schemas as one: what both allow (allOf, a keyword beside a $ref), and what
 * either allows (anyOf, oneOf).
 *
 * A schema says of each type by itself what holds for values of that type, so each type's facts are
 * merged by themselves: those of the only side that has the type stay as they are. Where the exact
 * answer has no place in one schema, the merged one allows more.
 */
#include "compiler/schema/schema_internal.h"

typedef const struct schema *(*merge_fn)(struct schema_reader *r, const struct schema *a,
                                         const struct schema *b);

/* -------------------------------- objects ------------------------------- */

/* The schema of a key that only one side lists, when either side may hold. */
static const struct schema *listed_once(const struct schema *listed, const struct schema *other)
{
    bool is_free = (other->types & SCHEMA_OBJECT) && other->is_open;
    return is_free ? &schema_anything : listed;
}

struct pair {
    const struct schema *a, *b;
    bool is_both; /* else either */
};

static struct schema_member merge_member(struct schema_reader *r, struct pair pair,
                                         const struct schema_member *a,
                                         const struct schema_member *b)
{
    merge_fn merge = pair.is_both ? schema_both : schema_either;
    if (a && b) {
        bool is_required =
            pair.is_both ? a->is_required || b->is_required : a->is_required && b->is_required;
        return (struct schema_member){ .key = a->key,
                                       .schema = merge(r, a->schema, b->schema),
                                       .is_required = is_required };
    }
    const struct schema_member *only = a ? a : b;
    ENSURE(only);
    struct schema_member out = *only;
    if (!pair.is_both) {
        out.schema = listed_once(out.schema, a ? pair.b : pair.a);
        out.is_required = false;
    }
    return out;
}

static void merge_members(struct schema_reader *r, struct pair pair, struct schema *out)
{
    const struct schema *a = pair.a, *b = pair.b;
    size_t room = (size_t)a->member_count + b->member_count;
    struct schema_member *members = schema_take(r, ARENA_NEW(r->mem, struct schema_member, room));
    uint32_t i = 0, k = 0, n = 0;
    out->members = NULL;
    out->member_count = 0;
    while (members && (i < a->member_count || k < b->member_count)) {
        int order = i == a->member_count   ? 1
                    : k == b->member_count ? -1
                                           : str_cmp(a->members[i].key, b->members[k].key);
        const struct schema_member *left = order <= 0 ? &a->members[i++] : NULL;
        const struct schema_member *right = order >= 0 ? &b->members[k++] : NULL;
        members[n++] = merge_member(r, pair, left, right);
    }
    if (members) {
        out->members = members;
        out->member_count = n;
    }
}

static void both_objects(struct schema_reader *r, const struct schema *a, const struct schema *b,
                         struct schema *out)
{
    merge_members(r, (struct pair){ a, b, true }, out);
    out->more = a->more > b->more ? a->more : b->more; /* refused, allowed, unsaid */
    out->lists_members = a->lists_members || b->lists_members;
    out->keys = a->keys ? a->keys : b->keys;
    out->rest = a->rest ? a->rest : b->rest;
    out->patterns = a->pattern_count ? a->patterns : b->patterns;
    out->pattern_count = a->pattern_count ? a->pattern_count : b->pattern_count;
}

static bool is_free_map(const struct schema *schema)
{
    return schema->more == SCHEMA_MORE_UNSAID && !schema->lists_members;
}

static enum schema_more either_more(const struct schema *a, const struct schema *b)
{
    if (a->more == SCHEMA_MORE_ALLOWED || b->more == SCHEMA_MORE_ALLOWED)
        return SCHEMA_MORE_ALLOWED;
    return a->more == b->more ? a->more : SCHEMA_MORE_UNSAID;
}

static void either_objects(struct schema_reader *r, const struct schema *a, const struct schema *b,
                           struct schema *out)
{
    merge_members(r, (struct pair){ a, b, false }, out);
    out->more = either_more(a, b);
    out->keys = NULL;
    out->rest = NULL;
    out->patterns = NULL;
    out->pattern_count = 0;
    out->lists_members = a->lists_members && b->lists_members;
    /* A side that says nothing of members lets more in than the other lists. */
    bool is_free = is_free_map(a) != is_free_map(b) || a->pattern_count || b->pattern_count;
    if (is_free)
        out->more = SCHEMA_MORE_ALLOWED;
}

/* -------------------------------- arrays -------------------------------- */

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t greater(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static void both_arrays(struct schema_reader *r, const struct schema *a, const struct schema *b,
                        struct schema *out)
{
    const struct schema *said = a->prefix_count ? a : b;
    out->items = a->items && b->items ? schema_both(r, a->items, b->items)
                 : a->items           ? a->items
                                      : b->items;
    out->prefix = said->prefix;
    out->prefix_count = said->prefix_count;
    out->min_items = greater(a->min_items, b->min_items);
    out->max_items = lesser(a->max_items, b->max_items);
}

static void either_arrays(struct schema_reader *r, const struct schema *a, const struct schema *b,
                          struct schema *out)
{
    out->items = a->items && b->items ? schema_either(r, a->items, b->items) : NULL;
    out->prefix = NULL;
    out->prefix_count = 0;
    out->min_items = lesser(a->min_items, b->min_items);
    out->max_items = greater(a->max_items, b->max_items);
}

/* -------------------------------- strings ------------------------------- */

static bool holds(const struct schema *schema, Str text)
{
    for (uint32_t i = 0; i < schema->enum_count; i++)
        if (str_eq(schema->enum_strings[i], text))
            return true;
    return false;
}

/* The strings of a that b holds too, or those of both. */
static void merge_strings(struct schema_reader *r, struct pair pair, struct schema *out)
{
    const struct schema *a = pair.a, *b = pair.b;
    size_t room = (size_t)a->enum_count + (pair.is_both ? 0 : b->enum_count);
    Str *strings = schema_take(r, ARENA_NEW(r->mem, Str, room));
    uint32_t n = 0;
    for (uint32_t i = 0; strings && i < a->enum_count; i++)
        if (!pair.is_both || holds(b, a->enum_strings[i]))
            strings[n++] = a->enum_strings[i];
    for (uint32_t i = 0; strings && !pair.is_both && i < b->enum_count; i++)
        if (!holds(a, b->enum_strings[i]))
            strings[n++] = b->enum_strings[i];
    out->enum_strings = strings;
    out->enum_count = n;
}

static void both_strings(struct schema_reader *r, const struct schema *a, const struct schema *b,
                         struct schema *out)
{
    const struct schema *said = a->enum_count ? a : b;
    out->enum_strings = said->enum_strings;
    out->enum_count = said->enum_count;
    if (a->enum_count && b->enum_count)
        merge_strings(r, (struct pair){ a, b, true }, out);
    out->min_length = greater(a->min_length, b->min_length);
    out->max_length = lesser(a->max_length, b->max_length);
    out->format = a->format.n ? a->format : b->format;
    out->pattern = a->pattern.n ? a->pattern : b->pattern;
}

static void either_strings(struct schema_reader *r, const struct schema *a, const struct schema *b,
                           struct schema *out)
{
    out->enum_strings = NULL;
    out->enum_count = 0;
    if (a->enum_count && b->enum_count)
        merge_strings(r, (struct pair){ a, b, false }, out);
    out->min_length = lesser(a->min_length, b->min_length);
    out->max_length = greater(a->max_length, b->max_length);
    out->format = str_eq(a->format, b->format) ? a->format : STR("");
    out->pattern = str_eq(a->pattern, b->pattern) ? a->pattern : STR("");
}

/* -------------------------------- numbers ------------------------------- */

static bool same_bound(struct schema_bound a, struct schema_bound b)
{
    return str_eq(a.text, b.text) && a.is_exclusive == b.is_exclusive;
}

/* Either bound by itself holds; which is the tighter one is not asked. */
static void both_numbers(const struct schema *a, const struct schema *b, struct schema *out)
{
    out->minimum = a->minimum.text.n ? a->minimum : b->minimum;
    out->maximum = a->maximum.text.n ? a->maximum : b->maximum;
}

static void either_numbers(const struct schema *a, const struct schema *b, struct schema *out)
{
    static const struct schema_bound none = { .text = STR_INIT("") };
    out->minimum = same_bound(a->minimum, b->minimum) ? a->minimum : none;
    out->maximum = same_bound(a->maximum, b->maximum) ? a->maximum : none;
}

/* --------------------------------- whole -------------------------------- */

/* Copies the facts of one type from a schema. */
static void take_facts(const struct schema *from, uint32_t types, struct schema *out)
{
    if (types & SCHEMA_OBJECT) {
        out->members = from->members;
        out->member_count = from->member_count;
        out->lists_members = from->lists_members;
        out->more = from->more;
        out->rest = from->rest;
        out->keys = from->keys;
        out->patterns = from->patterns;
        out->pattern_count = from->pattern_count;
    }
    if (types & SCHEMA_ARRAY) {
        out->items = from->items;
        out->prefix = from->prefix;
        out->prefix_count = from->prefix_count;
        out->min_items = from->min_items;
        out->max_items = from->max_items;
    }
    if (types & SCHEMA_STRING) {
        out->enum_strings = from->enum_strings;
        out->enum_count = from->enum_count;
        out->min_length = from->min_length;
        out->max_length = from->max_length;
        out->format = from->format;
        out->pattern = from->pattern;
    }
    if (types & SCHEMA_INTEGER) {
        out->minimum = from->minimum;
        out->maximum = from->maximum;
    }
}

const struct schema *schema_both(struct schema_reader *r, const struct schema *a,
                                 const struct schema *b)
{
    if (a == &schema_true || a == b)
        return b;
    if (b == &schema_true)
        return a;
    struct schema *out = schema_new(r);
    if (!out)
        return a;
    uint32_t common = a->types & b->types;
    out->types = common ? common : a->types; /* a contradiction: the server's to find */
    out->title = a->title.n ? a->title : b->title;
    out->description = a->description.n ? a->description : b->description;
    both_objects(r, a, b, out);
    both_arrays(r, a, b, out);
    both_strings(r, a, b, out);
    both_numbers(a, b, out);
    const struct schema *said = a->value_count ? a : b;
    out->values = said->values;
    out->value_count = said->value_count;
    schema_close(out);
    return out;
}

const struct schema *schema_either(struct schema_reader *r, const struct schema *a,
                                   const struct schema *b)
{
    if (a == &schema_anything || b == &schema_anything || a == &schema_true || b == &schema_true)
        return &schema_anything;
    if (a == b)
        return a;
    struct schema *out = schema_new(r);
    if (!out)
        return &schema_anything;
    uint32_t common = a->types & b->types;
    out->types = a->types | b->types;
    take_facts(a, a->types & ~common, out);
    take_facts(b, b->types & ~common, out);
    if (common & SCHEMA_OBJECT)
        either_objects(r, a, b, out);
    if (common & SCHEMA_ARRAY)
        either_arrays(r, a, b, out);
    if (common & SCHEMA_STRING)
        either_strings(r, a, b, out);
    if (common & SCHEMA_INTEGER)
        either_numbers(a, b, out);
    schema_close(out);
    return out;
}
