/* SPDX-License-Identifier: Apache-2.0 */
/* command_pin.c - `mcpc pin`: a server's tools as a file that policies are checked against, and
 * what changed since.
 *
 * The file is a tools/list result, laid out so that the same tools give the same bytes. Nothing is
 * written when the server's answer is not whole, or not what a policy could be compiled with. */
#include "compiler/command/command.h"
#include "compiler/command/pin_source.h"
#include "compiler/command/pin_write.h"

#include <stdio.h>

enum { PIN_OUTPUT_MAX = SOURCE_BYTES_MAX, DESCRIPTION_BYTES_MAX = 64 << 20 };

static enum exit_code save(struct pinning *p)
{
    struct snapshot snapshot;
    struct buf text;
    enum exit_code code = pinning_read_words(p, 0, &snapshot);
    if (code != EXIT_OK)
        return code;
    buf_init(&text, PIN_OUTPUT_MAX);
    if (!pin_write(&snapshot, &p->mem, &text))
        code = usage_error("the tools are larger than a snapshot may be");
    else if (p->options->output.n)
        code = write_file(p->options->output, buf_str(&text));
    else
        code = put_text(buf_str(&text));
    buf_free(&text);
    return code;
}

static enum exit_code compare(struct pinning *p)
{
    struct snapshot old, now;
    struct buf text;
    if (p->options->file_count < 2)
        return usage_error("pin --diff takes a snapshot, and a snapshot, a URL or a command");
    enum exit_code code = pinning_read_one(p, p->options->files[0], &old);
    if (code == EXIT_OK)
        code = pinning_read_words(p, 1, &now);
    if (code != EXIT_OK)
        return code;
    buf_init(&text, DESCRIPTION_BYTES_MAX);
    bool is_changed = pin_describe(&old, &now, &p->mem, &text) > 0;
    code = put_text(buf_str(&text));
    buf_free(&text);
    return code == EXIT_OK && is_changed ? EXIT_FINDINGS : code;
}

enum exit_code mcpc_pin(const struct options *options)
{
    struct pinning p;
    pinning_init(&p, options);
    enum exit_code code = options->diff ? compare(&p) : save(&p);
    arena_reset(&p.mem);
    return code;
}
