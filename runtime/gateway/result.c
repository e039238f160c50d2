/* SPDX-License-Identifier: Apache-2.0 */
/* result.c - the shapes of results in the two eras. */
#include "runtime/gateway/result.h"

static const Str era_keys[] = {
    STR_INIT("resultType"),
    STR_INIT("ttlMs"),
    STR_INIT("cacheScope"),
};

static bool is_among(Str key, const Str *keys, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(key, keys[i]))
            return true;
    return false;
}

static void copy_meta(struct buf *out, const struct json_doc *doc, uint32_t meta)
{
    buf_add_char(out, '{');
    for (uint32_t i = json_first(doc, meta); i != JSON_NONE; i = json_after(doc, meta, i)) {
        Str key = json_key(json_at(doc, i));
        if (str_starts(key, STR("mcpd/")))
            continue;
        jsonrpc_write_key(out, key);
        buf_add(out, json_raw(doc, i));
    }
    buf_add_char(out, '}');
}

void result_copy_members(struct buf *out, const struct json_doc *doc, uint32_t object,
                         const Str *skip, size_t skip_count)
{
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        Str key = json_key(json_at(doc, i));
        if (is_among(key, era_keys, COUNT(era_keys)) || is_among(key, skip, skip_count))
            continue;
        jsonrpc_write_key(out, key);
        if (str_eq(key, STR("_meta")) && json_at(doc, i)->type == JSON_OBJECT)
            copy_meta(out, doc, i);
        else
            buf_add(out, json_raw(doc, i));
    }
}

void result_write_era(struct buf *out, enum server_era era)
{
    if (era != ERA_MODERN)
        return;
    jsonrpc_write_key(out, STR("resultType"));
    buf_add(out, STR("\"complete\""));
}

void result_write_list_era(struct buf *out, enum server_era era)
{
    if (era != ERA_MODERN)
        return;
    result_write_era(out, era);
    buf_add(out, STR(",\"ttlMs\":0,\"cacheScope\":\"private\""));
}
