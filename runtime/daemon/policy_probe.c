/* SPDX-License-Identifier: Apache-2.0 */
/* policy_probe.c - tells at `mcpd grant create` what would otherwise come to light at the first
 * call: a grant whose policy can't be loaded denies everything. */
#include "runtime/daemon/policy_probe.h"

#include "runtime/bundle/program.h"

static Str explain(struct arena *mem, const char *text)
{
    Str copy = arena_copy(mem, str_of(text));
    return copy.p ? copy : STR("it can't be used");
}

enum status policy_probe(const struct trust *trust, const char *path, Str server, Str *why,
                         struct arena *mem)
{
    struct program *program = NULL;
    struct bundle_error error = { "" };
    enum status status = program_read(path, &program, &error);
    if (status == ST_OK)
        status = trust_check(trust, program, path, &error);
    if (status != ST_OK) {
        *why = explain(mem, error.text[0] ? error.text : status_text(status));
        program_release(program);
        return status;
    }
    if (program_server(program, server) == B_NONE) {
        Str text = arena_printf(mem, "policy \"%.*s\" says nothing about server \"%.*s\"",
                                STR_ARG(program_name(program)), STR_ARG(server));
        *why = text.p ? text : STR("it says nothing about the server");
        status = ST_NOT_FOUND;
    }
    program_release(program);
    return status;
}
