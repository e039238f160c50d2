/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/command/verdict.h"

static const char *verdict_word(const struct decision *decision)
{
    return decision->verdict == VERDICT_ALLOW ? "allow" : "deny";
}

Str program_only_server(const struct program *program)
{
    bool is_only = program->counts[SECTION_SERVERS] == 1;
    return is_only ? program_text(program, program->servers[0].alias) : STR("");
}

static void add_cause(const struct program *p, const struct vm_call *call, const struct decision *d,
                      struct buf *out)
{
    switch (d->cause) {
    case CAUSE_RULE: buf_printf(out, "a rule says so"); break;
    case CAUSE_DEFAULT:
        if (d->rule == B_NONE)
            buf_printf(out, "no rule is about this %s", kind_table[call->kind].noun);
        else
            buf_printf(out, "no rule allows it; the nearest does not hold");
        break;
    case CAUSE_UNKNOWN_SERVER:
        buf_printf(out, "policy \"%.*s\" does not speak of server \"%.*s\"",
                   STR_ARG(program_name(p)), STR_ARG(call->server));
        break;
    case CAUSE_UNKNOWN_TOOL: buf_printf(out, "the pinned tools have no such tool"); break;
    case CAUSE_NOT_CANONICAL: buf_printf(out, "its URI is not in canonical form"); break;
    case CAUSE_CHANGED_TOOL:
    case CAUSE_UNLISTED_TOOL:
    case CAUSE_UNCHECKED_TOOL:
        buf_printf(out, "the server's tool is not the pinned one"); /* never without a gateway */
        break;
    case CAUSE_UNKNOWN_ARGUMENT:
        buf_printf(out, "the pinned tool has no argument \"%.*s\"", STR_ARG(d->argument));
        break;
    case CAUSE_UNSAFE_NUMBER:
        buf_printf(out, "%.*s compares a number that a double can't hold exactly",
                   STR_ARG(d->argument));
        break;
    case CAUSE_UNKNOWN_REWRITE:
        buf_printf(out, "what is set at `%.*s` is unknown or has no place there",
                   STR_ARG(d->argument));
        break;
    case CAUSE_CONFLICTING_REWRITE:
        buf_printf(out, "rules set `%.*s` to different values", STR_ARG(d->argument));
        break;
    case CAUSE_UNSTABLE_REWRITE:
        buf_printf(out, "`%.*s` would be set again once it is set", STR_ARG(d->argument));
        break;
    case CAUSE_INTERNAL:
    case CAUSE_COUNT: buf_printf(out, "an internal fault"); break;
    }
}

/* The rewritten arguments, which the caller of the command may see: they are his. */
static void add_rewritten(const struct program *p, const struct decision *d, struct buf *out)
{
    if (!d->rewritten)
        return;
    buf_printf(out, d->verdict == VERDICT_ALLOW ? "  set: " : "  judged again, after setting ");
    for (uint32_t i = 0; i < d->place_count; i++) {
        buf_add(out, i ? STR(", ") : STR(""));
        vm_place_write(p, d->places[i], out);
    }
    buf_printf(out, "\n  arguments: %.*s\n", STR_ARG(json_raw(d->rewritten, 0)));
}

void verdict_print(const struct program *p, const struct vm_call *call, const struct decision *d,
                   struct buf *out)
{
    buf_printf(out, "%s ", verdict_word(d));
    if (call->kind != KIND_TOOL)
        buf_printf(out, " %.*s", STR_ARG(kind_table[call->kind].word));
    if (call->name.n)
        buf_printf(out, " %.*s", STR_ARG(call->name));
    if (call->server.n)
        buf_printf(out, " on %.*s", STR_ARG(call->server));
    buf_printf(out, " for %.*s: ", STR_ARG(call->principal->id));
    add_cause(p, call, d, out);
    buf_add_char(out, '\n');
    if (d->rule != B_NONE) {
        char place[BUNDLE_TEXT_MAX];
        (void)vm_rule_place(p, d->rule, place, sizeof place);
        buf_printf(out, "  %s: %.*s\n", place, STR_ARG(program_text(p, p->rules[d->rule].text)));
    }
    if (d->reason.n)
        buf_printf(out, "  reason: %.*s\n", STR_ARG(d->reason));
    if (d->unknown_atom != B_NONE) {
        const struct b_atom *atom = &p->atoms[d->unknown_atom];
        buf_printf(out, "  unknown: `%.*s` %s\n", STR_ARG(program_text(p, atom->text)),
                   vm_unknown_text(d->unknown));
    } else if (d->cause == CAUSE_UNKNOWN_REWRITE && d->unknown != UNKNOWN_NONE) {
        buf_printf(out, "  unknown: the value %s\n", vm_unknown_text(d->unknown));
    }
    add_rewritten(p, d, out);
}

static void add_member(struct buf *out, const char *key, Str value)
{
    if (value.n == 0)
        return;
    buf_printf(out, ",\"%s\":", key);
    json_write_string(out, value);
}

static void add_rewritten_json(const struct program *p, const struct decision *d, struct buf *out)
{
    struct buf place;
    if (!d->rewritten)
        return;
    buf_init(&place, BUNDLE_BYTES_MAX);
    buf_add(out, STR(",\"set\":["));
    for (uint32_t i = 0; i < d->place_count; i++) {
        buf_clear(&place);
        vm_place_write(p, d->places[i], &place);
        buf_add(out, i ? STR(",") : STR(""));
        json_write_string(out, buf_str(&place));
    }
    buf_add(out, STR("],\"arguments\":"));
    buf_add(out, json_raw(d->rewritten, 0));
    buf_free(&place);
}

void verdict_json(const struct program *p, const struct vm_call *call, const struct decision *d,
                  struct buf *out)
{
    char place[BUNDLE_TEXT_MAX];
    size_t n = vm_rule_place(p, d->rule, place, sizeof place);
    buf_printf(out, "{\"verdict\":\"%s\",\"cause\":\"%s\"", verdict_word(d),
               vm_cause_word(d->cause));
    add_member(out, "server", call->server);
    add_member(out, "kind", kind_table[call->kind].word);
    add_member(out, call->kind == KIND_TOOL ? "tool" : "name", call->name);
    add_member(out, "principal", call->principal->id);
    add_member(out, "policy", program_name(p));
    buf_printf(out, ",\"policy_id\":\"%s\"", p->id);
    add_member(out, "source", (Str){ .p = place, .n = n });
    if (d->rule != B_NONE)
        add_member(out, "rule", program_text(p, p->rules[d->rule].text));
    add_member(out, "reason", d->reason);
    add_member(out, "argument", d->argument);
    if (d->unknown_atom != B_NONE) {
        add_member(out, "unknown", program_text(p, p->atoms[d->unknown_atom].text));
        add_member(out, "unknown_why", str_of(vm_unknown_text(d->unknown)));
    }
    add_rewritten_json(p, d, out);
    buf_add(out, STR("}"));
}
