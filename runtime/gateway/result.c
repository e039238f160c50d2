/* SPDX-License-Identifier: Apache-2.0 */
/* result.c - the shapes of results in the two eras. */
#include "runtime/gateway/result.h"

#include "runtime/gateway/revision.h"

enum { NAME_BYTES_MAX = 1024 };

/* Written anew, never copied. */
static const Str own_keys[] = {
    STR_INIT("_meta"),
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

void result_copy_members(struct buf *out, const struct json_doc *doc, uint32_t object,
                         const Str *skip, size_t skip_count)
{
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        Str key = json_key(json_at(doc, i));
        if (is_among(key, own_keys, COUNT(own_keys)) || is_among(key, skip, skip_count))
            continue;
        jsonrpc_write_key(out, key);
        buf_add(out, json_raw(doc, i));
    }
}

void result_write_implementation(struct buf *out, Str alias)
{
    struct buf name;
    buf_init(&name, NAME_BYTES_MAX);
    buf_printf(&name, "mcpd/%.*s", STR_ARG(alias));
    buf_add(out, STR("{\"name\":"));
    json_write_string(out, buf_str(&name));
    buf_add(out, STR(",\"version\":\"" MCP_VERSION "\"}"));
    buf_free(&name);
}

void result_write_server_info(struct buf *out, enum server_era era, Str alias)
{
    if (era != ERA_MODERN)
        return;
    jsonrpc_write_key(out, META_SERVER_INFO);
    result_write_implementation(out, alias);
}

static bool is_meta_of_gateway(Str key)
{
    return str_starts(key, STR("mcpd/")) || str_eq(key, META_SERVER_INFO);
}

static void copy_foreign(struct buf *out, const struct json_doc *doc, uint32_t object)
{
    for (uint32_t i = json_first(doc, object); i != JSON_NONE; i = json_after(doc, object, i)) {
        Str key = json_key(json_at(doc, i));
        if (is_meta_of_gateway(key))
            continue;
        jsonrpc_write_key(out, key);
        buf_add(out, json_raw(doc, i));
    }
}

void result_write_meta(struct buf *out, const struct json_doc *doc, uint32_t meta,
                       enum server_era era, Str alias)
{
    bool is_object = meta != JSON_NONE && json_at(doc, meta)->type == JSON_OBJECT;
    if (!is_object && era != ERA_MODERN)
        return;
    jsonrpc_write_key(out, STR("_meta"));
    buf_add_char(out, '{');
    if (is_object)
        copy_foreign(out, doc, meta);
    result_write_server_info(out, era, alias);
    buf_add_char(out, '}');
}

void result_write_error_data(struct buf *out, const struct json_doc *doc, uint32_t data)
{
    if (json_at(doc, data)->type != JSON_OBJECT) {
        buf_add(out, json_raw(doc, data));
        return;
    }
    buf_add_char(out, '{');
    copy_foreign(out, doc, data);
    buf_add_char(out, '}');
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
