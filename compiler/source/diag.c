/* SPDX-License-Identifier: Apache-2.0 */
/* diag.c - the list of what is wrong, and its two renderings. Messages quote sources and snapshots,
 * so each is made harmless for a terminal when it is added, and each source line when it is shown.
 */
#include "compiler/source/diag.h"

#include "compiler/source/text.h"
#include "runtime/json/json.h"

#include <stdarg.h>
#include <stdlib.h>

enum { LINE_NUMBER_WIDTH = 3, BYTE_ORDER_MARK = 0xFEFF };

static const struct {
    const char *text;
    uint32_t number;
    enum diag_severity severity;
} table[] = {
#define DIAG(name, number, severity, text) [DIAG_##name] = { text, number, SEVERITY_##severity },
#include "compiler/source/diag.def"
#undef DIAG
};

/* Two diagnostics with one number don't compile. */
enum {
#define DIAG(name, number, severity, text) DIAG_NUMBER_##number,
#include "compiler/source/diag.def"
#undef DIAG
};

uint32_t diag_number(enum diag_id id)
{
    return table[id].number;
}

enum diag_severity diag_severity(enum diag_id id)
{
    return table[id].severity;
}

void diags_init(struct diags *diags, struct arena *mem)
{
    *diags = (struct diags){ .mem = mem };
}

/* The formats are those of diag.def and diag_help's callers; each row has a golden test. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static PRINTF_LIKE(2, 0) Str format_text(struct arena *mem, const char *format, va_list args)
{
    char raw[DIAG_TEXT_BYTES], shown[DIAG_TEXT_BYTES];
    int n = vsnprintf(raw, sizeof raw, format, args);
    size_t length = n < 0 ? 0 : (size_t)n < sizeof raw ? (size_t)n : sizeof raw - 1;
    size_t count = text_visible((Str){ .p = raw, .n = length }, shown, sizeof shown);
    return arena_copy(mem, (Str){ .p = shown, .n = count });
}

void diag_add(struct diags *diags, enum diag_id id, Span span, ...)
{
    ENSURE(id < DIAG_COUNT && span.lo <= span.hi);
    va_list args;
    va_start(args, span);
    Str message = format_text(diags->mem, table[id].text, args);
    va_end(args);
    diags->last = NULL;
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *old = &diags->items[i];
        if (old->id == id && old->span.source == span.source && old->span.lo == span.lo &&
            str_eq(old->message, message))
            return;
    }
    if (table[id].severity == SEVERITY_ERROR)
        diags->errors++;
    if (diags->count == DIAG_MAX) {
        diags->dropped++;
        return;
    }
    diags->last = &diags->items[diags->count++];
    *diags->last = (struct diag){ .id = id, .span = span, .message = message };
}
#pragma GCC diagnostic pop

void diag_help(struct diags *diags, const char *format, ...)
{
    if (!diags->last)
        return;
    va_list args;
    va_start(args, format);
    diags->last->help = format_text(diags->mem, format, args);
    va_end(args);
}

void diag_fix(struct diags *diags, Str fix)
{
    if (diags->last)
        diags->last->fix = arena_copy(diags->mem, fix);
}

void diag_relate(struct diags *diags, Span span)
{
    if (!diags->last)
        return;
    diags->last->has_related = true;
    diags->last->related = span;
}

static int compare_diags(const void *left, const void *right)
{
    const struct diag *a = left, *b = right;
    if (a->span.source != b->span.source)
        return a->span.source < b->span.source ? -1 : 1;
    if (a->span.lo != b->span.lo)
        return a->span.lo < b->span.lo ? -1 : 1;
    if (a->id != b->id)
        return a->id < b->id ? -1 : 1;
    return str_cmp(a->message, b->message);
}

void diags_sort(struct diags *diags)
{
    if (diags->count > 1)
        qsort(diags->items, diags->count, sizeof diags->items[0], compare_diags);
    diags->last = NULL;
}

static const char *severity_word(const struct diag *diag)
{
    return table[diag->id].severity == SEVERITY_ERROR ? "error" : "warning";
}

static char severity_letter(const struct diag *diag)
{
    return table[diag->id].severity == SEVERITY_ERROR ? 'E' : 'W';
}

static void add_visible(struct buf *out, Str text)
{
    char shown[DIAG_TEXT_BYTES];
    buf_add(out, (Str){ .p = shown, .n = text_visible(text, shown, sizeof shown) });
}

/* The columns of a line that are shown: all, or a window around the caret. */
struct window {
    uint32_t from, to; /* 0-based columns, to is one past */
    uint32_t columns;  /* of the whole line */
};

static struct window window_of(Str line, uint32_t column)
{
    struct window w = { .from = 0, .to = 0, .columns = 0 };
    for (size_t at = 0, length = 0; at < line.n; at += length) {
        (void)text_decode(line, at, &length);
        w.columns++;
    }
    w.to = w.columns;
    if (w.columns <= DIAG_LINE_COLUMNS)
        return w;
    uint32_t before = DIAG_LINE_COLUMNS / 2;
    w.from = column - 1 > before ? column - 1 - before : 0;
    w.to = w.from + DIAG_LINE_COLUMNS < w.columns ? w.from + DIAG_LINE_COLUMNS : w.columns;
    return w;
}

