/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - the way in (limits, byte order mark, the scan) and finding members on the tape. */
#include "runtime/json/json.h"

#include "runtime/json/json_internal.h"

const struct json_limits json_limits_default = {
    .max_bytes = 4 * 1024 * 1024,
    .max_depth = 64,
    .max_nodes = 262144,
    .max_members = 4096,
    .allow_nul = false,
};

static const char *const error_texts[] = {
#define JSON_ERROR(name, text) [JSON_ERR_##name] = (text),
#include "runtime/json/json_error.def"
#undef JSON_ERROR
};

const char *json_error_text(enum json_error error)
{
    return error < JSON_ERROR_COUNT ? error_texts[error] : "unknown error";
}

/* What can be said before a byte is scanned. An empty text may have no address, so it ends
 * here as well. */
static enum json_error check_text(Str text, const struct json_limits *limits, uint32_t *at)
{
    *at = 0;
    if (text.n > limits->max_bytes) {
        *at = limits->max_bytes;
        return JSON_ERR_TOO_LARGE;
    }
    if (text.n == 0)
        return JSON_ERR_TRUNCATED;
    return str_starts(text, STR("\xef\xbb\xbf")) ? JSON_ERR_BOM : JSON_ERR_NONE;
}

enum json_error json_parse(Str text, const struct json_limits *limits, struct arena *arena,
                           struct json_doc *doc, uint32_t *at)
{
    uint32_t where;
    enum json_error error = check_text(text, limits, &where);
    if (error == JSON_ERR_NONE) {
        const unsigned char *start = (const unsigned char *)text.p;
        struct json_scan scan = { .text = start,
                                  .cursor = start,
                                  .limit = start + text.n,
                                  .limits = limits,
                                  .arena = arena,
                                  .block = SIZE_MAX };
        json_scan(&scan);
        error = scan.error;
        where = (uint32_t)(scan.cursor - start);
        if (error == JSON_ERR_NONE) {
            *doc = (struct json_doc){ .text = text, .nodes = scan.nodes, .count = scan.count };
            return JSON_ERR_NONE;
        }
    }
    if (at)
        *at = where;
    return error;
}

uint32_t json_member(const struct json_doc *doc, uint32_t index, Str key)
{
    if (json_at(doc, index)->type != JSON_OBJECT)
        return JSON_NONE;
    for (uint32_t i = json_first(doc, index); i != JSON_NONE; i = json_after(doc, index, i)) {
        if (str_eq(json_key(&doc->nodes[i]), key))
            return i;
    }
    return JSON_NONE;
}

Str json_member_string(const struct json_doc *doc, uint32_t index, Str key)
{
    uint32_t member = json_member(doc, index, key);
    if (member == JSON_NONE || doc->nodes[member].type != JSON_STRING)
        return (Str){ .p = NULL, .n = 0 };
    return json_text(&doc->nodes[member]);
}
