/* SPDX-License-Identifier: Apache-2.0 */
/* audit.c - one line a decision, whole or not at all.
 *
 * The line is built in memory that was taken when the file was opened, so no call is lost to a
 * full heap, and handed over by a single write() on O_APPEND, so that lines of several processes
 * do not mix. What is no regular file (standard error, a device) may have a reader that stopped:
 * there the line is written as far as there is room, and nobody waits. A short write is a failure:
 * the fragment is not cut off again (another process may have appended behind it), instead the next
 * line begins with a newline. So readers may meet empty lines and fragments; the calls behind
 * fragments were denied.
 *
 * Strings come from clients. Each is cut to its share of the line and written as JSON, invalid
 * UTF-8 as U+FFFD: no input can end a line, forge a field or push another one out.
 */
#include "runtime/audit/audit.h"

#include "runtime/base/buf.h"
#include "runtime/base/log.h"
#include "runtime/base/outlet.h"
#include "runtime/base/utc.h"
#include "runtime/base/world.h"
#include "runtime/json/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    MARK_BYTES = 3, /* "..." */
    QUOTES_BYTES = 2,
    DECISION_STRINGS = 13, /* of a decision's line, besides the names of arguments; one more for
                              what was set */
    NAME_BYTES = 16,       /* a field's name in it, with quotes, colon and comma */
    FIXED_BYTES = 256,     /* time, event, count of the omitted, braces, newlines */
    EXPANSION_MAX = 6,     /* a byte may become \u00XX */
    SCRATCH_BYTES = EXPANSION_MAX * (AUDIT_TEXT_MAX + MARK_BYTES) + QUOTES_BYTES,
    TEXT_ROOM = AUDIT_TEXT_MAX + MARK_BYTES + QUOTES_BYTES,
    KEY_ROOM = AUDIT_KEY_MAX + MARK_BYTES + QUOTES_BYTES + 1,
};

_Static_assert(DECISION_STRINGS *(TEXT_ROOM + NAME_BYTES) + AUDIT_KEYS_MAX * KEY_ROOM +
                       FIXED_BYTES <=
                   AUDIT_LINE_MAX,
               "every decision fits into a line, whatever its strings are");
_Static_assert(AUDIT_FIELDS_MAX *(TEXT_ROOM + KEY_ROOM + 1) + TEXT_ROOM + FIXED_BYTES <=
                   AUDIT_LINE_MAX,
               "and so does every event");

struct audit {
    int fd;
    struct outlet outlet; /* of fd, when it is no regular file */
    bool is_regular;
    char *path;         /* owned; NULL: standard error */
    bool is_unfinished; /* the file ends in the middle of a line */
    struct buf line;
    struct buf clean, text; /* a string on its way into the line: as UTF-8, as JSON */
};

/* The first n bytes of s, fewer if that would cut a code point. */
static Str cut(Str s, size_t n)
{
    if (n >= s.n)
        return s;
    for (int step = 0; step < 3 && n > 0 && ((unsigned char)s.p[n] & 0xC0) == 0x80; step++)
        n--;
    return str_sub(s, 0, n);
}

/* Appends s with each byte that is part of no well-formed sequence replaced by U+FFFD. */
static void add_clean(struct buf *out, Str s)
{
    if (utf8_is_valid(s)) {
        buf_add(out, s);
        return;
    }
    while (s.n) {
        size_t n = 1;
        while (n < 4 && n < s.n && !utf8_is_valid(str_sub(s, 0, n)))
            n++;
        bool is_valid = utf8_is_valid(str_sub(s, 0, n));
        buf_add(out, is_valid ? str_sub(s, 0, n) : STR("\xEF\xBF\xBD"));
        s = str_sub(s, is_valid ? n : 1, s.n);
    }
}

/* Writes s into the line as a JSON string of at most max bytes; the mark and quotes come on top. */
static void add_string(struct audit *audit, Str s, size_t max)
{
    size_t room = max + MARK_BYTES + QUOTES_BYTES;
    size_t keep = s.n < max ? s.n : max;
    for (;;) {
        buf_clear(&audit->clean);
        buf_clear(&audit->text);
        add_clean(&audit->clean, cut(s, keep));
        if (keep < s.n)
            buf_add(&audit->clean, STR("..."));
        json_write_string(&audit->text, buf_str(&audit->clean));
        bool is_whole = !audit->clean.is_full && !audit->text.is_full;
        if ((is_whole && audit->text.n <= room) || keep == 0)
            break;
        keep -= keep / 4 + 1; /* escapes took more room than the bytes themselves */
    }
    buf_add(&audit->line, buf_str(&audit->text));
}

/* name is a literal of ours with its quotes, colon and comma. */
static void add_field(struct audit *audit, Str name, Str value)
{
    if (value.n == 0)
        return;
    buf_add(&audit->line, name);
    add_string(audit, value, AUDIT_TEXT_MAX);
}

