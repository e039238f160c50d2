/* SPDX-License-Identifier: Apache-2.0 */
/* command.c - what mcpc's subcommands share: messages, output, files. */
#include "compiler/command/command.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum exit_code usage_error(const char *format, ...)
{
    va_list args;
    (void)fputs("mcpc: ", stderr);
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return EXIT_USAGE;
}

enum exit_code put_text(Str text)
{
    bool is_written = text.n == 0 || fwrite(text.p, 1, text.n, stdout) == text.n;
    is_written = is_written && fflush(stdout) == 0;
    return is_written ? EXIT_OK
                      : usage_error("can't write to standard output: %s", strerror(errno));
}

enum { READ_STEP = 64 * 1024 };

enum exit_code read_input(Str path, struct buf *text)
{
    bool is_stdin = path.n == 0 || str_eq(path, STR("-"));
    const char *name = is_stdin ? "standard input" : path.p;
    FILE *in = is_stdin ? stdin : fopen(path.p, "rbe");
    if (!in)
        return usage_error("can't read %s: %s", name, strerror(errno));
    size_t n = 0;
    do {
        text->n += n;
        n = buf_reserve(text, READ_STEP) ? fread(text->p + text->n, 1, READ_STEP, in) : 0;
    } while (n > 0);
    int why = ferror(in) ? errno : text->is_full ? EFBIG : 0;
    if (!is_stdin)
        (void)fclose(in);
    return why ? usage_error("can't read %s: %s", name, strerror(why)) : EXIT_OK;
}

enum exit_code read_program(struct compilation *c, Str path, const struct options *options,
                            struct program **out)
{
    struct bundle_error error;
    if (str_ends(path, STR(".polb"))) {
        if (program_read(path.p, out, &error) == ST_OK)
            return EXIT_OK;
        return usage_error("%s: %s", path.p, error.text);
    }
    if (compilation_program(c, path, out))
        return EXIT_OK;
    report_diags(c, options);
    return failure_code(c);
}

static bool write_all(int fd, Str bytes)
{
    while (bytes.n) {
        ssize_t n = write(fd, bytes.p, bytes.n);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = str_sub(bytes, (size_t)n, bytes.n);
    }
    return fsync(fd) == 0 || errno == EINVAL; /* a pipe or a device can't be synced */
}

static enum exit_code write_error(Str path, int why)
{
    return usage_error("can't write %.*s: %s", STR_ARG(path), strerror(why));
}

/* A pipe or a device takes the bytes itself; renaming over it would remove it. */
static enum exit_code write_in_place(Str path, Str bytes)
{
    int fd = open(path.p, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return write_error(path, errno);
    bool is_written = write_all(fd, bytes);
    int why = errno;
    if (close(fd) != 0 || !is_written)
        return write_error(path, is_written ? errno : why);
    return EXIT_OK;
}

/* A temporary beside target, renamed over it; old is what stands there now, if anything does. */
static enum exit_code write_anew(const char *target, const struct stat *old, Str path, Str bytes)
{
    char temporary[PATH_MAX];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp%ld", target, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return write_error(path, ENAMETOOLONG);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return write_error(path, errno);
    bool is_written = !old || fchmod(fd, old->st_mode & 0777) == 0;
    is_written = is_written && write_all(fd, bytes);
    int why = errno;
    if (close(fd) != 0 && is_written) {
        why = errno;
        is_written = false;
    }
    if (is_written && rename(temporary, target) == 0)
        return EXIT_OK;
    why = is_written ? errno : why;
    (void)unlink(temporary);
    return write_error(path, why);
}

enum exit_code write_file(Str path, Str bytes)
{
    struct stat old;
    bool is_there = stat(path.p, &old) == 0;
    if (is_there && !S_ISREG(old.st_mode))
        return write_in_place(path, bytes);
    char *target = is_there ? realpath(path.p, NULL) : NULL; /* a link stays one */
    enum exit_code code = write_anew(target ? target : path.p, is_there ? &old : NULL, path, bytes);
    free(target);
    return code;
}

enum exit_code write_new(Str path, Str bytes, mode_t mode)
{
    int fd = open(path.p, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return usage_error("can't make %s: %s", path.p, strerror(errno));
    bool is_written = write_all(fd, bytes);
    int why = errno;
    if (close(fd) == 0 && is_written)
        return EXIT_OK;
    (void)unlink(path.p);
    return usage_error("can't write %s: %s", path.p, strerror(is_written ? errno : why));
}

void report_diags(struct compilation *c, const struct options *options)
{
    struct buf out;
    buf_init(&out, (size_t)16 << 20);
    if (options->json) {
        diags_json(&c->diags, &c->sources, &out);
        buf_add_char(&out, '\n');
        (void)put_text(buf_str(&out));
    } else {
        diags_render(&c->diags, &c->sources, &out);
        if (out.n)
            (void)fwrite(out.p, 1, out.n, stderr);
    }
    buf_free(&out);
}
