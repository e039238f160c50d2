/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.c - the few shapes that OAuth's documents have. */
#include "runtime/oauth/json_read.h"

#include "runtime/oauth/metadata.h"

enum { DEPTH_MAX = 16, NODES_MAX = 8192, MEMBERS_MAX = 512 };

enum status oauth_json_read(Str text, uint32_t max_bytes, struct arena *mem, struct json_doc *doc)
{
    const struct json_limits limits = { .max_bytes = max_bytes,
                                        .max_depth = DEPTH_MAX,
                                        .max_nodes = NODES_MAX,
                                        .max_members = MEMBERS_MAX };
    enum json_error error = json_parse(text, &limits, mem, doc, NULL);
    if (error == JSON_ERR_NO_MEMORY || error == JSON_ERR_TOO_LARGE)
        return ST_LIMIT;
    if (error != JSON_ERR_NONE || json_at(doc, 0)->type != JSON_OBJECT)
        return ST_INVALID;
    return ST_OK;
}

/* null counts as absent: several providers write it so. */
static const struct json_node *member(const struct json_doc *doc, Str key, uint32_t *index)
{
    *index = json_member(doc, 0, key);
    if (*index == JSON_NONE || json_at(doc, *index)->type == JSON_NULL)
        return NULL;
    return json_at(doc, *index);
}

bool read_string(const struct json_doc *doc, Str key, Str *out)
{
    uint32_t index;
    const struct json_node *node = member(doc, key, &index);
    if (!node)
        return true;
    if (node->type != JSON_STRING)
        return false;
    *out = json_text(node);
    return true;
}

bool read_bool(const struct json_doc *doc, Str key, bool *out)
{
    uint32_t index;
    const struct json_node *node = member(doc, key, &index);
    if (!node)
        return true;
    if (node->type != JSON_TRUE && node->type != JSON_FALSE)
        return false;
    *out = node->type == JSON_TRUE;
    return true;
}

bool read_strings(const struct json_doc *doc, Str key, struct string_list *list)
{
    uint32_t index;
    const struct json_node *node = member(doc, key, &index);
    list->count = 0;
    list->is_there = node != NULL;
    if (!node)
        return true;
    if (node->type != JSON_ARRAY || node->count > list->max)
        return false;
    for (uint32_t i = json_first(doc, index); i != JSON_NONE; i = json_after(doc, index, i)) {
        if (json_at(doc, i)->type != JSON_STRING)
            return false;
        list->items[list->count++] = json_text(json_at(doc, i));
    }
    return true;
}

bool read_scopes(const struct json_doc *doc, Str key, struct scope_set *set, bool *has)
{
    Str items[METADATA_LIST_MAX];
    struct string_list list = { .items = items, .max = COUNT(items) };
    uint32_t index;
    const struct json_node *node = member(doc, key, &index);
    /* A provider with hundreds of scopes is no reason to refuse it: nobody asks for them all. */
    if (node && node->type == JSON_ARRAY && node->count > METADATA_LIST_MAX)
        return true;
    if (!read_strings(doc, key, &list))
        return false;
    size_t taken = 0;
    for (size_t i = 0; i < list.count; i++)
        taken += scope_add(set, list.items[i]) ? 1 : 0;
    *has = taken > 0;
    return true;
}
