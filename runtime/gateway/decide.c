/* SPDX-License-Identifier: Apache-2.0 */
/* decide.c - a call becomes a verdict, a record and words for the agent, in that order.
 *
 * The result starts as a denial and is only ever made an allow by the last line of decide_call,
 * after the record is written.
 */
#include "runtime/gateway/decide.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/gateway/drift.h"
#include "runtime/gateway/upstream.h"

#include <stdarg.h>

/* The names of a call's arguments, of which json_limits allow a few thousand. */
enum { KEYS_BYTES_MAX = 2 << 20 };

Str server_alias(const struct server *server)
{
    return server->spec->alias;
}

static Str cut(Str s)
{
    enum { SHOWN_MAX = 200 };
    size_t n = s.n < SHOWN_MAX ? s.n : SHOWN_MAX;
    while (n && n < s.n && ((unsigned char)s.p[n] & 0xC0) == 0x80)
        n--;
    return str_sub(s, 0, n);
}

static size_t print(char *out, size_t room, const char *format, ...) PRINTF_LIKE(3, 4);
static size_t print(char *out, size_t room, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(out, room, format, args);
    va_end(args);
    if (n < 0)
        return 0;
    return (size_t)n < room ? (size_t)n : room - 1;
}

/* n without the head of a sequence that was cut at the end: what was printed stays UTF-8. */
static size_t whole_utf8(const char *text, size_t n)
{
    size_t whole = n;
    while (whole && n - whole < 3 && ((unsigned char)text[whole - 1] & 0xC0) == 0x80)
        whole--;
    bool is_cut = !utf8_is_valid((Str){ .p = text, .n = n }) && whole;
    return is_cut ? whole - 1 : n;
}

static void put(struct verdict_text *out, Str text)
{
    size_t room = sizeof out->reason - out->reason_n;
    size_t n = text.n < room ? text.n : room;
    if (n)
        memcpy(out->reason + out->reason_n, text.p, n);
    out->reason_n += n;
}

/* `before "name" after` */
static void put_quoted(struct verdict_text *out, Str before, Str name, Str after)
{
    put(out, before);
    put(out, STR(" \""));
    put(out, cut(name));
    put(out, STR("\""));
    put(out, after);
}

/* The agent can't do anything about it; who reads the log can. */
static void explain_change(const struct asked *asked, struct verdict_text *out)
{
    enum { PARTS_BYTES_MAX = 256 };
    struct buf parts;
    buf_init(&parts, PARTS_BYTES_MAX);
    drift_write_parts(asked->standing.changed, &parts);
    put_quoted(out, STR("the server's definition of"), asked->name,
               STR(" differs from the accepted one ("));
    put(out, buf_str(&parts));
    put(out, STR("): see what changed with `mcpc pin --diff`; accept it with `mcpc pin` and by "
                 "compiling the policy again"));
    buf_free(&parts);
}

/* A sentence of its own for every cause, so that a denial, an unknown tool and a bad input can be
 * told apart. */
static void explain_denial(const struct caller *caller, const struct asked *asked,
                           struct verdict_text *out)
{
    const struct decision *d = &out->decision;
    switch (d->cause) {
    case CAUSE_RULE: put(out, d->reason.n ? d->reason : STR("a rule forbids this call")); return;
    case CAUSE_DEFAULT: put(out, d->reason.n ? d->reason : STR("no rule allows this call")); return;
    case CAUSE_UNKNOWN_SERVER:
        put_quoted(out, STR("the policy does not speak of server"), server_alias(caller->server),
                   STR(""));
        return;
    case CAUSE_UNKNOWN_TOOL:
        put_quoted(out, STR("server"), server_alias(caller->server), STR(" has no"));
        put_quoted(out, STR(" tool"), asked->name, STR(" that is known here"));
        return;
    case CAUSE_NOT_CANONICAL:
        put_quoted(out, STR("the URI"), asked->name, STR(" is not in canonical form"));
        return;
    case CAUSE_CHANGED_TOOL: explain_change(asked, out); return;
    case CAUSE_UNLISTED_TOOL:
        put_quoted(out, STR("server"), server_alias(caller->server), STR(" does not list"));
        put_quoted(out, STR(" tool"), asked->name, STR(" now, so it can't be compared"));
        return;
    case CAUSE_UNCHECKED_TOOL:
        put_quoted(out, STR("tool"), asked->name,
                   STR(" can't be compared with the accepted definition: "));
        put(out, str_of(asked->standing.why));
        return;
    case CAUSE_UNKNOWN_ARGUMENT:
        put_quoted(out, STR("tool"), asked->name, STR(" takes no"));
        put_quoted(out, STR(" argument"), d->argument, STR(""));
        return;
    case CAUSE_UNSAFE_NUMBER:
        put_quoted(out, STR("argument"), d->argument,
                   STR(" holds a number that is not safe to compare"));
        return;
    case CAUSE_UNKNOWN_REWRITE:
    case CAUSE_CONFLICTING_REWRITE:
    case CAUSE_UNSTABLE_REWRITE:
        put_quoted(out, STR("the policy changes argument"), d->argument,
                   d->cause == CAUSE_UNKNOWN_REWRITE
                       ? STR(" to a value that is not known for this call")
                   : d->cause == CAUSE_CONFLICTING_REWRITE
                       ? STR(" to two values at once")
                       : STR(" to a value that it would change again"));
        return;
    case CAUSE_INTERNAL:
    case CAUSE_COUNT: break;
    }
    put(out, out->policy.n ? STR("the call could not be judged")
                           : STR("the policy of this grant is not loaded"));
}

