/* SPDX-License-Identifier: Apache-2.0 */
/* emit_route.c - which rules concern which name, settled at compile time.
 *
 * For every server and kind of message: each name that is known (from the snapshot, or because a
 * rule gives it) gets its list of rules, patterns included. Names that nobody gave, where the world
 * is not closed, go through one automaton over all patterns of the route's rules, whose accept
 * sets have lists too. So a decision starts from a list, never from all rules.
 */
#include "compiler/emit/emit_internal.h"
#include "compiler/pattern/kind_pattern.h"

#include <stdlib.h>

/* A growing row of numbers. */
struct row {
    uint32_t *items, count, capacity;
};

static void row_add(struct emitter *e, struct row *row, uint32_t item)
{
    if (row->count == row->capacity) {
        uint32_t capacity = row->capacity ? row->capacity * 2 : 8;
        uint32_t *items = ARENA_NEW(e->mem, uint32_t, capacity);
        if (!items) {
            e->bundle.is_full = true;
            return;
        }
        if (row->count)
            memcpy(items, row->items, row->count * sizeof *items);
        row->items = items;
        row->capacity = capacity;
    }
    row->items[row->count++] = item;
}

/* A server that the bundle tells from others. */
struct route_server {
    Str alias;                      /* empty: any server that is not named */
    const struct server_decl *decl; /* NULL: the policy declares no server */
};

/* The rules of one kind that cover one server, by how they give names. */
struct server_rules {
    const struct route_server *server;
    enum message_kind kind;
    struct row any;         /* those that give none: about all names */
    struct intern literals; /* a name to a row in by_name */
    struct row *by_name;
    uint32_t name_count, name_capacity;
    struct intern globs; /* a pattern to its index */
    Str *patterns;
    Span *spans;
    struct row *by_glob;
    uint32_t glob_count, glob_capacity;
};

static bool covers(const struct rule *rule, Str alias)
{
    for (const struct name *name = rule->servers; name; name = name->next) {
        if (str_eq(name->text, alias))
            return true;
    }
    return rule->servers == NULL;
}

static void *grown(struct emitter *e, const void *items, uint32_t count, uint32_t capacity,
                   size_t size)
{
    void *bigger = arena_alloc(e->mem, size, 16, capacity);
    if (!bigger)
        e->bundle.is_full = true;
    else if (count)
        memcpy(bigger, items, count * size);
    return bigger;
}

static void add_literal(struct emitter *e, struct server_rules *s, Str name, uint32_t rule)
{
    const uint32_t *known = intern_get(&s->literals, name);
    uint32_t index = known ? *known : s->name_count;
    if (!known) {
        if (s->name_count == s->name_capacity) {
            s->name_capacity = s->name_capacity ? s->name_capacity * 2 : 16;
            s->by_name = grown(e, s->by_name, s->name_count, s->name_capacity, sizeof *s->by_name);
        }
        e->bundle.is_full |= !intern_put(&s->literals, name, index);
        if (e->bundle.is_full)
            return;
        s->by_name[s->name_count++] = (struct row){ .count = 0 };
    }
    if (rule != B_NONE)
        row_add(e, &s->by_name[index], rule);
}

static void add_glob(struct emitter *e, struct server_rules *s, const struct name *glob,
                     uint32_t rule)
{
    const uint32_t *known = intern_get(&s->globs, glob->text);
    uint32_t index = known ? *known : s->glob_count;
    if (!known) {
        if (s->glob_count == s->glob_capacity) {
            s->glob_capacity = s->glob_capacity ? s->glob_capacity * 2 : 16;
            s->patterns = grown(e, s->patterns, index, s->glob_capacity, sizeof *s->patterns);
            s->spans = grown(e, s->spans, index, s->glob_capacity, sizeof *s->spans);
            s->by_glob = grown(e, s->by_glob, index, s->glob_capacity, sizeof *s->by_glob);
        }
        e->bundle.is_full |= !intern_put(&s->globs, glob->text, index);
        if (e->bundle.is_full)
            return;
        s->patterns[index] = kind_name_pattern(s->kind, glob->text, e->mem);
        e->bundle.is_full |= !s->patterns[index].p;
        s->spans[index] = glob->span;
        s->by_glob[s->glob_count++] = (struct row){ .count = 0 };
    }
    row_add(e, &s->by_glob[index], rule);
}

static void collect(struct emitter *e, struct server_rules *s)
{
    intern_init(&s->literals, e->mem);
    intern_init(&s->globs, e->mem);
    for (uint32_t i = 0; i < e->rule_count && !e->bundle.is_full; i++) {
        if (e->rules[i]->kind != s->kind || !covers(e->rules[i], s->server->alias))
            continue;
        if (!e->rules[i]->names)
            row_add(e, &s->any, i);
        for (const struct name *name = e->rules[i]->names; name; name = name->next) {
            if (kind_name_is_glob(s->kind, name->text))
                add_glob(e, s, name, i);
            else
                add_literal(e, s, name->text, i);
        }
    }
}

