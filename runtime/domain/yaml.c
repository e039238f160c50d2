/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - the documents of a YAML stream, where all readers agree on them.
 *
 * YAML 1.1 and 1.2, and the readers in use, take the same text for different values: `no` is false
 * or a word, 0755 is 493 or 755, `<<` merges or doesn't. This reads only what has one meaning
 * everywhere, and refuses the rest: anchors, aliases, tags, directives, merge and complex keys,
 * tabs between tokens, scalars over several lines (but block scalars), plain scalars that some
 * reader resolves differently. Quoting makes a refused word certain.
 *
 * One pass, no recursion: open collections are in `levels`.
 */
#include "runtime/domain/yaml.h"

#include "runtime/domain/readers.h"

enum state { STATE_BETWEEN, STATE_OPEN, STATE_ENDED };

struct stream {
    struct yaml y;
    enum state state;
    bool has_root; /* of the open document */
};

/* ------------------------------ characters ------------------------------ */

/* Line ends that only one YAML version knows, byte order marks and what is not printable. text is
 * valid UTF-8, so the bytes that make up a character are all there. */
static bool is_refused_at(const unsigned char *p)
{
    switch (p[0]) {
    case 0xC2: return p[1] < 0xA0; /* U+0080 to U+009F */
    case 0xE2: return p[1] == 0x80 && (p[2] == 0xA8 || p[2] == 0xA9);
    case 0xEF: return (p[1] == 0xBB && p[2] == 0xBF) || (p[1] == 0xBF && p[2] >= 0xBE);
    default: return p[0] == 0x7F || (p[0] < 0x20 && p[0] != '\t' && p[0] != '\n' && p[0] != '\r');
    }
}

/* CR LF becomes LF; a CR alone is refused. */
static bool unify_lines(struct arena *mem, Str *text)
{
    if (!text->n || !memchr(text->p, '\r', text->n))
        return true;
    char *out = arena_alloc_raw(mem, 1, 1, text->n);
    size_t n = 0;
    for (size_t i = 0; out && i < text->n; i++) {
        if (text->p[i] != '\r')
            out[n++] = text->p[i];
        else if (i + 1 == text->n || text->p[i + 1] != '\n')
            return false;
    }
    *text = (Str){ .p = out, .n = n };
    return out != NULL;
}

static bool prepare(struct arena *mem, Str *text)
{
    if (!utf8_is_valid(*text))
        return false;
    for (size_t i = 0; i < text->n; i++)
        if (is_refused_at((const unsigned char *)text->p + i))
            return false;
    return unify_lines(mem, text);
}

/* --------------------------------- lines -------------------------------- */

void yaml_enter_line(struct yaml *y, size_t start)
{
    size_t left = y->text.n - start;
    const char *end = left ? memchr(y->text.p + start, '\n', left) : NULL;
    y->line = y->at = start;
    y->line_end = end ? (size_t)(end - y->text.p) : y->text.n;
}

bool yaml_ends_line(struct yaml *y)
{
    yaml_skip_spaces(y);
    bool is_comment = yaml_peek(y) == '#' && (y->at == y->line || y->text.p[y->at - 1] == ' ');
    if (is_comment)
        y->at = y->line_end;
    return y->at == y->line_end;
}

bool yaml_is_marker_like(const struct yaml *y)
{
    Str line = str_sub(y->text, y->line, y->line_end);
    return str_starts(line, STR("---")) || str_starts(line, STR("..."));
}

/* ---------------------------- block collections ------------------------- */

static struct yaml_level *innermost(struct yaml *y)
{
    return y->depth ? &y->levels[y->depth - 1] : NULL;
}

static void close_level(struct yaml *y)
{
    if (innermost(y)->is_pending)
        json_build_null(&y->build);
    json_build_end(&y->build);
    y->depth--;
}

/* A value begins: whoever waited for it has it. */
static bool begin_value(struct stream *s)
{
    struct yaml_level *level = innermost(&s->y);
    bool *is_free = level ? &level->is_pending : &s->has_root;
    bool is_expected = level ? level->is_pending : !s->has_root;
    *is_free = !level;
    return is_expected && yaml_has_room(&s->y);
}

static bool open_level(struct stream *s, size_t indent, bool is_list)
{
    struct yaml *y = &s->y;
    if (!begin_value(s) || y->depth == YAML_DEPTH_MAX)
        return false;
    json_build_begin(&y->build, is_list ? JSON_ARRAY : JSON_OBJECT);
    y->levels[y->depth++] = (struct yaml_level){ .indent = indent, .is_list = is_list };
    return true;
}

/* The dash or key of a further entry; what came before it may have had no value. */
static bool begin_entry(struct stream *s, size_t indent, bool is_list)
{
    struct yaml *y = &s->y;
    struct yaml_level *level = innermost(y);
    bool is_further = level && level->indent == indent && level->is_list == is_list;
    if (is_further && level->is_pending)
        json_build_null(&y->build);
    if (!is_further && !open_level(s, indent, is_list))
        return false;
    innermost(y)->is_pending = true;
    return yaml_has_room(y);
}

