/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c - a value of a tape as text again: the same value has one text, however it was
 * spelled where it was read, but for numbers, whose literal is kept. */
#include "runtime/json/json.h"

static void write_value(struct buf *out, const struct json_doc *doc, uint32_t index, uint32_t depth)
{
    const struct json_node *node = json_at(doc, index);
    bool is_object = node->type == JSON_OBJECT;
    if (node->type == JSON_STRING)
        json_write_string(out, json_text(node));
    else if (node->type == JSON_NUMBER)
        buf_add(out, json_text(node));
    else if (!is_object && node->type != JSON_ARRAY)
        buf_add(out, node->type == JSON_NULL   ? STR("null")
                     : node->type == JSON_TRUE ? STR("true")
                                               : STR("false"));
    if (!is_object && node->type != JSON_ARRAY)
        return;
    out->is_full |= depth == json_limits_default.max_depth;
    buf_add_char(out, is_object ? '{' : '[');
    for (uint32_t i = json_first(doc, index); i != JSON_NONE && !out->is_full;
         i = json_after(doc, index, i)) {
        if (i != index + 1)
            buf_add_char(out, ',');
        if (is_object) {
            json_write_string(out, json_key(json_at(doc, i)));
            buf_add_char(out, ':');
        }
        write_value(out, doc, i, depth + 1);
    }
    buf_add_char(out, is_object ? '}' : ']');
}

void json_write_value(struct buf *out, const struct json_doc *doc, uint32_t index)
{
    write_value(out, doc, index, 0);
}
