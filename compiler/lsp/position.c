/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/position.h"

#include "compiler/source/text.h"

enum { ASTRAL = 0x10000 /* code points from here on take two UTF-16 units */ };

/* Where the line that begins at `at` ends, and the next begins. */
static size_t next_line(Str text, size_t at)
{
    for (; at < text.n; at++) {
        if (text.p[at] == '\n')
            return at + 1;
        if (text.p[at] == '\r')
            return at + (str_byte(text, at + 1) == '\n' ? 2 : 1);
    }
    return SIZE_MAX;
}

bool line_map_init(struct line_map *map, Str text, struct arena *mem)
{
    uint32_t count = 1;
    for (size_t at = next_line(text, 0); at != SIZE_MAX; at = next_line(text, at))
        count++;
    *map = (struct line_map){ .text = text, .lines = ARENA_NEW(mem, uint32_t, count) };
    if (!map->lines)
        return false;
    map->count = 1;
    for (size_t at = next_line(text, 0); at != SIZE_MAX; at = next_line(text, at))
        map->lines[map->count++] = (uint32_t)at;
    return true;
}

static uint32_t line_end(const struct line_map *map, uint32_t line)
{
    if (line + 1 >= map->count)
        return (uint32_t)map->text.n;
    uint32_t end = map->lines[line + 1];
    while (end > map->lines[line] && (map->text.p[end - 1] == '\n' || map->text.p[end - 1] == '\r'))
        end--;
    return end;
}

static uint32_t units(uint32_t code, size_t length, enum encoding encoding)
{
    if (encoding == ENCODING_UTF8)
        return (uint32_t)length;
    return code >= ASTRAL && code != TEXT_INVALID ? 2 : 1;
}

struct position position_of(const struct line_map *map, uint32_t offset, enum encoding encoding)
{
    uint32_t lo = 0, hi = map->count; /* lines[lo] <= offset < lines[hi] */
    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (map->lines[middle] <= offset)
            lo = middle;
        else
            hi = middle;
    }
    uint32_t character = 0, end = line_end(map, lo);
    size_t length = 0;
    for (uint32_t at = map->lines[lo]; at < offset && at < end; at += (uint32_t)length) {
        uint32_t code = text_decode(map->text, at, &length);
        if (at + length <= offset)
            character += units(code, length, encoding);
    }
    return (struct position){ .line = lo, .character = character };
}

uint32_t position_offset(const struct line_map *map, struct position position,
                         enum encoding encoding)
{
    if (position.line >= map->count)
        return (uint32_t)map->text.n;
    uint32_t at = map->lines[position.line], end = line_end(map, position.line), seen = 0;
    while (at < end) {
        size_t length;
        uint32_t code = text_decode(map->text, at, &length);
        uint32_t more = units(code, length, encoding);
        if (seen + more > position.character)
            break;
        seen += more;
        at += (uint32_t)length;
    }
    return at;
}

/* The protocol's uinteger: at most 2^31 - 1. */
static bool read_number(const struct json_doc *doc, uint32_t node, Str key, uint32_t *out)
{
    uint64_t value;
    uint32_t at = json_member(doc, node, key);
    if (at == JSON_NONE || json_at(doc, at)->type != JSON_NUMBER ||
        !str_to_u64(json_text(json_at(doc, at)), INT32_MAX, &value))
        return false;
    *out = (uint32_t)value;
    return true;
}

bool position_read(const struct json_doc *doc, uint32_t node, struct position *out)
{
    return node != JSON_NONE && read_number(doc, node, STR("line"), &out->line) &&
           read_number(doc, node, STR("character"), &out->character);
}

void range_write(struct buf *out, const struct line_map *map, uint32_t lo, uint32_t hi,
                 enum encoding encoding)
{
    struct position from = position_of(map, lo, encoding), to = position_of(map, hi, encoding);
    buf_printf(out,
               "{\"start\":{\"line\":%u,\"character\":%u},\"end\":{\"line\":%u,\"character\":%u}}",
               from.line, from.character, to.line, to.character);
}
