/* SPDX-License-Identifier: Apache-2.0 */
/* frame.c - the header is read strictly, since two readers that disagree on a length have lost each
 * other for good. */
#include "compiler/lsp/frame.h"

enum { FEED_MAX = 1 << 20 /* bytes waiting behind the longest message */ };

void frame_init(struct frame_reader *reader)
{
    *reader = (struct frame_reader){ .used = 0 };
    buf_init(&reader->bytes, (size_t)FRAME_HEADER_MAX + FRAME_BODY_MAX + FEED_MAX);
}

void frame_free(struct frame_reader *reader)
{
    buf_free(&reader->bytes);
}

static void forget_used(struct frame_reader *reader)
{
    buf_drop(&reader->bytes, reader->used);
    reader->used = 0;
}

bool frame_feed(struct frame_reader *reader, Str bytes)
{
    forget_used(reader);
    size_t dropped = bytes.n < reader->drop ? bytes.n : (size_t)reader->drop;
    reader->drop -= dropped;
    buf_add(&reader->bytes, str_sub(bytes, dropped, bytes.n));
    return !reader->bytes.is_full;
}

enum header { HEADER_PARTIAL, HEADER_WHOLE, HEADER_BAD };

struct head {
    size_t bytes; /* with the empty line */
    uint64_t length;
    uint32_t lengths; /* fields that say one */
};

/* "Name: value" without its line end. */
static bool read_field(Str line, struct head *head)
{
    const char *colon = memchr(line.p, ':', line.n);
    if (!colon || colon == line.p)
        return false;
    size_t at = (size_t)(colon - line.p);
    Str name = str_sub(line, 0, at), value = str_trim(str_sub(line, at + 1, line.n));
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] <= ' ' || (unsigned char)name.p[i] >= 0x7F)
            return false;
    if (!str_eq_nocase(name, STR("Content-Length")))
        return true;
    return ++head->lengths == 1 && str_to_u64(value, FRAME_DROP_MAX, &head->length);
}

static enum header read_head(Str bytes, struct head *head)
{
    size_t at = 0;
    *head = (struct head){ .bytes = 0 };
    for (;;) {
        const char *end = bytes.n > at ? memchr(bytes.p + at, '\n', bytes.n - at) : NULL;
        size_t seen = end ? (size_t)(end - bytes.p) + 1 : bytes.n;
        if (seen > FRAME_HEADER_MAX)
            return HEADER_BAD;
        if (!end)
            return HEADER_PARTIAL;
        Str line = str_sub(bytes, at, seen - 1);
        if (!str_ends(line, STR("\r")))
            return HEADER_BAD;
        line.n--;
        at = seen;
        if (line.n == 0)
            break;
        if (!read_field(line, head))
            return HEADER_BAD;
    }
    head->bytes = at;
    return head->lengths == 1 ? HEADER_WHOLE : HEADER_BAD;
}

static enum frame drop_body(struct frame_reader *reader, const struct head *head)
{
    size_t here = reader->bytes.n - head->bytes;
    size_t dropped = here < head->length ? here : (size_t)head->length;
    reader->drop = head->length - dropped;
    buf_drop(&reader->bytes, head->bytes + dropped);
    return FRAME_DROPPED;
}

enum frame frame_next(struct frame_reader *reader, Str *message)
{
    struct head head;
    forget_used(reader);
    enum header header = reader->is_broken ? HEADER_BAD : read_head(buf_str(&reader->bytes), &head);
    if (header == HEADER_BAD) {
        reader->is_broken = true;
        return FRAME_BROKEN;
    }
    if (header == HEADER_PARTIAL)
        return FRAME_NONE;
    if (head.length > FRAME_BODY_MAX)
        return drop_body(reader, &head);
    if (reader->bytes.n - head.bytes < head.length)
        return FRAME_NONE;
    reader->used = head.bytes + (size_t)head.length;
    *message = str_sub(buf_str(&reader->bytes), head.bytes, reader->used);
    return FRAME_MESSAGE;
}

bool frame_peek(const struct frame_reader *reader, size_t *at, Str *message)
{
    struct head head;
    Str all = buf_str(&reader->bytes);
    size_t from = reader->used + *at;
    if (from >= all.n)
        return false;
    Str rest = str_sub(all, from, all.n);
    if (read_head(rest, &head) != HEADER_WHOLE || rest.n - head.bytes < head.length)
        return false;
    *message = str_sub(rest, head.bytes, head.bytes + (size_t)head.length);
    *at += head.bytes + (size_t)head.length;
    return true;
}

void frame_write(struct buf *out, Str body)
{
    buf_printf(out, "Content-Length: %zu\r\n\r\n", body.n);
    buf_add(out, body);
}
