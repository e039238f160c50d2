/* SPDX-License-Identifier: Apache-2.0 */
/* claims_print.c - what was found of claims, for people and for machines. */
#include "compiler/command/claims.h"

enum { CLAIM_QUOTE_MAX = 160 };

struct report {
    struct compilation *c;
    struct buf *out;
    bool is_json, all, has_one;
};

/* ---------------------------------- text --------------------------------- */

/* The claim as written, on one line, up to its semicolon; cut where it is long. */
static Str claim_text(const struct compilation *c, const struct rule *claim, struct arena *mem)
{
    Str text = str_sub(c->sources.items[claim->span.source].text, claim->span.lo, claim->span.hi);
    char line[CLAIM_QUOTE_MAX];
    size_t n = 0;
    bool is_blank = false;
    for (size_t i = 0; i < text.n && n + 2 < sizeof line && text.p[i] != ';'; i++) {
        char ch = text.p[i];
        bool is_space = ch == ' ' || ch == '\n' || ch == '\r' || ch == '\t';
        if (!is_space && is_blank && n)
            line[n++] = ' ';
        if (!is_space)
            line[n++] = ch;
        is_blank = is_space;
    }
    while (n && n + 2 >= sizeof line && (unsigned char)line[n - 1] >= 0x80)
        n--; /* a character that may be cut */
    return arena_copy(mem, (Str){ .p = line, .n = n });
}

/* "file:line" of the claim, by the path that was given. */
static Str claim_place(const struct compilation *c, const struct rule *claim, struct arena *mem)
{
    const struct source *source = &c->sources.items[claim->span.source];
    uint32_t line, column;
    source_position(source, claim->span.lo, &line, &column);
    return arena_printf(mem, "%.*s:%u", STR_ARG(source->path), line);
}

static void add_subject(struct buf *out, enum message_kind kind, Str name, Str server)
{
    buf_add(out, kind_table[kind].word);
    buf_printf(out, name.n ? " %.*s" : "%.*s", STR_ARG(name));
    if (server.n)
        buf_printf(out, " on %.*s", STR_ARG(server));
}

static void print_broken(const struct report *report, const struct claim_result *r)
{
    struct buf *out = report->out;
    buf_printf(out, "    %.*s\n    %.*s", STR_ARG(r->call), STR_ARG(r->verdict));
    if (r->place.n)
        buf_printf(out, "  %.*s: %.*s\n", STR_ARG(r->place), STR_ARG(r->rule));
    else
        buf_printf(out, "  (%.*s)\n", STR_ARG(r->cause));
    if (r->broken_names > 1)
        buf_printf(out, "    and by calls of %u other names\n", r->broken_names - 1);
}

static void print_doubts(const struct report *report, const struct claim_result *r)
{
    struct buf *out = report->out;
    for (uint32_t i = 0; i < r->doubt_count && i < CLAIM_DOUBTS_SHOWN; i++) {
        const struct claim_doubt *doubt = &r->doubts[i];
        buf_add(out, r->answer == CLAIM_BROKEN ? STR("    unknown of ") : STR("    "));
        add_subject(out, doubt->kind, doubt->name, doubt->server);
        buf_printf(out, ": %s", doubt_table[doubt->doubt].text);
        if (doubt->doubt == DOUBT_CONDITION)
            buf_printf(out, ", %.*s: `%.*s`", STR_ARG(doubt->place), STR_ARG(doubt->condition));
        buf_add_char(out, '\n');
    }
    if (r->doubt_count > CLAIM_DOUBTS_SHOWN)
        buf_printf(out, "    and of %u other names\n", r->doubt_count - CLAIM_DOUBTS_SHOWN);
}

static void print_result(const struct report *report, const struct claim_result *r,
                         struct arena *mem)
{
    static const char *const answers[] = { "holds", "broken", "unknown" };
    Str place = claim_place(report->c, r->claim, mem), text = claim_text(report->c, r->claim, mem);
    buf_printf(report->out, "%.*s: ", STR_ARG(place));
    if (r->profile.n)
        buf_printf(report->out, "profile %.*s: ", STR_ARG(r->profile));
    buf_printf(report->out, "%s: %.*s\n", answers[r->answer], STR_ARG(text));
    if (r->answer == CLAIM_BROKEN)
        print_broken(report, r);
    if (r->answer == CLAIM_BROKEN && r->claim->reason.n)
        buf_printf(report->out, "    reason: %.*s\n", STR_ARG(r->claim->reason));
    print_doubts(report, r);
}