static bool is_dash(const struct yaml *y)
{
    char next = yaml_ahead(y, 1);
    return yaml_peek(y) == '-' && (next == ' ' || next == '\n');
}

/* Ends what is indented deeper than a line at that column, and says whether the line may go on
 * where it stands then. */
static bool settle(struct stream *s, size_t column)
{
    struct yaml *y = &s->y;
    while (y->depth && innermost(y)->indent > column)
        close_level(y);
    const struct yaml_level *level = innermost(y);
    if (!level)
        return !s->has_root;
    if (level->indent < column)
        return level->is_pending;
    if (!level->is_list)
        return level->is_pending || !is_dash(y);
    if (is_dash(y))
        return true;
    /* A list at its mapping's own indent ends before the next key. */
    bool is_in_mapping = y->depth > 1 && y->levels[y->depth - 2].indent == column;
    if (is_in_mapping)
        close_level(y);
    return is_in_mapping;
}

/* A value that is no block collection, and the end of its line. */
static bool add_inline(struct stream *s)
{
    struct yaml *y = &s->y;
    struct yaml_scalar scalar;
    char c = yaml_peek(y);
    if (!begin_value(s))
        return false;
    if (c == '|' || c == '>')
        return yaml_add_block_scalar(y);
    if (c == '[' || c == '{')
        return yaml_add_flow(y) && yaml_ends_line(y);
    return yaml_scan_scalar(y, false, &scalar) && yaml_ends_line(y) && yaml_add_scalar(y, &scalar);
}

static bool add_pair(struct stream *s, size_t column, const struct yaml_scalar *key)
{
    struct yaml *y = &s->y;
    if (!begin_entry(s, column, false) || !yaml_add_key(y, key))
        return false;
    return yaml_ends_line(y) || add_inline(s);
}

/* A line's content behind its dashes: a pair, or a value. */
static bool add_content(struct stream *s, size_t column)
{
    struct yaml *y = &s->y;
    struct yaml_scalar scalar;
    char c = yaml_peek(y);
    size_t start = y->at;
    bool may_be_key = c != '|' && c != '>' && c != '[' && c != '{';
    if (may_be_key) {
        if (!yaml_scan_scalar(y, false, &scalar))
            return false;
        if (yaml_takes_colon(y, false, &scalar))
            return add_pair(s, column, &scalar);
        y->at = start;
    }
    const struct yaml_level *level = innermost(y);
    return (!level || level->indent < column) && add_inline(s);
}

static bool read_line(struct stream *s)
{
    struct yaml *y = &s->y;
    bool is_header = yaml_peek(y) == '|' || yaml_peek(y) == '>'; /* alone: its indent is unclear */
    if (is_header || !settle(s, y->at - y->line))
        return false;
    while (is_dash(y)) {
        if (!begin_entry(s, y->at - y->line, true))
            return false;
        y->at++;
        if (yaml_ends_line(y))
            return true;
    }
    return add_content(s, y->at - y->line);
}

/* ------------------------------- documents ------------------------------ */

static void end_document(struct stream *s)
{
    struct yaml *y = &s->y;
    while (y->depth)
        close_level(y);
    if (s->state == STATE_OPEN && !s->has_root)
        json_build_null(&y->build);
    s->has_root = false;
}

/* A marker stands alone on its line. */
static bool read_marker(struct stream *s)
{
    struct yaml *y = &s->y;
    bool is_start = yaml_peek(y) == '-';
    y->at += 3;
    if (!yaml_ends_line(y) || (!is_start && s->state != STATE_OPEN) || !yaml_has_room(y))
        return false;
    end_document(s);
    s->state = is_start ? STATE_OPEN : STATE_ENDED;
    return true;
}

static bool read_lines(struct stream *s)
{
    struct yaml *y = &s->y;
    for (size_t next = 0; next < y->text.n; next = y->line_end + 1) {
        yaml_enter_line(y, next);
        if (yaml_ends_line(y))
            continue;
        if (y->at == y->line && yaml_is_marker_like(y)) {
            if (!read_marker(s))
                return false;
            continue;
        }
        if (s->state == STATE_ENDED)
            return false;
        s->state = STATE_OPEN;
        if (!read_line(s))
            return false;
    }
    end_document(s);
    return true;
}

bool read_yaml(Str text, struct arena *mem, struct json_doc *out)
{
    struct stream s = { .y = { .text = text, .mem = mem } };
    struct json_build *build = &s.y.build;
    if (!prepare(mem, &s.y.text))
        return false;
    json_build_init(build, mem);
    json_build_begin(build, JSON_OBJECT);
    json_build_key(build, STR("documents"));
    json_build_begin(build, JSON_ARRAY);
    if (!read_lines(&s))
        return false;
    json_build_end(build);
    json_build_end(build);
    return json_build_keys_differ(build) && json_build_finish(build, out);
}
