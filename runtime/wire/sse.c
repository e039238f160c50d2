/* SPDX-License-Identifier: Apache-2.0 */
/* sse.c - server-sent events in and out.
 *
 * The reader follows the standard where servers differ from each other (line ends, several data
 * lines, comments, BOM), because what it takes for one event the policy judges as one message.
 * What it reports is bytes: whether they are UTF-8 and JSON is for their reader to refuse.
 */
#include "runtime/wire/sse.h"

void sse_reader_init(struct sse_reader *reader, size_t max_event)
{
    *reader = (struct sse_reader){ .retry_ms = -1 };
    buf_init(&reader->line, max_event);
    buf_init(&reader->data, max_event);
    buf_init(&reader->type, max_event);
    buf_init(&reader->id, max_event);
}

void sse_reader_free(struct sse_reader *reader)
{
    buf_free(&reader->line);
    buf_free(&reader->data);
    buf_free(&reader->type);
    buf_free(&reader->id);
}

/* The id stays: it is that of the stream. */
static void forget_event(struct sse_reader *reader)
{
    buf_clear(&reader->data);
    buf_clear(&reader->type);
    reader->retry_ms = -1;
    reader->has_data = reader->has_id = reader->is_reported = false;
}

static void set(struct buf *buf, Str value)
{
    buf_clear(buf);
    buf_add(buf, value);
}

static void set_retry(struct sse_reader *reader, Str value)
{
    uint64_t ms = 0;
    while (value.n > 1 && value.p[0] == '0') /* zeros in front are legal here */
        value = str_sub(value, 1, value.n);
    if (str_to_u64(value, INT64_MAX, &ms))
        reader->retry_ms = (int64_t)ms;
}

static void add_data(struct sse_reader *reader, Str value)
{
    if (reader->has_data)
        buf_add_char(&reader->data, '\n');
    buf_add(&reader->data, value);
    reader->has_data = true;
}

/* One field of an event. Unknown ones are ignored, as the standard says. */
static void take_field(struct sse_reader *reader, Str name, Str value)
{
    if (str_eq(name, STR("data"))) {
        add_data(reader, value);
    } else if (str_eq(name, STR("event"))) {
        set(&reader->type, value);
    } else if (str_eq(name, STR("retry"))) {
        set_retry(reader, value);
    } else if (str_eq(name, STR("id")) && !(value.n && memchr(value.p, '\0', value.n))) {
        set(&reader->id, value);
        reader->has_id = true;
    }
}

/* A line without its end. True when it completes an event that is worth reporting. */
static bool take_line(struct sse_reader *reader, Str line)
{
    if (!reader->is_started && str_starts(line, STR("\xEF\xBB\xBF")))
        line = str_sub(line, 3, line.n);
    reader->is_started = true;
    if (line.n == 0) {
        if (reader->has_data || reader->has_id || reader->retry_ms >= 0)
            return true;
        forget_event(reader);
        return false;
    }
    Str name = str_cut(&line, ':'); /* empty for a comment: no field has that name */
    if (str_starts(line, STR(" ")))
        line = str_sub(line, 1, line.n);
    take_field(reader, name, line);
    return false;
}

/* The index of the first CR or LF, or s.n. */
static size_t find_line_end(Str s)
{
    const char *lf = s.n ? memchr(s.p, '\n', s.n) : NULL;
    size_t n = lf ? (size_t)(lf - s.p) : s.n;
    const char *cr = n ? memchr(s.p, '\r', n) : NULL;
    return cr ? (size_t)(cr - s.p) : n;
}

/* Collects one line in reader->line: true when it is complete. */
static bool read_line(struct sse_reader *reader, Str *in)
{
    if (reader->after_cr && in->n) {
        if (in->p[0] == '\n')
            *in = str_sub(*in, 1, in->n);
        reader->after_cr = false;
    }
    size_t n = find_line_end(*in);
    buf_add(&reader->line, str_sub(*in, 0, n));
    if (n == in->n) {
        *in = str_sub(*in, n, n);
        return false;
    }
    reader->after_cr = in->p[n] == '\r';
    *in = str_sub(*in, n + 1, in->n);
    return true;
}

static void fill_event(struct sse_reader *reader, struct sse_event *event)
{
    *event = (struct sse_event){
        .type = reader->type.n ? buf_str(&reader->type) : STR("message"),
        .data = buf_str(&reader->data),
        .id = buf_str(&reader->id),
        .retry_ms = reader->retry_ms,
    };
    reader->is_reported = true;
}

enum sse_result sse_next(struct sse_reader *reader, Str *in, struct sse_event *event)
{
    if (reader->is_reported)
        forget_event(reader);
    while (!reader->is_bad) {
        bool is_line = read_line(reader, in);
        if (reader->line.is_full)
            break;
        if (!is_line)
            return SSE_MORE;
        bool is_event = take_line(reader, buf_str(&reader->line));
        buf_clear(&reader->line);
        if (reader->data.is_full || reader->type.is_full || reader->id.is_full)
            break;
        if (is_event) {
            fill_event(reader, event);
            return SSE_EVENT;
        }
    }
    reader->is_bad = true;
    return SSE_BAD;
}

static bool is_one_line(Str s)
{
    return find_line_end(s) == s.n;
}

void sse_write_message(struct buf *out, Str id, Str data)
{
    ENSURE(is_one_line(id) && is_one_line(data));
    ENSURE(id.n == 0 || !memchr(id.p, '\0', id.n));
    buf_add(out, STR("event: message\n"));
    if (id.n) {
        buf_add(out, STR("id: "));
        buf_add(out, id);
        buf_add_char(out, '\n');
    }
    buf_add(out, STR("data: "));
    buf_add(out, data);
    buf_add(out, STR("\n\n"));
}

void sse_write_priming(struct buf *out, Str id, int64_t retry_ms)
{
    ENSURE(id.n && is_one_line(id));
    buf_add(out, STR("id: "));
    buf_add(out, id);
    if (retry_ms >= 0)
        buf_printf(out, "\nretry: %lld", (long long)retry_ms);
    buf_add(out, STR("\ndata: \n\n"));
}

void sse_write_keepalive(struct buf *out)
{
    buf_add(out, STR(":\n\n"));
}
