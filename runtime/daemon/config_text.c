/* SPDX-License-Identifier: Apache-2.0 */
/* config_text.c - the configuration as text: comments, lines, key paths, complaints.
 *
 * Comments become blanks of the same length, so every offset that the strict reader reports is
 * one of the operator's file. Paths and lines are found from an offset by walking the text anew:
 * slow, but only ever done for a file that is refused.
 */
#include "runtime/base/buf.h"
#include "runtime/daemon/config_reader.h"

#include <stdarg.h>
#include <stdio.h>

enum {
    COMPLAINT_MAX = 512,          /* bytes of one, without file, line and path */
    COMPLAINTS_MAX = 1024 * 1024, /* of all together */
};

/* Blanks [from, to) but for line ends. */
static void blank(char *text, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (text[i] != '\n' && text[i] != '\r')
            text[i] = ' ';
    }
}

/* The byte behind the string that begins at text[at], or n when it never ends. */
static size_t skip_string(const char *text, size_t n, size_t at)
{
    for (at++; at < n; at++) {
        if (text[at] == '\\')
            at++;
        else if (text[at] == '"' || text[at] == '\n')
            return at + 1; /* a string can't hold a line end: the reader will say so */
    }
    return n;
}

/* The byte behind the comment at text[at], at if there is none, SIZE_MAX if it never ends. */
static size_t skip_comment(const char *text, size_t n, size_t at)
{
    Str rest = { .p = text + at, .n = n - at };
    if (str_starts(rest, STR("//"))) {
        const char *end = memchr(rest.p, '\n', rest.n);
        return end ? (size_t)(end - text) : n;
    }
    if (!str_starts(rest, STR("/*")))
        return at;
    const char *end = memmem(rest.p + 2, rest.n - 2, "*/", 2);
    return end ? (size_t)(end - text) + 2 : SIZE_MAX;
}

bool config_blank_comments(char *text, size_t n, uint32_t *at)
{
    for (size_t i = 0; i < n;) {
        if (text[i] == '"') {
            i = skip_string(text, n, i);
            continue;
        }
        size_t end = skip_comment(text, n, i);
        if (end == SIZE_MAX) {
            *at = (uint32_t)i;
            return false;
        }
        blank(text, i, end);
        i = end > i ? end : i + 1;
    }
    return true;
}

/* The byte behind the value at text[at]. */
static size_t skip_value(const char *text, size_t n, size_t at)
{
    size_t depth = 0;
    while (at < n) {
        char c = text[at];
        if (depth == 0 && (c == ',' || c == '}' || c == ']'))
            return at;
        depth += c == '{' || c == '[';
        depth -= c == '}' || c == ']';
        at = c == '"' ? skip_string(text, n, at) : at + 1;
    }
    return n;
}

void config_blank_member(char *text, size_t n, uint32_t value)
{
    size_t comma = value;
    for (size_t i = 0; i < value; i = text[i] == '"' ? skip_string(text, n, i) : i + 1)
        comma = text[i] == ',' ? i : comma; /* only a key is between the last one and its value */
    blank(text, comma, skip_value(text, n, value));
}

static size_t line_of(Str text, uint32_t offset)
{
    size_t line = 1;
    for (size_t i = 0; i < offset && i < text.n; i++)
        line += text.p[i] == '\n';
    return line;
}

/* One container on the way to an offset. */
struct level {
    bool is_array;
    size_t index; /* of the element, in an array */
    Str key;      /* as written, in an object; p is NULL before the first */
};

struct trail {
    struct level levels[CONFIG_DEPTH_MAX];
    size_t depth; /* may be beyond what levels holds */
};

static struct level *innermost(struct trail *trail)
{
    bool is_known = trail->depth > 0 && trail->depth <= CONFIG_DEPTH_MAX;
    return is_known ? &trail->levels[trail->depth - 1] : NULL;
}

static void follow_char(struct trail *trail, char c)
{
    struct level *level = NULL;
    switch (c) {
    case '{':
    case '[':
        trail->depth++;
        level = innermost(trail);
        if (level)
            *level = (struct level){ .is_array = c == '[' };
        break;
    case '}':
    case ']': trail->depth -= trail->depth > 0; break;
    case ',':
        level = innermost(trail);
        if (level) {
            level->index++;
            level->key = (Str){ .p = NULL, .n = 0 };
        }
        break;
    default: break;
    }
}

Str config_cut(Str s)
{
    size_t n = s.n < CONFIG_ECHO_MAX ? s.n : CONFIG_ECHO_MAX;
    while (n > 0 && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

static struct trail follow(Str text, uint32_t offset)
{
    struct trail trail = { .depth = 0 };
    for (size_t i = 0; i < offset && i < text.n;) {
        if (text.p[i] != '"') {
            follow_char(&trail, text.p[i++]);
            continue;
        }
        size_t end = skip_string(text.p, text.n, i);
        struct level *level = innermost(&trail);
        if (level && !level->is_array && !level->key.p && end >= i + 2)
            level->key = str_sub(text, i + 1, end - 1);
        i = end;
    }
    return trail;
}

Str config_path_at(struct arena *mem, Str text, uint32_t offset)
{
    struct trail trail = follow(text, offset);
    Str path = STR("");
    for (size_t i = 0; i < trail.depth && i < CONFIG_DEPTH_MAX; i++) {
        const struct level *level = &trail.levels[i];
        if (level->is_array)
            path = arena_printf(mem, "%.*s[%zu]", STR_ARG(path), level->index);
        else if (level->key.p)
            path = arena_printf(mem, "%.*s%s%.*s", STR_ARG(path), path.n ? "." : "",
                                STR_ARG(config_cut(level->key)));
    }
    return path;
}

void config_complain(struct config_reader *reader, uint32_t offset, const char *format, ...)
{
    char text[COMPLAINT_MAX];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (reader->error_count++ >= CONFIG_ERRORS_MAX)
        return;
    struct config_error *error = &reader->errors[reader->error_count - 1];
    Str path = config_path_at(reader->mem, reader->text, offset);
    error->offset = offset;
    error->text =
        arena_printf(reader->mem, "%s:%zu: %.*s%s%s\n", reader->file, line_of(reader->text, offset),
                     STR_ARG(path), path.n ? ": " : "", text);
    reader->is_spent = reader->is_spent || !error->text.p;
}

/* In the order of the text; those of one place stay in the order of the checks. */
static void sort_errors(struct config_error *errors, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        struct config_error error = errors[i];
        size_t at = i;
        for (; at > 0 && errors[at - 1].offset > error.offset; at--)
            errors[at] = errors[at - 1];
        errors[at] = error;
    }
}

Str config_complaints(struct config_reader *reader)
{
    size_t total = reader->error_count;
    size_t kept = CONFIG_ERRORS_MAX;
    if (total < kept)
        kept = total;
    struct buf all;
    buf_init(&all, COMPLAINTS_MAX);
    sort_errors(reader->errors, kept);
    for (size_t i = 0; i < kept; i++)
        buf_add(&all, reader->errors[i].text);
    if (total > kept)
        buf_printf(&all, "%s: and %zu more\n", reader->file, total - kept);
    Str copy = all.is_full ? STR("") : arena_copy(reader->mem, buf_str(&all));
    buf_free(&all);
    reader->is_spent = reader->is_spent || copy.n == 0;
    return copy.p ? copy : STR("");
}
