/* SPDX-License-Identifier: Apache-2.0 */
/* command_replay.c - replay: what a new bundle would have said to calls that were made.
 *
 * A line that can't be read ends the run: a replay that left calls out would prove nothing.
 */
#include "compiler/command/judge.h"
#include "compiler/command/verdict.h"
#include "runtime/json/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHANGE_BYTES_MAX = 1 << 20 };

struct replay {
    const struct options *options;
    struct judge now, before;        /* before: only with --old */
    uint64_t calls, allowed, denied; /* allowed, denied: newly */
    uint64_t line;
    struct buf out; /* of one change */
};

static enum exit_code refuse(const struct replay *replay, Str why)
{
    return usage_error("%s:%llu: %.*s", replay->options->files[1].p,
                       (unsigned long long)replay->line, STR_ARG(why));
}

/* The verdict before: of the old bundle, or as recorded. */
static bool verdict_before(struct replay *replay, Str line, bool *allows, Str *why)
{
    struct decision decision;
    if (!replay->options->old.n) {
        Str verdict = replay->now.call.verdict;
        *why = verdict.p ? STR("a \"verdict\" is \"allow\" or \"deny\"")
                         : STR("the line has no \"verdict\", and there is no --old");
        *allows = str_eq(verdict, STR("allow"));
        return *allows || str_eq(verdict, STR("deny"));
    }
    if (!judge_take_call(&replay->before, line, why))
        return false;
    replay->before.call.vm.now = replay->now.call.vm.now; /* one moment for both */
    vm_decide(replay->before.vm, &replay->before.call.vm, &decision);
    *allows = decision.verdict == VERDICT_ALLOW;
    return true;
}

static enum exit_code show_change(struct replay *replay, const struct decision *decision,
                                  bool before)
{
    struct buf *out = &replay->out;
    const char *was = before ? "allow" : "deny";
    buf_clear(out);
    if (replay->options->json) {
        bool is_first = replay->allowed + replay->denied == 1;
        buf_printf(out, "%s{\"line\":%llu,\"before\":\"%s\",\"now\":", is_first ? "" : ",\n",
                   (unsigned long long)replay->line, was);
        verdict_json(replay->now.program, &replay->now.call.vm, decision, out);
        buf_add_char(out, '}');
    } else {
        buf_printf(out, "%s:%llu: was %s, is ", replay->options->files[1].p,
                   (unsigned long long)replay->line, was);
        verdict_print(replay->now.program, &replay->now.call.vm, decision, out);
    }
    return put_text(buf_str(out));
}

static enum exit_code replay_line(struct replay *replay, Str line)
{
    struct decision decision;
    bool before = false;
    Str why;
    if (str_trim(line).n == 0)
        return EXIT_OK;
    if (!judge_take_call(&replay->now, line, &why) || !verdict_before(replay, line, &before, &why))
        return refuse(replay, why);
    replay->calls++;
    vm_decide(replay->now.vm, &replay->now.call.vm, &decision);
    bool allows = decision.verdict == VERDICT_ALLOW;
    if (allows == before)
        return EXIT_OK;
    replay->allowed += allows;
    replay->denied += !allows;
    return show_change(replay, &decision, before);
}

/* Reads line by line; a line may not be longer than a call. */
static enum exit_code replay_lines(struct replay *replay, FILE *in)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t n;
    enum exit_code code = EXIT_OK;
    errno = 0;
    while (code == EXIT_OK && (n = getline(&text, &room, in)) >= 0) {
        Str line = { .p = text, .n = (size_t)n };
        if (str_ends(line, STR("\n")))
            line.n--;
        replay->line++;
        code = line.n > CALL_BYTES_MAX ? refuse(replay, STR("the call is too long"))
                                       : replay_line(replay, line);
    }
    if (code == EXIT_OK && ferror(in))
        code = usage_error("can't read %s: %s", replay->options->files[1].p, strerror(errno));
    free(text);
    return code;
}

static enum exit_code put_totals(struct replay *replay)
{
    uint64_t changed = replay->allowed + replay->denied;
    buf_clear(&replay->out);
    buf_printf(&replay->out,
               replay->options->json
                   ? "],\"calls\":%llu,\"changed\":%llu,\"newly_allowed\":%llu,"
                     "\"newly_denied\":%llu}\n"
                   : "%llu calls, %llu changed: %llu newly allowed, %llu newly denied\n",
               (unsigned long long)replay->calls, (unsigned long long)changed,
               (unsigned long long)replay->allowed, (unsigned long long)replay->denied);
    enum exit_code code = put_text(buf_str(&replay->out));
    return code == EXIT_OK && changed ? EXIT_FINDINGS : code;
}

static enum exit_code replay_file(struct replay *replay)
{
    const char *path = replay->options->files[1].p;
    bool is_stdin = str_eq(replay->options->files[1], STR("-"));
    FILE *in = is_stdin ? stdin : fopen(path, "rbe");
    if (!in)
        return usage_error("can't read %s: %s", path, strerror(errno));
    enum exit_code code = replay->options->json ? put_text(STR("{\"changes\":[")) : EXIT_OK;
    if (code == EXIT_OK)
        code = replay_lines(replay, in);
    if (!is_stdin)
        (void)fclose(in);
    return code == EXIT_OK ? put_totals(replay) : code;
}

enum exit_code mcpc_replay(const struct options *options)
{
    struct replay *replay = calloc(1, sizeof *replay);
    if (!replay)
        return usage_error("out of memory");
    replay->options = options;
    buf_init(&replay->out, CHANGE_BYTES_MAX);
    enum exit_code code = judge_open(&replay->now, options, options->files[0]);
    if (options->old.n) {
        enum exit_code old = judge_open(&replay->before, options, options->old);
        code = code == EXIT_OK ? old : code;
    }
    if (code == EXIT_OK)
        code = replay_file(replay);
    judge_close(&replay->now);
    if (options->old.n)
        judge_close(&replay->before);
    buf_free(&replay->out);
    free(replay);
    return code;
}
