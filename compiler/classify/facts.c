/* SPDX-License-Identifier: Apache-2.0 */
/* facts.c - writes the tools of a catalogue as a server would list them, so that one reader of
 * schemas serves both. */
#include "compiler/classify/facts.h"

#include <stdio.h>

/* --------------------------------- types -------------------------------- */

/* Where the text at hand ends at the top level of brackets: at sep, or at its end. */
static size_t end_of_part(Str text, char sep)
{
    int depth = 0;
    for (size_t i = 0; i < text.n; i++) {
        char ch = text.p[i];
        if (depth == 0 && ch == sep)
            return i;
        if (ch == '(' || ch == '{' || ch == '<')
            depth++;
        else if ((ch == ')' || ch == '}' || ch == '>') && depth > 0)
            depth--;
    }
    return text.n;
}

static bool take_part(Str *rest, char sep, Str *part)
{
    if (rest->n == 0)
        return false;
    size_t end = end_of_part(*rest, sep);
    *part = str_sub(*rest, 0, end);
    *rest = str_sub(*rest, end < rest->n ? end + 1 : end, rest->n);
    return true;
}

/* What stands between the brackets of "name(...)"; false when the type is another. */
static bool inside(Str type, Str open, char close, Str *out)
{
    if (!str_starts(type, open) || type.n <= open.n || type.p[type.n - 1] != close)
        return false;
    *out = str_sub(type, open.n, type.n - 1);
    return true;
}

static void write_type(Str type, uint32_t depth, struct buf *out);

static void write_enum(Str values, struct buf *out)
{
    bool is_first = true;
    buf_add(out, STR("{\"type\":\"string\",\"enum\":["));
    while (values.n) {
        Str value = str_cut(&values, '|');
        if (!value.n)
            continue; /* "+4" stays: it stands for values that are not known */
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        json_write_string(out, value);
    }
    buf_add(out, STR("]}"));
}

static void write_members(Str members, uint32_t depth, struct buf *out)
{
    Str part, seen[64];
    size_t count = 0;
    buf_add(out, STR("{\"type\":\"object\",\"properties\":{"));
    while (count < COUNT(seen) && take_part(&members, ',', &part)) {
        size_t colon = end_of_part(part, ':');
        bool is_known = colon == part.n || colon == 0;
        for (size_t i = 0; i < count && !is_known; i++)
            is_known = str_eq(seen[i], str_sub(part, 0, colon));
        if (is_known)
            continue;
        if (count)
            buf_add_char(out, ',');
        seen[count++] = str_sub(part, 0, colon);
        json_write_string(out, str_sub(part, 0, colon));
        buf_add_char(out, ':');
        write_type(str_sub(part, colon + 1, part.n), depth + 1, out);
    }
    buf_add(out, STR("}}"));
}

static void write_one(Str type, uint32_t depth, struct buf *out)
{
    static const Str simple[] = { STR_INIT("integer"), STR_INIT("number"), STR_INIT("boolean"),
                                  STR_INIT("object"), STR_INIT("null") };
    Str in;
    for (size_t i = 0; i < COUNT(simple); i++) {
        if (str_eq(type, simple[i])) {
            buf_printf(out, "{\"type\":\"%.*s\"}", STR_ARG(type));
            return;
        }
    }
    if (str_eq(type, STR("string")) || str_starts(type, STR("string:"))) {
        buf_add(out, STR("{\"type\":\"string\"}"));
    } else if (inside(type, STR("enum("), ')', &in)) {
        write_enum(in, out);
    } else if (inside(type, STR("array<"), '>', &in)) {
        buf_add(out, STR("{\"type\":\"array\",\"items\":"));
        write_type(in, depth + 1, out);
        buf_add_char(out, '}');
    } else if (inside(type, STR("object{"), '}', &in)) {
        write_members(in, depth, out);
    } else {
        buf_add(out, STR("{}"));
    }
}

