/* SPDX-License-Identifier: Apache-2.0 */
/* pin_write.c - a snapshot as text: indented by two, sorted, short lists on one line. */
#include "compiler/command/pin_write.h"

#include "runtime/pin/pin.h"

enum { SHORT_LIST_BYTES = 80, INDENT = 2 };

struct layout {
    const struct json_doc *doc;
    struct arena *mem;
    struct buf *out;
};

static bool write_value(const struct layout *l, uint32_t index, uint32_t depth);

static void new_line(const struct layout *l, uint32_t depth)
{
    buf_add_char(l->out, '\n');
    for (uint32_t i = 0; i < depth * INDENT; i++)
        buf_add_char(l->out, ' ');
}

static void write_scalar(const struct layout *l, uint32_t index)
{
    const struct json_node *node = json_at(l->doc, index);
    if (node->type == JSON_STRING)
        json_write_string(l->out, json_text(node));
    else
        buf_add(l->out, json_text(node));
}

static bool write_pair(const struct layout *l, uint32_t index, uint32_t depth, bool is_first)
{
    if (!is_first)
        buf_add_char(l->out, ',');
    new_line(l, depth);
    json_write_string(l->out, json_key(json_at(l->doc, index)));
    buf_add(l->out, STR(": "));
    return write_value(l, index, depth);
}

/* first: a member that precedes the others, or JSON_NONE. */
static bool write_object(const struct layout *l, uint32_t index, uint32_t depth, uint32_t first)
{
    uint32_t count;
    const uint32_t *members = pin_sorted_members(l->doc, index, l->mem, &count);
    bool is_first = true;
    if (!members)
        return false;
    buf_add_char(l->out, '{');
    if (first != JSON_NONE) {
        if (!write_pair(l, first, depth + 1, true))
            return false;
        is_first = false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (members[i] == first)
            continue;
        if (!write_pair(l, members[i], depth + 1, is_first))
            return false;
        is_first = false;
    }
    if (count)
        new_line(l, depth);
    buf_add_char(l->out, '}');
    return true;
}

/* A list of scalars on one line; takes it back when it grows too long. */
static bool write_short_list(const struct layout *l, uint32_t index)
{
    size_t start = l->out->n;
    bool is_first = true;
    buf_add_char(l->out, '[');
    for (uint32_t i = json_first(l->doc, index); i != JSON_NONE; i = json_after(l->doc, index, i)) {
        enum json_type type = (enum json_type)json_at(l->doc, i)->type;
        if (!is_first)
            buf_add(l->out, STR(", "));
        is_first = false;
        if (type == JSON_ARRAY || type == JSON_OBJECT || l->out->n - start > SHORT_LIST_BYTES) {
            l->out->n = start;
            return false;
        }
        write_scalar(l, i);
    }
    buf_add_char(l->out, ']');
    return true;
}

static bool write_list(const struct layout *l, uint32_t index, uint32_t depth)
{
    bool is_first = true;
    if (write_short_list(l, index))
        return true;
    buf_add_char(l->out, '[');
    for (uint32_t i = json_first(l->doc, index); i != JSON_NONE; i = json_after(l->doc, index, i)) {
        if (!is_first)
            buf_add_char(l->out, ',');
        is_first = false;
        new_line(l, depth + 1);
        if (!write_value(l, i, depth + 1))
            return false;
    }
    new_line(l, depth);
    buf_add_char(l->out, ']');
    return true;
}

/* Recursive down to PIN_DEPTH_MAX. */
static bool write_value(const struct layout *l, uint32_t index, uint32_t depth)
{
    if (depth > PIN_DEPTH_MAX || l->out->is_full)
        return false;
    switch ((enum json_type)json_at(l->doc, index)->type) {
    case JSON_ARRAY: return write_list(l, index, depth);
    case JSON_OBJECT: return write_object(l, index, depth, JSON_NONE);
    case JSON_NULL:
    case JSON_FALSE:
    case JSON_TRUE:
    case JSON_NUMBER:
    case JSON_STRING: write_scalar(l, index); return true;
    }
    return false;
}

bool pin_write(const struct snapshot *snapshot, struct arena *mem, struct buf *out)
{
    struct layout l = { .doc = &snapshot->doc, .mem = mem, .out = out };
    buf_add(out, STR("{\n  \"tools\": ["));
    for (uint32_t i = 0; i < snapshot->tool_count; i++) {
        uint32_t node = snapshot->tools[i].node;
        if (i)
            buf_add_char(out, ',');
        new_line(&l, 2);
        if (!write_object(&l, node, 2, json_member(l.doc, node, STR("name"))))
            return false;
    }
    if (snapshot->tool_count)
        new_line(&l, 1);
    buf_add(out, STR("]\n}\n"));
    return !out->is_full;
}
