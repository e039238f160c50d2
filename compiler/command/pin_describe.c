/* SPDX-License-Identifier: Apache-2.0 */
/* pin_describe.c - what changed between two snapshots, in words.
 *
 * The digest decides whether a tool changed; the words come from what the compiler understands of
 * the two definitions, and where that sees no difference the changed member is named. Texts of a
 * server are shown escaped and cut: they may be written to mislead whoever reads this.
 */
#include "compiler/command/pin_write.h"
#include "compiler/source/text.h"
#include "runtime/pin/pin.h"

enum { SHOWN_BYTES = 160, PATH_BYTES = 512, LINES_PER_TOOL_MAX = 100 };

struct telling {
    struct arena *mem;
    struct buf *out;
    Str tool;
    size_t lines, tool_lines;
};

static void tell(struct telling *t, const char *format, ...) PRINTF_LIKE(2, 3);

static void tell(struct telling *t, const char *format, ...)
{
    va_list args;
    char text[1024];
    t->lines++;
    if (++t->tool_lines > LINES_PER_TOOL_MAX) {
        if (t->tool_lines == LINES_PER_TOOL_MAX + 1)
            buf_printf(t->out, "%.*s: and more\n", STR_ARG(t->tool));
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    buf_printf(t->out, "%.*s: %s\n", STR_ARG(t->tool), text);
}

/* A server's text in quotes, escaped and cut; in the arena. */
static Str shown(struct telling *t, Str text)
{
    struct buf escaped;
    buf_init(&escaped, (size_t)SHOWN_BYTES * 8);
    bool is_cut = text.n > SHOWN_BYTES;
    size_t n = is_cut ? SHOWN_BYTES : text.n;
    while (is_cut && n && ((unsigned char)text.p[n] & 0xC0) == 0x80)
        n--;
    json_write_string(&escaped, str_sub(text, 0, n));
    if (is_cut)
        buf_add(&escaped, STR("..."));
    Str out = arena_copy(t->mem, text_visible(t->mem, buf_str(&escaped)));
    buf_free(&escaped);
    return out;
}
