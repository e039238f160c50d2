/* SPDX-License-Identifier: Apache-2.0 */
/* same_json.c - compares documents that the strict reader has read, so the recursion is bounded by
 * its depth. */
#include "compiler/command/same_json.h"

#include "runtime/bundle/number.h"

static bool same_number(Str a, Str b)
{
    struct number x, y;
    return str_eq(a, b) || (number_parse(a, &x) && number_parse(b, &y) && number_cmp(&x, &y) == 0);
}

static bool same_members(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
    for (uint32_t i = json_first(a, x); i != JSON_NONE; i = json_after(a, x, i)) {
        uint32_t other = json_member(b, y, json_key(json_at(a, i)));
        if (other == JSON_NONE || !same_json(a, i, b, other))
            return false;
    }
    return true;
}

static bool same_elements(const struct json_doc *a, uint32_t x, const struct json_doc *b,
                          uint32_t y)
{
    uint32_t k = json_first(b, y);
    for (uint32_t i = json_first(a, x); i != JSON_NONE; i = json_after(a, x, i)) {
        if (!same_json(a, i, b, k))
            return false;
        k = json_after(b, y, k);
    }
    return true;
}

bool same_json(const struct json_doc *a, uint32_t x, const struct json_doc *b, uint32_t y)
{
    const struct json_node *one = json_at(a, x), *two = json_at(b, y);
    if (one->type != two->type || one->count != two->count)
        return false;
    switch ((enum json_type)one->type) {
    case JSON_STRING: return str_eq(json_text(one), json_text(two));
    case JSON_NUMBER: return same_number(json_text(one), json_text(two));
    case JSON_OBJECT: return same_members(a, x, b, y);
    case JSON_ARRAY: return same_elements(a, x, b, y);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE: break;
    }
    return true;
}

bool same_with(const struct json_doc *got, const struct json_doc *sent, uint32_t at,
               const struct json_doc *set)
{
    uint32_t seen = 0;
    for (uint32_t i = json_first(set, 0); i != JSON_NONE; i = json_after(set, 0, i)) {
        uint32_t found = json_member(got, 0, json_key(json_at(set, i)));
        if (found == JSON_NONE || !same_json(got, found, set, i))
            return false;
        seen++;
    }
    for (uint32_t i = sent ? json_first(sent, at) : JSON_NONE; i != JSON_NONE;
         i = json_after(sent, at, i)) {
        Str key = json_key(json_at(sent, i));
        if (json_member(set, 0, key) != JSON_NONE)
            continue;
        uint32_t found = json_member(got, 0, key);
        if (found == JSON_NONE || !same_json(got, found, sent, i))
            return false;
        seen++;
    }
    return seen == json_at(got, 0)->count;
}
