/* SPDX-License-Identifier: Apache-2.0 */
/* command_diff.c - diff: what another version of a policy newly allows and newly denies.
 *
 * A call that is printed is read again as `mcpc eval` would read it and judged by both programs, so
 * that it shows what is said of it to whoever tries.
 */
#include "compiler/command/judge.h"
#include "compiler/prove/prove.h"

#include <stdio.h>
#include <stdlib.h>

enum { DIFF_BYTES_MAX = 64 << 20 };

struct diff {
    const struct options *options;
    struct judge sides[2];
    uint64_t allowed, denied, unknown;
    struct buf out;
};

/* The verdict of one side on the printed call. */
static bool allows(struct diff *diff, uint32_t side, Str call, bool *out)
{
    struct judge *judge = &diff->sides[side];
    struct decision decision;
    Str why;
    if (!judge_take_call(judge, call, &why))
        return false;
    vm_decide(judge->vm, &judge->call.vm, &decision);
    *out = decision.verdict == VERDICT_ALLOW;
    return true;
}

static bool holds(struct diff *diff, const struct prove_finding *finding)
{
    bool before = false, now = false;
    return finding->answer == PROVE_FOUND && allows(diff, 0, finding->call, &before) &&
           allows(diff, 1, finding->call, &now) && before != now && now == finding->newly_allowed;
}

static void add_rule(struct diff *diff, uint32_t side, const struct decision *decision)
{
    static const char *const names[2] = { "before", "now" };
    const struct program *p = diff->sides[side].program;
    buf_printf(&diff->out, "    %-6s %s", names[side],
               decision->verdict == VERDICT_ALLOW ? "allow" : "deny");
    if (decision->rule != B_NONE && decision->cause != CAUSE_DEFAULT) {
        char place[BUNDLE_TEXT_MAX];
        (void)vm_rule_place(p, decision->rule, place, sizeof place);
        buf_printf(&diff->out, "  %s: %.*s", place,
                   STR_ARG(program_text(p, p->rules[decision->rule].text)));
    } else {
        buf_printf(&diff->out, "  (%s)", vm_cause_word(decision->cause));
    }
    buf_add_char(&diff->out, '\n');
}

static void add_blame(struct diff *diff, const struct prove_finding *finding)
{
    const struct program *p = diff->sides[finding->side].program;
    if (finding->answer == PROVE_FOUND || finding->doubt != DOUBT_CONDITION) {
        bool is_found = finding->answer == PROVE_FOUND; /* which was not confirmed */
        buf_printf(&diff->out, "    %s\n",
                   doubt_table[is_found ? DOUBT_WITNESS : finding->doubt].text);
        return;
    }
    const struct b_atom *atom = &p->atoms[finding->atom];
    buf_printf(&diff->out, "    it rests on %.*s:%u: `%.*s`\n",
               STR_ARG(program_text(p, p->sources[atom->source])), atom->line,
               STR_ARG(program_text(p, atom->text)));
}

static void print_finding(struct diff *diff, const struct prove_finding *finding, bool is_shown)
{
    const char *what = finding->newly_allowed ? "newly allowed" : "newly denied";
    bool is_tool = finding->kind == KIND_TOOL;
    Str kind = is_tool ? STR("") : kind_table[finding->kind].word;
    buf_printf(&diff->out, "%.*s%s%.*s%s%.*s: %s%s\n", STR_ARG(kind),
               finding->name.n && !is_tool ? " " : "", STR_ARG(finding->name),
               finding->server.n ? " on " : "", STR_ARG(finding->server), what,
               is_shown ? "" : ": unknown");
    if (!is_shown) {
        add_blame(diff, finding);
        return;
    }
    buf_printf(&diff->out, "    %.*s\n", STR_ARG(finding->call));
    add_rule(diff, 0, &finding->decisions[0]);
    add_rule(diff, 1, &finding->decisions[1]);
}