/* ---------------------------------- JSON --------------------------------- */

static void add_json(struct buf *out, const char *key, Str value)
{
    if (!value.n)
        return;
    buf_printf(out, ",\"%s\":", key);
    json_write_string(out, value);
}

static void json_subject(struct buf *out, enum message_kind kind, Str name, Str server)
{
    buf_add(out, STR("\"kind\":"));
    json_write_string(out, kind_table[kind].word);
    add_json(out, "name", name);
    add_json(out, "server", server);
}

static void json_doubts(struct buf *out, const struct claim_result *r)
{
    if (!r->doubt_count)
        return;
    buf_add(out, STR(",\"unknown\":["));
    for (uint32_t i = 0; i < r->doubt_count && i < CLAIM_DOUBTS_SHOWN; i++) {
        const struct claim_doubt *doubt = &r->doubts[i];
        buf_add(out, i ? STR(",{") : STR("{"));
        json_subject(out, doubt->kind, doubt->name, doubt->server);
        add_json(out, "why", str_of(doubt_table[doubt->doubt].word));
        add_json(out, "condition", doubt->condition);
        add_json(out, "place", doubt->place);
        buf_add_char(out, '}');
    }
    buf_printf(out, "],\"unknown_names\":%u", r->doubt_count);
}

static void json_result(struct report *report, const struct claim_result *r, struct arena *mem)
{
    static const char *const answers[] = { "holds", "broken", "unknown" };
    struct buf *out = report->out;
    buf_printf(out, "%s{\"answer\":\"%s\"", report->has_one ? ",\n" : "", answers[r->answer]);
    add_json(out, "claim", claim_text(report->c, r->claim, mem));
    add_json(out, "place", claim_place(report->c, r->claim, mem));
    add_json(out, "profile", r->profile);
    add_json(out, "reason", r->claim->reason);
    if (r->answer == CLAIM_BROKEN) {
        buf_add_char(out, ',');
        json_subject(out, r->kind, r->name, r->server);
        buf_printf(out, ",\"call\":%.*s", STR_ARG(r->call));
        add_json(out, "verdict", r->verdict);
        add_json(out, "cause", r->cause);
        add_json(out, "rule", r->rule);
        add_json(out, "rule_place", r->place);
        buf_printf(out, ",\"broken_names\":%u", r->broken_names);
    }
    json_doubts(out, r);
    buf_add_char(out, '}');
    report->has_one = true;
}

/* --------------------------------- the whole ----------------------------- */

static void visit(void *user, const struct claim_result *result)
{
    struct report *report = user;
    struct arena mem;
    if (!report->all && result->answer == CLAIM_HOLDS)
        return;
    arena_init(&mem, SOURCE_BYTES_MAX);
    if (report->is_json)
        json_result(report, result, &mem);
    else
        print_result(report, result, &mem);
    arena_reset(&mem);
}

bool claims_report(struct compilation *c, bool is_json, bool all, struct buf *out,
                   struct claim_counts *counts)
{
    struct report report = { .c = c, .out = out, .is_json = is_json, .all = all };
    Str names[PROFILES_MAX] = { { NULL, 0 } };
    uint32_t count = compilation_profiles(c, names);
    bool is_good = true;
    Str asked = c->profile;
    if (is_json)
        buf_add(out, STR("{\"claims\":["));
    for (uint32_t i = 0; i < count && is_good; i++) {
        c->profile = names[i];
        is_good = claims_prove(c, visit, &report, counts);
    }
    c->profile = asked;
    if (is_json)
        buf_printf(out, "],\"held\":%u,\"broken\":%u,\"unknown\":%u}\n", counts->held,
                   counts->broken, counts->unknown);
    else
        buf_printf(out, "%u held, %u broken, %u unknown\n", counts->held, counts->broken,
                   counts->unknown);
    return is_good;
}
