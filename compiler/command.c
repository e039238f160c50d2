/* SPDX-License-Identifier: Apache-2.0 */
/* command.c - what mcpc's subcommands share: messages, output, files. */
#include "compiler/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
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

enum exit_code write_file(Str path, Str bytes)
{
    char temporary[4096], final[4096];
    int n = snprintf(temporary, sizeof temporary, "%.*s.tmp%ld", STR_ARG(path), (long)getpid());
    if (n < 0 || (size_t)n >= sizeof temporary)
        return usage_error("the path is too long");
    (void)snprintf(final, sizeof final, "%.*s", STR_ARG(path));
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return usage_error("can't write %s: %s", final, strerror(errno));
    bool is_written = write_all(fd, bytes);
    is_written &= close(fd) == 0;
    if (is_written && rename(temporary, final) == 0)
        return EXIT_OK;
    int why = errno;
    (void)unlink(temporary);
    return usage_error("can't write %s: %s", final, strerror(why));
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