static void json_rule(struct diff *diff, uint32_t side, const struct decision *decision)
{
    char place[BUNDLE_TEXT_MAX];
    size_t n = 0;
    if (decision->rule != B_NONE && decision->cause != CAUSE_DEFAULT)
        n = vm_rule_place(diff->sides[side].program, decision->rule, place, sizeof place);
    if (n == 0)
        return;
    buf_printf(&diff->out, ",\"%s\":", side == 0 ? "rule_before" : "rule_now");
    json_write_string(&diff->out, (Str){ .p = place, .n = n });
}

static void json_finding(struct diff *diff, const struct prove_finding *finding, bool is_shown)
{
    bool is_first = diff->allowed + diff->denied + diff->unknown == 1;
    buf_printf(&diff->out, "%s{\"kind\":", is_first ? "" : ",\n");
    json_write_string(&diff->out, kind_table[finding->kind].word);
    buf_printf(&diff->out, ",\"name\":");
    json_write_string(&diff->out, finding->name);
    if (finding->server.n) {
        buf_printf(&diff->out, ",\"server\":");
        json_write_string(&diff->out, finding->server);
    }
    buf_printf(&diff->out, ",\"change\":\"%s\",\"answer\":\"%s\"",
               finding->newly_allowed ? "newly_allowed" : "newly_denied",
               is_shown ? "found" : "unknown");
    if (is_shown) {
        buf_printf(&diff->out, ",\"call\":%.*s", STR_ARG(finding->call));
        json_rule(diff, 0, &finding->decisions[0]);
        json_rule(diff, 1, &finding->decisions[1]);
    }
    buf_add_char(&diff->out, '}');
}

static void visit(void *user, const struct prove_finding *finding)
{
    struct diff *diff = user;
    bool is_shown = holds(diff, finding);
    diff->unknown += !is_shown;
    diff->allowed += is_shown && finding->newly_allowed;
    diff->denied += is_shown && !finding->newly_allowed;
    if (diff->options->json)
        json_finding(diff, finding, is_shown);
    else
        print_finding(diff, finding, is_shown);
}

static void add_totals(struct diff *diff)
{
    unsigned long long counts[] = { diff->allowed, diff->denied, diff->unknown };
    if (diff->options->json)
        buf_printf(&diff->out, "],\"newly_allowed\":%llu,\"newly_denied\":%llu,\"unknown\":%llu}\n",
                   counts[0], counts[1], counts[2]);
    else if (counts[0] + counts[1] + counts[2] == 0)
        buf_printf(&diff->out, "no call is decided differently\n");
    else
        buf_printf(&diff->out, "%llu newly allowed, %llu newly denied, %llu unknown\n", counts[0],
                   counts[1], counts[2]);
}

static enum exit_code compare(struct diff *diff)
{
    struct prove_visitor visitor = { .visit = visit, .user = diff };
    if (diff->options->json)
        buf_printf(&diff->out, "{\"changes\":[");
    if (prove_compare(diff->sides[0].program, diff->sides[1].program, &visitor) != ST_OK)
        return usage_error("out of memory");
    add_totals(diff);
    if (diff->out.is_full)
        return usage_error("the policies differ in too much to print");
    enum exit_code code = put_text(buf_str(&diff->out));
    if (code != EXIT_OK)
        return code;
    if (diff->allowed || diff->denied)
        return EXIT_FINDINGS;
    return diff->unknown ? EXIT_UNKNOWN : EXIT_OK;
}

enum exit_code mcpc_diff(const struct options *options)
{
    struct diff *diff = calloc(1, sizeof *diff);
    if (!diff)
        return usage_error("out of memory");
    diff->options = options;
    buf_init(&diff->out, DIFF_BYTES_MAX);
    enum exit_code code = judge_open(&diff->sides[0], options, options->files[0]);
    enum exit_code second = judge_open(&diff->sides[1], options, options->files[1]);
    code = code == EXIT_OK ? second : code;
    if (code == EXIT_OK)
        code = compare(diff);
    judge_close(&diff->sides[0]);
    judge_close(&diff->sides[1]);
    buf_free(&diff->out);
    free(diff);
    return code;
}
