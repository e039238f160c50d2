/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - packets, written and read by one table. */
#include "runtime/keeper/message.h"

enum { HEAD_BYTES = 2 + 8 + 8 };

static const size_t field_counts[MESSAGE_COUNT] = {
#define MESSAGE(name, fields, doc) fields,
#include "runtime/keeper/message.def"
#undef MESSAGE
};

static void write_number(struct buf *out, uint64_t number, unsigned bytes)
{
    for (unsigned i = bytes; i > 0; i--)
        buf_add_char(out, (char)(unsigned char)(number >> (8 * (i - 1))));
}

static uint64_t read_number(Str bytes, size_t at, unsigned count)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < count; i++)
        number = number << 8 | (unsigned char)bytes.p[at + i];
    return number;
}

void message_write(const struct message *message, struct buf *out)
{
    ENSURE(message->type < MESSAGE_COUNT);
    buf_add_char(out, MESSAGE_VERSION);
    buf_add_char(out, (char)message->type);
    write_number(out, message->id, 8);
    write_number(out, message->number, 8);
    for (size_t i = 0; i < field_counts[message->type]; i++) {
        if (message->fields[i].n > MESSAGE_BYTES_MAX)
            out->is_full = true;
        write_number(out, message->fields[i].n, 4);
        buf_add(out, message->fields[i]);
    }
}

enum status message_read(Str bytes, struct message *out)
{
    if (bytes.n < HEAD_BYTES || bytes.n > MESSAGE_BYTES_MAX || bytes.p[0] != MESSAGE_VERSION ||
        (unsigned char)bytes.p[1] >= MESSAGE_COUNT)
        return ST_INVALID;
    struct message found = { .type = (enum message_type)bytes.p[1],
                             .id = read_number(bytes, 2, 8),
                             .number = read_number(bytes, 10, 8) };
    size_t at = HEAD_BYTES;
    for (size_t i = 0; i < field_counts[found.type]; i++) {
        if (bytes.n - at < 4)
            return ST_INVALID;
        size_t n = (size_t)read_number(bytes, at, 4);
        at += 4;
        if (bytes.n - at < n)
            return ST_INVALID;
        found.fields[i] = str_sub(bytes, at, at + n);
        at += n;
    }
    if (at != bytes.n)
        return ST_INVALID;
    *out = found;
    return ST_OK;
}