static void explain(struct vm *vm, const struct caller *caller, const struct asked *asked,
                    struct verdict_text *out)
{
    const struct program *program = vm ? vm_program(vm) : NULL;
    const struct decision *d = &out->decision;
    if (program) {
        out->policy = program_name(program);
        out->policy_id = (Str){ .p = program->id, .n = PROGRAM_ID_HEX };
        if (d->rule != B_NONE)
            out->source_n = whole_utf8(
                out->source, vm_rule_place(program, d->rule, out->source, sizeof out->source));
        if (d->unknown_atom != B_NONE) {
            const struct b_atom *atom = &program->atoms[d->unknown_atom];
            out->unknown_n =
                print(out->unknown, sizeof out->unknown, "%.*s %s",
                      STR_ARG(program_text(program, atom->text)), vm_unknown_text(d->unknown));
        }
    }
    if (d->verdict == VERDICT_DENY)
        explain_denial(caller, asked, out);
    else
        put(out, d->reason);
    out->reason_n = whole_utf8(out->reason, out->reason_n);
}

/* Without a log file, denials are the operator's to see and the rest is detail. */
static bool record(struct audit *audit, const struct audit_decision *line)
{
    if (audit) {
        if (audit_write(audit, line) == ST_OK)
            return true;
        log_error("the audit log can't be written: the message is refused");
        return false;
    }
    bool is_deny = str_eq(line->verdict, STR("deny"));
    log_message(is_deny ? LOG_INFO : LOG_DEBUG,
                "decision verdict=%.*s cause=%.*s method=%.*s tool=%.*s source=%.*s reason=%.*s",
                STR_ARG(line->verdict), STR_ARG(line->cause), STR_ARG(line->method),
                STR_ARG(line->tool), STR_ARG(line->source), STR_ARG(line->reason));
    return true;
}

static bool argument_keys(const struct asked *asked, struct arena *scratch,
                          struct audit_decision *line)
{
    if (asked->arguments == JSON_NONE)
        return true;
    uint32_t count = json_at(asked->doc, asked->arguments)->count;
    Str *keys = ARENA_NEW(scratch, Str, count);
    if (!keys)
        return false;
    size_t n = 0;
    for (uint32_t i = json_first(asked->doc, asked->arguments); i != JSON_NONE;
         i = json_after(asked->doc, asked->arguments, i))
        keys[n++] = json_key(json_at(asked->doc, i));
    line->argument_keys = keys;
    line->argument_key_count = n;
    return true;
}

/* The places that were set, for an allow by what is forwarded, for a deny by what was judged. */
static bool rewritten_places(struct vm *vm, const struct decision *decision, struct arena *scratch,
                             struct audit_decision *line)
{
    struct buf text;
    if (!vm || !decision->place_count)
        return true;
    Str *places = ARENA_NEW(scratch, Str, decision->place_count);
    buf_init(&text, KEYS_BYTES_MAX);
    bool is_good = places != NULL;
    for (uint32_t i = 0; is_good && i < decision->place_count; i++) {
        buf_clear(&text);
        vm_place_write(vm_program(vm), decision->places[i], &text);
        places[i] = arena_copy(scratch, buf_str(&text));
        is_good = places[i].p && !text.is_full;
    }
    buf_free(&text);
    line->set_keys = places;
    line->set_key_count = decision->place_count;
    return is_good;
}