/* Recursive down to FACTS_DEPTH_MAX. */
static void write_type(Str type, uint32_t depth, struct buf *out)
{
    bool is_cut = str_ends(type, STR("\xE2\x80\xA6"));
    if (is_cut || depth > FACTS_DEPTH_MAX) {
        buf_add(out, STR("{}"));
        return;
    }
    if (end_of_part(type, '|') == type.n) {
        write_one(type, depth, out);
        return;
    }
    Str part;
    bool is_first = true;
    buf_add(out, STR("{\"anyOf\":["));
    while (take_part(&type, '|', &part)) {
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        write_one(part, depth, out);
    }
    buf_add(out, STR("]}"));
}

void facts_write_type(Str type, struct buf *out)
{
    write_type(type, 0, out);
}

/* --------------------------------- lines -------------------------------- */

static bool is_type(const struct json_doc *doc, uint32_t node, enum json_type type)
{
    return node != JSON_NONE && json_at(doc, node)->type == type;
}

static void write_arguments(const struct json_doc *doc, struct buf *out)
{
    uint32_t args = json_member(doc, 0, STR("args"));
    uint32_t required = json_member(doc, 0, STR("required"));
    buf_add(out, STR(",\"inputSchema\":{\"type\":\"object\""));
    if (is_type(doc, args, JSON_OBJECT)) {
        buf_add(out, STR(",\"properties\":{"));
        for (uint32_t i = json_first(doc, args); i != JSON_NONE; i = json_after(doc, args, i)) {
            if (i != json_first(doc, args))
                buf_add_char(out, ',');
            json_write_string(out, json_key(json_at(doc, i)));
            buf_add_char(out, ':');
            write_type(json_text(json_at(doc, i)), 0, out);
        }
        buf_add_char(out, '}');
    }
    if (is_type(doc, required, JSON_ARRAY)) {
        buf_add(out, STR(",\"required\":"));
        json_write_value(out, doc, required);
    }
    buf_add_char(out, '}');
}

static void write_tool(const struct json_doc *doc, struct buf *out)
{
    uint32_t annotations = json_member(doc, 0, STR("annotations"));
    buf_add(out, STR("{\"name\":"));
    json_write_string(out, json_member_string(doc, 0, STR("tool")));
    Str description = json_member_string(doc, 0, STR("description_head"));
    if (description.n) {
        buf_add(out, STR(",\"description\":"));
        json_write_string(out, description);
    }
    if (annotations != JSON_NONE) {
        buf_add(out, STR(",\"annotations\":"));
        json_write_value(out, doc, annotations);
    }
    write_arguments(doc, out);
    buf_add_char(out, '}');
}

/* Reads the next line that is not empty into next. */
static bool read_line(struct facts *facts, struct arena *mem)
{
    uint32_t at = 0;
    facts->has_next = false;
    while (facts->rest.n) {
        Str line = str_trim(str_cut(&facts->rest, '\n'));
        facts->line++;
        if (!line.n)
            continue;
        enum json_error error = json_parse(line, &json_limits_default, mem, &facts->next, &at);
        if (error != JSON_ERR_NONE) {
            (void)snprintf(facts->why, sizeof facts->why, "line %u: byte %u: %s", facts->line, at,
                           json_error_text(error));
            return false;
        }
        bool is_tool = json_member_string(&facts->next, 0, STR("tool")).n > 0;
        if (!is_tool)
            (void)snprintf(facts->why, sizeof facts->why, "line %u has no \"tool\"", facts->line);
        facts->has_next = is_tool;
        return is_tool;
    }
    return false;
}

bool facts_are(Str text, struct arena *mem)
{
    struct facts facts;
    facts_begin(&facts, text);
    return read_line(&facts, mem);
}

void facts_begin(struct facts *facts, Str text)
{
    *facts = (struct facts){ .rest = text };
}

bool facts_next(struct facts *facts, struct arena *mem, Str *server, struct buf *out)
{
    if (!facts->has_next && !read_line(facts, mem))
        return false;
    *server = json_member_string(&facts->next, 0, STR("server"));
    buf_add(out, STR("{\"tools\":["));
    bool is_first = true;
    do {
        if (!is_first)
            buf_add_char(out, ',');
        is_first = false;
        write_tool(&facts->next, out);
    } while (read_line(facts, mem) &&
             str_eq(*server, json_member_string(&facts->next, 0, STR("server"))));
    buf_add(out, STR("]}"));
    return facts->why[0] == '\0';
}