static int rule_order(const void *a, const void *b, void *rules)
{
    const struct rule *const *all = rules;
    const uint32_t *x = a, *y = b;
    enum effect ex = all[*x]->effect, ey = all[*y]->effect;
    if (ex != ey)
        return ex < ey ? -1 : 1;
    return *x < *y ? -1 : *x > *y;
}

/* Sorts as the file format wants, drops repeats, stores. */
static uint32_t rule_list(struct emitter *e, struct row *rules)
{
    uint32_t n = 0;
    if (e->bundle.is_full)
        return 0;
    if (rules->count)
        qsort_r(rules->items, rules->count, sizeof *rules->items, rule_order, e->rules);
    for (uint32_t i = 0; i < rules->count; i++) {
        if (n == 0 || rules->items[n - 1] != rules->items[i])
            rules->items[n++] = rules->items[i];
    }
    return emit_list(e, rules->items, n);
}

static void append(struct emitter *e, struct row *row, const struct row *more)
{
    for (uint32_t i = 0; i < more->count; i++)
        row_add(e, row, more->items[i]);
}

/* The rules of the patterns in an automaton's accept set. */
static void append_accepted(struct emitter *e, const struct server_rules *s,
                            const struct automaton *globs, uint16_t accept, struct row *row)
{
    for (uint32_t k = 0; accept && k < s->glob_count; k++) {
        uint64_t word = globs->accept_sets[(size_t)accept * globs->accept_words + k / 64];
        if (word >> (k % 64) & 1)
            append(e, row, &s->by_glob[k]);
    }
}

static void add_name(struct emitter *e, const struct server_rules *s, uint32_t route,
                     const struct automaton *globs, const struct pinned_tool *tool)
{
    struct row rules = { .count = 0 };
    append(e, &rules, &s->any);
    const uint32_t *named = intern_get(&s->literals, tool->name);
    if (named)
        append(e, &rules, &s->by_name[*named]);
    if (globs->accept_sets)
        append_accepted(e, s, globs, automaton_run(globs, tool->name), &rules);
    struct b_name record = { .name = bundle_text(&e->bundle, tool->name),
                             .route = route,
                             .list = rule_list(e, &rules),
                             .pin = B_NONE };
    if (tool->has_digest) {
        struct b_pin pin;
        _Static_assert(sizeof pin == sizeof tool->pin, "a pin in a bundle is a pin");
        memcpy(pin.digest, tool->pin.digest, sizeof pin.digest);
        memcpy(pin.parts, tool->pin.parts, sizeof pin.parts);
        record.pin = bundle_add(&e->bundle, SECTION_PINS, &pin);
    }
    if (tool->arguments)
        record.shape = emit_shape(e, tool->arguments, 1);
    (void)bundle_add(&e->bundle, SECTION_NAMES, &record);
}

static int tool_order(const void *a, const void *b)
{
    const struct pinned_tool *x = a, *y = b;
    return str_cmp(x->name, y->name);
}

/* All names known, sorted: of tools the snapshot's, and unless the world is closed the rules' own.
 */
static struct pinned_tool *known_names(struct emitter *e, struct server_rules *s, bool is_closed,
                                       uint32_t *count)
{
    bool has_snapshot = s->kind == KIND_TOOL && s->server->decl;
    const struct snapshot *snapshot = has_snapshot ? s->server->decl->snapshot : NULL;
    uint32_t pinned = snapshot ? snapshot->tool_count : 0, n = 0;
    struct pinned_tool *tools = ARENA_NEW(e->mem, struct pinned_tool, pinned + s->name_count);
    *count = 0;
    if (!tools) {
        e->bundle.is_full = true;
        return NULL;
    }
    for (uint32_t i = 0; i < pinned; i++) {
        tools[n] = snapshot->tools[i];
        if (!is_closed)
            tools[n].arguments = NULL;
        n++;
    }
    for (uint32_t i = 0; i < s->literals.capacity && !is_closed; i++) {
        const struct intern_entry *entry = &s->literals.entries[i];
        if (entry->is_used && !(snapshot && snapshot_tool(snapshot, entry->key)))
            tools[n++] = (struct pinned_tool){ .name = entry->key };
    }
    if (n)
        qsort(tools, n, sizeof *tools, tool_order);
    *count = n;
    return tools;
}

