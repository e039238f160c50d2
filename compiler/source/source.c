/* SPDX-License-Identifier: Apache-2.0 */
/* source.c - files whole in memory, each with a map of its lines. Everything else speaks of a
 * source by byte offsets; a line and a column are worked out only when a person is to read them. */
#include "compiler/source/diag.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { READ_STEP = 64 * 1024 };

/* Reads all of fd into out, which is capped: full means too long. */
static enum status read_all(int fd, struct buf *out)
{
    for (;;) {
        if (!buf_reserve(out, 1))
            return ST_LIMIT;
        size_t room = out->limit - out->n < READ_STEP ? out->limit - out->n : READ_STEP;
        if (!buf_reserve(out, room))
            return ST_NO_MEMORY;
        ssize_t n = read(fd, out->p + out->n, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return ST_IO;
        if (n == 0)
            return ST_OK;
        out->n += (size_t)n;
    }
}

static enum status read_path(Str path, size_t max_bytes, bool only_regular, struct arena *mem,
                             Str *text)
{
    Str name = arena_copy(mem, path);
    if (!name.p)
        return ST_NO_MEMORY;
    if (path.n == 0 || memchr(path.p, 0, path.n))
        return ST_NOT_FOUND;
    /* Without O_NONBLOCK a pipe that nobody writes to would hold the open itself. */
    int fd = open(name.p, O_RDONLY | O_CLOEXEC | O_NOCTTY | (only_regular ? O_NONBLOCK : 0));
    if (fd < 0)
        return errno == ENOENT ? ST_NOT_FOUND : ST_IO;
    struct stat st;
    if (only_regular && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
        (void)close(fd);
        return ST_UNSUPPORTED;
    }
    struct buf bytes;
    buf_init(&bytes, max_bytes + 1); /* one more than allowed shows that there is more */
    enum status status = read_all(fd, &bytes);
    (void)close(fd);
    if (status == ST_OK && bytes.n > max_bytes)
        status = ST_LIMIT;
    Str copy = { .p = NULL, .n = 0 };
    if (status == ST_OK) {
        copy = arena_copy(mem, buf_str(&bytes));
        if (!copy.p)
            status = ST_NO_MEMORY;
    }
    buf_free(&bytes);
    if (status == ST_OK)
        *text = copy;
    return status;
}

enum status file_read(Str path, size_t max_bytes, struct arena *mem, Str *text)
{
    return read_path(path, max_bytes, true, mem, text);
}

/* A copy, so that what stands in may change while the sources are in use. */
static bool find_overlay(const struct sources *sources, Str path, struct arena *mem, Str *text)
{
    Str found;
    if (!sources->overlay || !sources->overlay->find(sources->overlay->user, path, &found))
        return false;
    *text = arena_copy(mem, found);
    return text->p != NULL;
}

enum status sources_file(const struct sources *sources, Str path, size_t max_bytes,
                         struct arena *mem, Str *text)
{
    if (!find_overlay(sources, path, mem, text))
        return file_read(path, max_bytes, mem, text);
    return text->n > max_bytes ? ST_LIMIT : ST_OK;
}

static uint32_t line_count(Str text)
{
    uint32_t count = 1;
    for (size_t i = 0; i < text.n; i++)
        count += text.p[i] == '\n';
    return count;
}

/* Takes path and text, which lie in mem. */
static enum status source_take(struct sources *sources, Str path, Str text, struct arena *mem,
                               uint32_t *index)
{
    uint32_t count = line_count(text), line = 0;
    uint32_t *lines = ARENA_NEW(mem, uint32_t, count);
    if (!lines)
        return ST_NO_MEMORY;
    lines[line++] = 0;
    for (size_t i = 0; i < text.n; i++)
        if (text.p[i] == '\n')
            lines[line++] = (uint32_t)i + 1;
    sources->items[sources->count] =
        (struct source){ .path = path, .text = text, .lines = lines, .line_count = count };
    *index = sources->count++;
    return ST_OK;
}

enum status source_read(struct sources *sources, Str path, struct arena *mem, uint32_t *index)
{
    if (sources->count >= SOURCES_MAX)
        return ST_LIMIT;
    Str text, name = arena_copy(mem, path);
    if (!name.p)
        return ST_NO_MEMORY;
    enum status status = find_overlay(sources, path, mem, &text)
                             ? ST_OK
                             : read_path(path, SOURCE_BYTES_MAX, false, mem, &text);
    if (status == ST_OK && text.n > SOURCE_BYTES_MAX)
        status = ST_LIMIT;
    return status == ST_OK ? source_take(sources, name, text, mem, index) : status;
}

enum status source_add(struct sources *sources, Str path, Str text, struct arena *mem,
                       uint32_t *index)
{
    if (sources->count >= SOURCES_MAX || text.n > SOURCE_BYTES_MAX)
        return ST_LIMIT;
    Str name = arena_copy(mem, path), copy = arena_copy(mem, text);
    if (!name.p || !copy.p)
        return ST_NO_MEMORY;
    return source_take(sources, name, copy, mem, index);
}

void source_position(const struct source *source, uint32_t offset, uint32_t *line, uint32_t *column)
{
    ENSURE(offset <= source->text.n);
    uint32_t lo = 0, hi = source->line_count; /* lines[lo] <= offset < lines[hi] */
    while (hi - lo > 1) {
        uint32_t middle = lo + (hi - lo) / 2;
        if (source->lines[middle] <= offset)
            lo = middle;
        else
            hi = middle;
    }
    uint32_t count = 1;
    for (uint32_t i = source->lines[lo]; i < offset; i++)
        count += ((unsigned char)source->text.p[i] & 0xC0) != 0x80;
    *line = lo + 1;
    *column = count;
}

Str source_line(const struct source *source, uint32_t line)
{
    ENSURE(line >= 1 && line <= source->line_count);
    size_t lo = source->lines[line - 1];
    size_t hi = line < source->line_count ? source->lines[line] - 1 : source->text.n;
    if (hi > lo && source->text.p[hi - 1] == '\r')
        hi--;
    return str_sub(source->text, lo, hi);
}