static bool record_call(struct audit *audit, struct vm *vm, const struct caller *caller,
                        const struct asked *asked, const struct verdict_text *text)
{
    bool is_allow = text->decision.verdict == VERDICT_ALLOW;
    struct audit_decision line = {
        .principal = caller->principal.id,
        .grant = caller->grant,
        .server = server_alias(caller->server),
        .method = asked->method->method,
        .verdict = is_allow ? STR("allow") : STR("deny"),
        .cause = str_of(vm_cause_word(text->decision.cause)),
        .policy = text->policy,
        .policy_id = text->policy_id,
        .source = { .p = text->source, .n = text->source_n },
        .reason = { .p = text->reason, .n = text->reason_n },
        .unknown = { .p = text->unknown, .n = text->unknown_n },
    };
    if (asked->method->kind == KIND_TOOL) {
        line.tool = asked->name;
    } else {
        line.kind = kind_table[asked->method->kind].word;
        line.name = asked->name;
    }
    struct arena scratch;
    arena_init(&scratch, KEYS_BYTES_MAX);
    bool is_done = argument_keys(asked, &scratch, &line) &&
                   rewritten_places(vm, &text->decision, &scratch, &line) && record(audit, &line);
    arena_reset(&scratch);
    return is_done;
}

bool decide_record(struct audit *audit, struct vm *vm, const struct caller *caller, Str method,
                   Str verdict, Str cause)
{
    struct audit_decision line = {
        .principal = caller->principal.id,
        .grant = caller->grant,
        .server = server_alias(caller->server),
        .method = cut(method),
        .verdict = verdict,
        .cause = cause,
    };
    if (vm) {
        line.policy = program_name(vm_program(vm));
        line.policy_id = (Str){ .p = vm_program(vm)->id, .n = PROGRAM_ID_HEX };
    }
    return record(audit, &line);
}

static void judge(struct vm *vm, const struct caller *caller, const struct asked *asked,
                  struct decision *out)
{
    *out = (struct decision){ .verdict = VERDICT_DENY, .rule = B_NONE, .unknown_atom = B_NONE };
    if (!vm)
        return;
    if (asked->method->kind == KIND_TOOL && !tool_name_is_plain(asked->name)) {
        out->cause = CAUSE_UNKNOWN_TOOL;
        return;
    }
    struct vm_call call = {
        .server = server_alias(caller->server),
        .kind = asked->method->kind,
        .name = asked->name,
        .doc = asked->arguments == JSON_NONE ? NULL : asked->doc,
        .arguments = asked->arguments,
        .principal = &caller->principal,
        .method = asked->method->method,
        .label = caller->label,
        .now = world_wall_ms() / 1000,
    };
    vm_decide(vm, &call, out);
}

/* What the policy allows is allowed of the tool that it was compiled for. */
static void hold_to_pin(const struct asked *asked, struct decision *out)
{
    enum vm_cause cause = CAUSE_UNCHECKED_TOOL;
    switch (asked->standing.kind) {
    case STANDING_FREE:
    case STANDING_ACCEPTED: return;
    case STANDING_CHANGED: cause = CAUSE_CHANGED_TOOL; break;
    case STANDING_UNLISTED: cause = CAUSE_UNLISTED_TOOL; break;
    case STANDING_WAIT:
    case STANDING_UNCHECKED: break;
    }
    *out = (struct decision){
        .verdict = VERDICT_DENY, .cause = cause, .rule = B_NONE, .unknown_atom = B_NONE
    };
}

enum decided decide_call(struct audit *audit, struct vm *vm, const struct caller *caller,
                         const struct asked *asked, struct verdict_text *out)
{
    out->policy = out->policy_id = (Str){ 0 };
    out->source_n = out->reason_n = out->unknown_n = 0;
    judge(vm, caller, asked, &out->decision);
    if (out->decision.verdict == VERDICT_ALLOW && asked->standing.kind == STANDING_WAIT)
        return DECIDED_WAIT;
    if (out->decision.verdict == VERDICT_ALLOW)
        hold_to_pin(asked, &out->decision);
    explain(vm, caller, asked, out);
    if (!record_call(audit, vm, caller, asked, out))
        return DECIDED_UNRECORDED;
    return out->decision.verdict == VERDICT_ALLOW ? DECIDED_ALLOW : DECIDED_DENY;
}