/* One column for each code point, so that the carets stand below what they mean. */
static void render_line(struct buf *out, Str line, const struct window *w)
{
    if (w->from)
        buf_add(out, STR("..."));
    uint32_t column = 0;
    for (size_t at = 0, length = 0; at < line.n; at += length, column++) {
        uint32_t code = text_decode(line, at, &length);
        if (column < w->from || column >= w->to)
            continue;
        if (code == '\t')
            buf_add_char(out, ' ');
        else if (code == TEXT_INVALID || code == BYTE_ORDER_MARK || text_is_control(code) ||
                 text_is_direction(code))
            buf_add_char(out, '?');
        else
            buf_add(out, str_sub(line, at, at + length));
    }
    if (w->to < w->columns)
        buf_add(out, STR("..."));
    buf_add_char(out, '\n');
}

static void render_carets(struct buf *out, const struct diag *diag, const struct window *w,
                          uint32_t column, uint32_t end_column)
{
    uint32_t indent = column - 1 - w->from + (w->from ? 3 : 0);
    uint32_t last = end_column - 1 < w->to ? end_column - 1 : w->to;
    uint32_t carets = last > column - 1 ? last - (column - 1) : 1;
    for (uint32_t i = 0; i < indent; i++)
        buf_add_char(out, ' ');
    for (uint32_t i = 0; i < carets; i++)
        buf_add_char(out, '^');
    if (diag->help.n) {
        buf_add(out, STR("  "));
        buf_add(out, diag->help);
    }
    buf_add_char(out, '\n');
}

/* Before any source could be read there is no place to point at. */
static void render_bare(struct buf *out, const struct diag *diag)
{
    buf_printf(out, "%s[%c%u]: ", severity_word(diag), severity_letter(diag),
               table[diag->id].number);
    buf_add(out, diag->message);
    buf_add_char(out, '\n');
}

static void render_one(struct buf *out, const struct diag *diag, const struct source *source)
{
    uint32_t line, column, end_line, end_column;
    source_position(source, diag->span.lo, &line, &column);
    source_position(source, diag->span.hi, &end_line, &end_column);
    add_visible(out, source->path);
    buf_printf(out, ":%u:%u: %s[%c%u]: ", line, column, severity_word(diag), severity_letter(diag),
               table[diag->id].number);
    buf_add(out, diag->message);
    buf_add_char(out, '\n');
    Str text = source_line(source, line);
    struct window w = window_of(text, column);
    if (end_line > line)
        end_column = w.columns + 1;
    buf_printf(out, text.n ? "%*u | " : "%*u |", LINE_NUMBER_WIDTH, line);
    render_line(out, text, &w);
    int width = snprintf(NULL, 0, "%*u", LINE_NUMBER_WIDTH, line);
    buf_printf(out, "%*s | ", width, "");
    render_carets(out, diag, &w, column, end_column);
}

void diags_render(struct diags *diags, const struct sources *sources, struct buf *out)
{
    diags_sort(diags);
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        if (diag->span.source < sources->count)
            render_one(out, diag, &sources->items[diag->span.source]);
        else
            render_bare(out, diag);
    }
    if (diags->dropped)
        buf_printf(out, "... and %u more\n", diags->dropped);
}

static void json_text_member(struct buf *out, const char *key, Str text)
{
    char shown[DIAG_TEXT_BYTES];
    size_t n = text_visible(text, shown, sizeof shown);
    buf_printf(out, "\"%s\":", key);
    json_write_string(out, (Str){ .p = shown, .n = n });
}

static void json_one(struct buf *out, const struct diag *diag, const struct source *source)
{
    uint32_t line, column, end_line, end_column;
    source_position(source, diag->span.lo, &line, &column);
    source_position(source, diag->span.hi, &end_line, &end_column);
    buf_add_char(out, '{');
    json_text_member(out, "path", source->path);
    buf_printf(out, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", line, column,
               end_line, end_column);
    buf_printf(out, ",\"severity\":\"%s\",\"code\":\"%c%u\",", severity_word(diag),
               severity_letter(diag), table[diag->id].number);
    json_text_member(out, "message", diag->message);
    buf_add_char(out, ',');
    json_text_member(out, "help", diag->help);
    buf_add_char(out, '}');
}

/* Stands in where no source could be read. */
static uint32_t first_line;
static const struct source no_source = { .lines = &first_line, .line_count = 1 };

void diags_json(struct diags *diags, const struct sources *sources, struct buf *out)
{
    diags_sort(diags);
    buf_add_char(out, '[');
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct diag *diag = &diags->items[i];
        bool has_source = diag->span.source < sources->count;
        if (i)
            buf_add_char(out, ',');
        json_one(out, diag, has_source ? &sources->items[diag->span.source] : &no_source);
    }
    buf_add_char(out, ']');
}