/* The automaton over all patterns of a route. */
static bool build_globs(struct emitter *e, const struct server_rules *s, struct automaton *globs)
{
    struct automaton_error error = { .text = "" };
    if (s->glob_count == 0)
        return true;
    enum status status = automaton_build(s->patterns, s->glob_count, kind_name_syntax(s->kind),
                                         e->mem, globs, &error);
    if (status == ST_OK)
        return true;
    Span span = s->spans[error.pattern < s->glob_count ? error.pattern : 0];
    diag_add(e->diags, status == ST_LIMIT ? DIAG_PATTERN_TOO_LARGE : DIAG_BAD_PATTERN, span,
             error.text);
    return false;
}

/* The lists of names that only patterns know. */
static void add_accepts(struct emitter *e, const struct server_rules *s,
                        const struct automaton *globs, struct b_route *route)
{
    route->dfa = bundle_dfa(&e->bundle, globs);
    route->accept_count = globs->accept_count;
    for (uint16_t id = 1; id <= globs->accept_count; id++) {
        struct row rules = { .count = 0 };
        append(e, &rules, &s->any);
        append_accepted(e, s, globs, id, &rules);
        uint32_t list = rule_list(e, &rules);
        (void)bundle_add(&e->bundle, SECTION_ACCEPTS, &list);
    }
}

static void add_route(struct emitter *e, struct server_rules *s, uint32_t index, bool is_closed)
{
    struct automaton globs = { .state_count = 0 };
    collect(e, s);
    if (e->bundle.is_full || !build_globs(e, s, &globs))
        return;
    struct row any = { .count = 0 };
    append(e, &any, &s->any);
    struct b_route route = { .dfa = B_NONE, .other = rule_list(e, &any) };
    uint32_t count;
    struct pinned_tool *names = known_names(e, s, is_closed, &count);
    for (uint32_t i = 0; i < count; i++)
        add_name(e, s, index, &globs, &names[i]);
    route.accept_first = bundle_count(&e->bundle, SECTION_ACCEPTS);
    if (!is_closed && s->glob_count)
        add_accepts(e, s, &globs, &route);
    (void)bundle_add(&e->bundle, SECTION_ROUTES, &route);
}

static void add_server(struct emitter *e, const struct route_server *from, uint32_t index)
{
    const struct server_decl *decl = from->decl;
    bool is_pinned = decl && decl->snapshot, is_closed = is_pinned && !decl->is_open;
    for (uint32_t kind = 0; kind < KIND_COUNT; kind++) {
        struct server_rules s = { .server = from, .kind = (enum message_kind)kind };
        add_route(e, &s, program_route(index, s.kind), is_closed && s.kind == KIND_TOOL);
    }
    struct b_server server = { .alias = bundle_text(&e->bundle, from->alias),
                               .flags = (is_pinned ? (uint32_t)B_SERVER_PINNED : 0) |
                                        (is_pinned && !is_closed ? (uint32_t)B_SERVER_OPEN : 0) };
    (void)bundle_add(&e->bundle, SECTION_SERVERS, &server);
}

static int server_order(const void *a, const void *b)
{
    const struct route_server *x = a, *y = b;
    return str_cmp(x->alias, y->alias);
}

/* The servers that a bundle tells apart, each once, sorted: the declared ones; or, for a policy
 * that declares none and so is about any, those that its rules name and the empty alias for the
 * rest. */
static struct route_server *list_servers(struct emitter *e, uint32_t *count)
{
    uint32_t room = 1, n = 0, kept = 0;
    bool is_any = e->policy->servers == NULL;
    for (const struct server_decl *s = e->policy->servers; s; s = s->next)
        room++;
    for (uint32_t i = 0; i < e->rule_count; i++) {
        for (const struct name *name = e->rules[i]->servers; name; name = name->next)
            room++;
    }
    struct route_server *all = ARENA_NEW(e->mem, struct route_server, room);
    *count = 0;
    if (!all)
        return NULL;
    for (const struct server_decl *s = e->policy->servers; s; s = s->next)
        all[n++] = (struct route_server){ .alias = s->alias, .decl = s };
    for (uint32_t i = 0; i < e->rule_count && is_any; i++) {
        for (const struct name *name = e->rules[i]->servers; name; name = name->next)
            all[n++] = (struct route_server){ .alias = name->text };
    }
    if (is_any) {
        all[n].alias = STR("");
        all[n++].decl = NULL;
    }
    qsort(all, n, sizeof *all, server_order);
    for (uint32_t i = 0; i < n; i++) {
        if (kept == 0 || !str_eq(all[kept - 1].alias, all[i].alias))
            all[kept++] = all[i];
    }
    *count = kept;
    return all;
}

void emit_routes(struct emitter *e)
{
    uint32_t count;
    const struct route_server *servers = list_servers(e, &count);
    e->bundle.is_full |= !servers;
    for (uint32_t i = 0; i < count && !e->bundle.is_full; i++)
        add_server(e, &servers[i], i);
}