static void begin_line(struct audit *audit, Str event)
{
    struct utc_text now = utc_millis(world_wall_ms());
    buf_clear(&audit->line);
    if (audit->is_unfinished)
        buf_add_char(&audit->line, '\n');
    buf_add(&audit->line, STR("{\"time\":\""));
    buf_add(&audit->line, str_of(now.text));
    buf_add(&audit->line, STR("\",\"event\":"));
    add_string(audit, event, AUDIT_TEXT_MAX);
}

/* How much of the line got out. */
static size_t hand_over(struct audit *audit)
{
    if (!audit->is_regular)
        return outlet_write(&audit->outlet, buf_str(&audit->line));
    ssize_t n = -1;
    do {
        n = write(audit->fd, audit->line.p, audit->line.n);
    } while (n < 0 && errno == EINTR);
    if (n == 0)
        errno = ENOSPC;
    return n > 0 ? (size_t)n : 0;
}

static enum status end_line(struct audit *audit)
{
    buf_add(&audit->line, STR("}\n"));
    if (audit->line.is_full)
        return ST_LIMIT;
    size_t n = hand_over(audit);
    if (n == audit->line.n) {
        audit->is_unfinished = false;
        return ST_OK;
    }
    const char *why = n == 0 ? strerror(errno) : "no room for the whole line";
    log_error("audit: %s: %s", audit->path ? audit->path : "standard error", why);
    /* When only the newline that ends an old fragment got through, the next one is an empty line.
     */
    audit->is_unfinished = audit->is_unfinished || n > 0;
    return ST_IO;
}

/* Keeps the bytewise smallest names in order. Which names are kept does not depend on the order
 * that a client sent them in. Returns how many are kept. */
static size_t pick_keys(const Str *keys, size_t count, Str kept[AUDIT_KEYS_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = n;
        while (at > 0 && str_cmp(keys[i], kept[at - 1]) < 0)
            at--;
        if (at == AUDIT_KEYS_MAX)
            continue;
        n += n < AUDIT_KEYS_MAX;
        memmove(&kept[at + 1], &kept[at], (n - 1 - at) * sizeof kept[0]);
        kept[at] = keys[i];
    }
    return n;
}

static void add_keys(struct audit *audit, const Str *keys, size_t count)
{
    Str kept[AUDIT_KEYS_MAX];
    size_t n = pick_keys(keys, count, kept);
    buf_add(&audit->line, STR(",\"argument_keys\":["));
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            buf_add_char(&audit->line, ',');
        add_string(audit, kept[i], AUDIT_KEY_MAX);
    }
    buf_add_char(&audit->line, ']');
    if (n < count)
        buf_printf(&audit->line, ",\"argument_keys_omitted\":%zu", count - n);
}

/* As many as fit into the room of one string. */
static void add_set_keys(struct audit *audit, const Str *keys, size_t count)
{
    size_t start = audit->line.n, i = 0;
    if (!count)
        return;
    buf_add(&audit->line, STR(",\"set\":["));
    for (; i < count && audit->line.n - start + KEY_ROOM <= AUDIT_TEXT_MAX; i++) {
        if (i > 0)
            buf_add_char(&audit->line, ',');
        add_string(audit, keys[i], AUDIT_KEY_MAX);
    }
    buf_add_char(&audit->line, ']');
    if (i < count)
        buf_printf(&audit->line, ",\"set_omitted\":%zu", count - i);
}

/* A line in a deleted file is one that nobody will read. (A renamed file is being rotated: its
 * lines count, until a reopening follows.) */
static bool is_readable(struct audit *audit)
{
    struct stat info;
    if (!audit->path)
        return true;
    if (fstat(audit->fd, &info) != 0)
        return false;
    if (info.st_nlink > 0)
        return true;
    log_error("audit: %s: the file was deleted; a new one is begun", audit->path);
    return audit_reopen(audit) == ST_OK;
}

enum status audit_write(struct audit *audit, const struct audit_decision *decision)
{
    if (!is_readable(audit))
        return ST_IO;
    begin_line(audit, STR("decision"));
    add_field(audit, STR(",\"principal\":"), decision->principal);
    add_field(audit, STR(",\"grant\":"), decision->grant);
    add_field(audit, STR(",\"server\":"), decision->server);
    add_field(audit, STR(",\"method\":"), decision->method);
    add_field(audit, STR(",\"tool\":"), decision->tool);
    add_field(audit, STR(",\"kind\":"), decision->kind);
    add_field(audit, STR(",\"name\":"), decision->name);
    if (decision->tool.n || decision->kind.n || decision->argument_key_count)
        add_keys(audit, decision->argument_keys, decision->argument_key_count);
    add_set_keys(audit, decision->set_keys, decision->set_key_count);
    add_field(audit, STR(",\"verdict\":"), decision->verdict);
    add_field(audit, STR(",\"cause\":"), decision->cause);
    add_field(audit, STR(",\"policy\":"), decision->policy);
    add_field(audit, STR(",\"policy_id\":"), decision->policy_id);
    add_field(audit, STR(",\"source\":"), decision->source);
    add_field(audit, STR(",\"reason\":"), decision->reason);
    add_field(audit, STR(",\"unknown\":"), decision->unknown);
    return end_line(audit);
}

