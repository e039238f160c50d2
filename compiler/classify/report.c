/* SPDX-License-Identifier: Apache-2.0 */
/* report.c - one tool's class in the three formats. Members stand in the order of the language's
 * own lists, so that the same tool gives the same bytes. */
#include "compiler/classify/report.h"

static void write_list(struct buf *out, const Str *words, uint32_t bits, uint32_t count)
{
    bool is_first = true;
    for (uint32_t i = 0; i < count; i++) {
        if (!(bits >> i & 1))
            continue;
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        json_write_string(out, words[i]);
    }
}

static void write_roles(const struct classified *tool, struct buf *out)
{
    bool is_first = true;
    for (uint32_t role = 0; role < ROLE_COUNT; role++) {
        bool has_one = false;
        for (uint32_t i = 0; i < tool->role_count; i++) {
            if (tool->roles[i].role != (enum argument_role)role)
                continue;
            if (!has_one) {
                if (!is_first)
                    buf_add_char(out, ',');
                json_write_string(out, role_words[role]);
                buf_add(out, STR(":["));
            } else {
                buf_add_char(out, ',');
            }
            json_write_string(out, tool->roles[i].pointer);
            has_one = true;
            is_first = false;
        }
        if (has_one)
            buf_add_char(out, ']');
    }
}

static void write_variant(const struct classified *tool, struct buf *out)
{
    buf_add(out, STR("\"variant\":{\"argument\":"));
    json_write_string(out, tool->variant);
    buf_add(out, STR(",\"values\":{"));
    for (uint32_t i = 0; i < tool->value_count; i++) {
        if (i)
            buf_add_char(out, ',');
        json_write_string(out, tool->values[i].value);
        buf_printf(out, ":\"%.*s\"", STR_ARG(effect_words[tool->values[i].effect]));
    }
    buf_printf(out, "},\"otherwise\":\"%.*s\"}", STR_ARG(effect_words[tool->otherwise]));
}

/* The members that a class has in both kinds of JSON. */
static void write_class(const struct classified *tool, bool has_effect, struct buf *out)
{
    if (has_effect)
        buf_printf(out, "\"effect\":\"%.*s\",", STR_ARG(effect_words[tool->effect]));
    if (tool->flags) {
        buf_add(out, STR("\"flags\":["));
        write_list(out, flag_words, tool->flags, FLAG_COUNT);
        buf_add(out, STR("],"));
    }
    if (tool->role_count) {
        buf_add(out, STR("\"roles\":{"));
        write_roles(tool, out);
        buf_add(out, STR("},"));
    }
    if (tool->variant.n) {
        write_variant(tool, out);
        buf_add_char(out, ',');
    }
    buf_printf(out, "\"confidence\":\"%s\"", classify_confidence_text(tool->confidence));
}

static void write_json(const struct classified *tool, Str server, struct buf *out)
{
    buf_add_char(out, '{');
    if (server.n) {
        buf_add(out, STR("\"server\":"));
        json_write_string(out, server);
        buf_add_char(out, ',');
    }
    buf_add(out, STR("\"tool\":"));
    json_write_string(out, tool->tool->name);
    buf_add_char(out, ',');
    write_class(tool, true, out);
    buf_add(out, STR(",\"why\":["));
    for (uint32_t i = 0; i < tool->why_count; i++) {
        if (i)
            buf_add_char(out, ',');
        json_write_string(out, tool->why[i]);
    }
    buf_add(out, STR("]}\n"));
}

static void write_member(const struct classified *tool, bool is_first, struct buf *out)
{
    if (!is_first)
        buf_add_char(out, ',');
    buf_add(out, STR("\n  "));
    json_write_string(out, tool->tool->name);
    buf_add(out, STR(": {"));
    write_class(tool, !tool->variant.n, out);
    buf_add(out, STR(",\"source\":\"classify\",\"why\":"));
    json_write_string(out, tool->why_count ? tool->why[0] : STR(""));
    buf_add_char(out, '}');
}

static void write_text(const struct classified *tool, Str server, struct buf *out)
{
    if (server.n)
        buf_printf(out, "%.*s ", STR_ARG(server));
    buf_printf(out, "%.*s: %.*s (%s)", STR_ARG(tool->tool->name),
               STR_ARG(effect_words[tool->effect]), classify_confidence_text(tool->confidence));
    for (uint32_t i = 0; i < FLAG_COUNT; i++)
        if (tool->flags >> i & 1)
            buf_printf(out, " %.*s", STR_ARG(flag_words[i]));
    buf_add_char(out, '\n');
    for (uint32_t i = 0; i < tool->why_count; i++)
        buf_printf(out, "    because %.*s\n", STR_ARG(tool->why[i]));
    for (uint32_t i = 0; i < tool->value_count; i++)
        buf_printf(out, "    %.*s %.*s: %.*s\n", STR_ARG(tool->variant),
                   STR_ARG(tool->values[i].value), STR_ARG(effect_words[tool->values[i].effect]));
    for (uint32_t i = 0; i < tool->role_count; i++)
        buf_printf(out, "    %.*s is a %.*s\n", STR_ARG(tool->roles[i].pointer),
                   STR_ARG(role_words[tool->roles[i].role]));
}

bool classify_write(const struct classified *tool, Str server, enum classify_format format,
                    bool is_first, struct buf *out)
{
    switch (format) {
    case CLASSIFY_TEXT: write_text(tool, server, out); return true;
    case CLASSIFY_JSON: write_json(tool, server, out); return true;
    case CLASSIFY_CLASSES:
        if (tool->effect == TOOL_UNCLASSIFIED)
            return false;
        write_member(tool, is_first, out);
        return true;
    }
    return false;
}
