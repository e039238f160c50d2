/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_flow.c - collections in brackets and braces, JSON's among them.
 *
 * Keys and values stand out plainly here or nowhere: no pair inside a list, no key without a value,
 * no comma without an entry. Lines of a collection inside a block are indented deeper than it.
 */
#include "runtime/domain/yaml.h"

enum expect {
    EXPECT_FIRST, /* an entry, or the end */
    EXPECT_ENTRY,
    EXPECT_COMMA, /* or the end */
};

struct flow {
    bool is_list[YAML_DEPTH_MAX];
    uint32_t depth;
    size_t least; /* spaces before a further line */
    enum expect expect;
};

/* To the next token, over line ends and comments. */
static bool skip_to_token(struct yaml *y, const struct flow *flow)
{
    while (yaml_ends_line(y)) {
        if (y->line_end >= y->text.n)
            return false;
        yaml_enter_line(y, y->line_end + 1);
        yaml_skip_spaces(y);
        size_t column = y->at - y->line;
        bool is_content = yaml_peek(y) != '\n' && yaml_peek(y) != '#';
        if (is_content && (column < flow->least || (column == 0 && yaml_is_marker_like(y))))
            return false;
    }
    return true;
}

static bool open_collection(struct yaml *y, struct flow *flow)
{
    bool is_list = yaml_peek(y) == '[';
    if (flow->depth + y->depth == YAML_DEPTH_MAX)
        return false;
    json_build_begin(&y->build, is_list ? JSON_ARRAY : JSON_OBJECT);
    flow->is_list[flow->depth++] = is_list;
    flow->expect = EXPECT_FIRST;
    y->at++;
    return true;
}

static bool close_collection(struct yaml *y, struct flow *flow)
{
    if (flow->expect == EXPECT_ENTRY)
        return false;
    json_build_end(&y->build);
    flow->depth--;
    flow->expect = EXPECT_COMMA;
    y->at++;
    return true;
}

static bool take_comma(struct yaml *y, struct flow *flow)
{
    flow->expect = EXPECT_ENTRY;
    y->at++;
    return true;
}

static bool add_value(struct yaml *y, struct flow *flow)
{
    struct yaml_scalar scalar;
    if (yaml_peek(y) == '[' || yaml_peek(y) == '{')
        return open_collection(y, flow);
    flow->expect = EXPECT_COMMA;
    return yaml_scan_scalar(y, true, &scalar) && yaml_add_scalar(y, &scalar);
}

static bool add_entry(struct yaml *y, struct flow *flow)
{
    struct yaml_scalar key;
    if (!flow->is_list[flow->depth - 1]) {
        if (!yaml_scan_scalar(y, true, &key) || !yaml_takes_colon(y, true, &key) ||
            !yaml_add_key(y, &key) || !skip_to_token(y, flow))
            return false;
    }
    return add_value(y, flow);
}

bool yaml_add_flow(struct yaml *y)
{
    struct flow flow = { .least = y->depth ? y->levels[y->depth - 1].indent + 1 : 0 };
    if (!open_collection(y, &flow))
        return false;
    while (flow.depth) {
        if (!yaml_has_room(y) || !skip_to_token(y, &flow))
            return false;
        char c = yaml_peek(y);
        bool is_good = false;
        if (c == (flow.is_list[flow.depth - 1] ? ']' : '}'))
            is_good = close_collection(y, &flow);
        else if (flow.expect != EXPECT_COMMA)
            is_good = add_entry(y, &flow);
        else if (c == ',')
            is_good = take_comma(y, &flow);
        if (!is_good)
            return false;
    }
    return true;
}