enum status audit_event(struct audit *audit, Str event, const struct audit_field *fields,
                        size_t count)
{
    ENSURE(count <= AUDIT_FIELDS_MAX);
    if (!is_readable(audit))
        return ST_IO;
    begin_line(audit, event);
    for (size_t i = 0; i < count; i++) {
        buf_add_char(&audit->line, ',');
        add_string(audit, fields[i].key, AUDIT_KEY_MAX);
        buf_add_char(&audit->line, ':');
        add_string(audit, fields[i].value, AUDIT_TEXT_MAX);
    }
    return end_line(audit);
}

/* Whether the file's last byte is something else than a newline. */
static bool ends_unfinished(int fd, off_t size)
{
    char last = '\n';
    return size > 0 && (pread(fd, &last, 1, size - 1) != 1 || last != '\n');
}

/* What lines are written to. */
struct target {
    int fd;
    bool is_regular, is_unfinished;
};

static enum status open_file(const char *path, struct target *out)
{
    struct stat info;
    /* Readable too, for the last byte. Not waiting is for a pipe, which is refused then, and for
     * a device, which may stop taking bytes. */
    int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK,
                  S_IRUSR | S_IWUSR);
    if (fd < 0 || fstat(fd, &info) != 0) {
        log_error("audit: %s: %s", path, strerror(errno));
        if (fd >= 0)
            (void)close(fd);
        return ST_IO;
    }
    if (!S_ISREG(info.st_mode) && !S_ISCHR(info.st_mode)) {
        log_error("audit: %s: neither a file nor a device", path);
        (void)close(fd);
        return ST_UNSUPPORTED;
    }
    *out = (struct target){ .fd = fd, .is_regular = S_ISREG(info.st_mode) };
    out->is_unfinished = out->is_regular && ends_unfinished(fd, info.st_size);
    return ST_OK;
}

static enum status open_standard_error(struct target *out)
{
    struct stat info;
    if (fstat(STDERR_FILENO, &info) != 0)
        return ST_IO;
    *out = (struct target){ .fd = STDERR_FILENO, .is_regular = S_ISREG(info.st_mode) };
    return ST_OK;
}

static void use(struct audit *audit, const struct target *target)
{
    if (audit->path && audit->fd >= 0)
        (void)close(audit->fd);
    audit->fd = target->fd;
    audit->outlet = (struct outlet){ .fd = target->fd };
    audit->is_regular = target->is_regular;
    audit->is_unfinished = target->is_unfinished;
}

static enum status take_memory(struct audit *audit)
{
    buf_init(&audit->line, AUDIT_LINE_MAX);
    buf_init(&audit->clean, SCRATCH_BYTES);
    buf_init(&audit->text, SCRATCH_BYTES);
    bool is_ok = buf_reserve(&audit->line, AUDIT_LINE_MAX) &&
                 buf_reserve(&audit->clean, SCRATCH_BYTES) &&
                 buf_reserve(&audit->text, SCRATCH_BYTES);
    return is_ok ? ST_OK : ST_NO_MEMORY;
}

enum status audit_open(const char *path, struct audit **out)
{
    struct target target = { .fd = -1 };
    struct audit *audit = calloc(1, sizeof *audit);
    if (!audit)
        return ST_NO_MEMORY;
    audit->fd = -1;
    enum status status = take_memory(audit);
    if (status == ST_OK && strcmp(path, "-") == 0) {
        status = open_standard_error(&target);
    } else if (status == ST_OK) {
        audit->path = strdup(path);
        status = audit->path ? open_file(path, &target) : ST_NO_MEMORY;
    }
    if (status != ST_OK) {
        audit_close(audit);
        return status;
    }
    use(audit, &target);
    *out = audit;
    return ST_OK;
}

void audit_close(struct audit *audit)
{
    if (!audit)
        return;
    if (audit->path && audit->fd >= 0)
        (void)close(audit->fd);
    free(audit->path);
    buf_free(&audit->line);
    buf_free(&audit->clean);
    buf_free(&audit->text);
    free(audit);
}

enum status audit_reopen(struct audit *audit)
{
    struct target target;
    if (!audit->path)
        return ST_OK;
    enum status status = open_file(audit->path, &target);
    if (status == ST_OK)
        use(audit, &target);
    return status;
}
