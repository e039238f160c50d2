/* SPDX-License-Identifier: Apache-2.0 */
/* keep.c - the wheel of the connections: who asks, what is due, what others have stored.
 *
 * Between requests no token lies here: each is opened for the one that is answered. The store is
 * the truth; what this process remembers of a row is when something is due and who waits.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/keep_internal.h"

#include <inttypes.h>
#include <stdlib.h>

enum { LIST_MEMORY_MAX = 512 << 20, VALUE_MAX = VAULT_TOKEN_MAX + 16 };

/* ------------------------------ finding them --------------------------- */

static struct held *find(const struct keep *keep, Str server, Str principal)
{
    struct held *held = keep->held;
    while (held && !(str_eq(held->server, server) && str_eq(held->principal, principal)))
        held = held->next;
    return held;
}

static void on_time(void *user);

static struct held *held_new(struct keep *keep, Str server, Str principal)
{
    struct held *held = calloc(1, sizeof *held);
    char *text = malloc(server.n + principal.n + 1);
    struct timer *timer = held && text ? timer_open(keep->loop, on_time, held) : NULL;
    if (!timer) {
        free(held);
        free(text);
        return NULL;
    }
    memcpy(text, server.p, server.n);
    if (principal.n)
        memcpy(text + server.n, principal.p, principal.n);
    *held = (struct held){
        .keep = keep,
        .timer = timer,
        .text = text,
        .server = { .p = text, .n = server.n },
        .principal = { .p = text + server.n, .n = principal.n },
        .settings = settings_find(keep->env.safe->settings, server),
        .state = OAUTH_STATE_ACTIVE,
        .next = keep->held,
    };
    arena_init(&held->mem, HELD_MEMORY_MAX);
    arena_init(&held->fresh_mem, HELD_MEMORY_MAX);
    arena_init(&held->wanted_mem, HELD_MEMORY_MAX);
    keep->held = held;
    return held;
}

static void held_free(struct held *held)
{
    struct held **link = &held->keep->held;
    while (*link != held)
        link = &(*link)->next;
    *link = held->next;
    if (held->fetch) {
        fetch_cancel(held->fetch);
        held->keep->refreshes--;
    }
    held_forget_fresh(held);
    held_drop_lease(held);
    while (held->waiters) {
        struct waiter_of_token *waiter = held->waiters;
        held->waiters = waiter->next;
        free(waiter);
    }
    timer_close(held->timer);
    arena_reset(&held->wanted_mem);
    arena_reset(&held->mem);
    free(held->text);
    free(held);
}

enum status held_read(struct held *held, struct tokens *tokens)
{
    struct arena mem;
    struct connection_row row;
    struct safe *safe = held->keep->env.safe;
    arena_init(&mem, HELD_MEMORY_MAX);
    enum status status = tokens ? safe_get(safe, held->server, held->principal, &mem, &row, tokens)
                                : keep_store(held)->ops->connection_get(
                                      keep_store(held), held->server, held->principal, &mem, &row);
    if (status != ST_OK) {
        arena_reset(&mem);
        return status;
    }
    bool is_other = row.generation != held->row.generation;
    arena_reset(&held->mem);
    held->mem = mem;
    held->row = row;
    held->has_refresh = tokens ? tokens->refresh.n > 0 : row.refresh.n > 0;
    if (is_other)
        held->due_ms = 0;
    return ST_OK;
}

/* ------------------------------- answering ----------------------------- */

static void answer_no(struct keep *keep, uint64_t id, enum no_kind no, Str text)
{
    struct keep_answer answer = { .no = no, .text = text };
    keep->events->answer(keep->user, id, &answer);
}

void held_refuse(struct held *held, enum no_kind no, const char *why)
{
    while (held->waiters) {
        struct waiter_of_token *waiter = held->waiters;
        held->waiters = waiter->next;
        answer_no(held->keep, waiter->id, no, str_of(why));
        free(waiter);
    }
}

static void refuse_late(struct held *held, int64_t now)
{
    struct waiter_of_token **link = &held->waiters;
    while (*link) {
        struct waiter_of_token *waiter = *link;
        if (waiter->until_ms > now) {
            link = &waiter->next;
            continue;
        }
        *link = waiter->next;
        answer_no(held->keep, waiter->id, NO_LATER,
                  STR("the authorization server can't be reached for now; try again later"));
        free(waiter);
    }
}

/* How long the token lives in all; 0: nobody said. */
static int64_t life_of(const struct connection_row *row)
{
    return row->expires_ms ? row->expires_ms - row->refreshed_ms : 0;
}

static int64_t less_of(int64_t most, int64_t part)
{
    return part < most ? part : most;
}

static bool has_expired(const struct held *held)
{
    int64_t spare = less_of(KEEP_SPARE_MS, life_of(&held->row) / 8);
    return held->row.expires_ms && world_wall_ms() + spare >= held->row.expires_ms;
}

/* When it is refreshed without being asked: ahead of its end, and not all at one time. */
static int64_t due_of(struct held *held)
{
    uint32_t random;
    if (!held->row.expires_ms)
        return 0;
    if (!held->due_ms) {
        int64_t ahead = less_of(KEEP_AHEAD_MS, life_of(&held->row) / 4);
        world_entropy(&random, sizeof random);
        held->due_ms = held->row.expires_ms - ahead - (int64_t)(random % (uint32_t)(ahead / 2 + 1));
    }
    return held->due_ms;
}

static bool can_refresh(const struct held *held)
{
    return str_eq(held->row.kind, STR("client")) ||
           (str_eq(held->row.kind, STR("code")) && held->has_refresh);
}

static void note_use(struct held *held)
{
    int64_t now = world_mono_ms();
    if (held->noted_ms && now - held->noted_ms < KEEP_USED_EVERY_MS)
        return;
    held->noted_ms = now;
    if (keep_store(held)->ops->connection_used(keep_store(held), held->server, held->principal,
                                               world_wall_ms()) != ST_OK)
        log_debug("a use was not noted server=%.*s", STR_ARG(held->server));
}

static void hand_out(struct held *held, uint64_t id, const struct tokens *tokens)
{
    struct buf value;
    if (!secret_buf_open(&value, VALUE_MAX)) {
        answer_no(held->keep, id, NO_LATER, STR("no memory left"));
        return;
    }
    bool is_header = str_eq(held->row.kind, STR("header"));
    if (!is_header)
        buf_add(&value, STR("Bearer "));
    buf_add(&value, buf_str(&tokens->access));
    struct keep_answer answer = {
        .has_token = true,
        .name = is_header ? held->row.header : STR("Authorization"),
        .value = buf_str(&value),
        .generation = held->row.generation,
    };
    held->keep->events->answer(held->keep->user, id, &answer);
    secret_buf_close(&value);
}

/* What the state says to everybody who asks, or NULL. */
static const char *state_refusal(const struct held *held)
{
    if (held->state == OAUTH_STATE_REVOKED)
        return "the connection was revoked";
    if (held->state == OAUTH_STATE_LOGIN_NEEDED)
        return held->row.reason.n ? held->row.reason.p : "a new login is needed";
    return NULL;
}

static bool answers_now(const struct held *held)
{
    bool is_in_hand = held->state == OAUTH_STATE_ACTIVE || held->state == OAUTH_STATE_REFRESH ||
                      held->state == OAUTH_STATE_BACKOFF;
    return is_in_hand && !has_expired(held) &&
           held->rejected_generation != (uint64_t)held->row.generation;
}

/* The store's row is another one than the one that we worked with. */
static void adopt(struct held *held)
{
    bool is_ended = str_eq(held->row.state, oauth_state_word(OAUTH_STATE_REVOKED));
    if (is_ended && held->state != OAUTH_STATE_REVOKED)
        held_raise(held, OAUTH_EVENT_REVOKE);
    else
        held_raise(held, OAUTH_EVENT_CONNECTED);
}

void held_serve(struct held *held)
{
    struct tokens tokens;
    int64_t known = held->row.generation;
    const char *refusal = state_refusal(held);
    if (refusal) {
        held_refuse(held, NO_LOGIN, refusal);
        return;
    }
    if (!held->waiters || !answers_now(held))
        return;
    bool is_read = tokens_open(&tokens) && held_read(held, &tokens) == ST_OK;
    if (is_read && held->row.generation != known) { /* and nobody has told us yet */
        tokens_close(&tokens);
        adopt(held);
        return;
    }
    if (!is_read || !tokens.access.n) {
        held_refuse(held, NO_LATER, "the token can't be read from the store");
        tokens_close(&tokens);
        return;
    }
    while (held->waiters) {
        struct waiter_of_token *waiter = held->waiters;
        held->waiters = waiter->next;
        hand_out(held, waiter->id, &tokens);
        free(waiter);
    }
    tokens_close(&tokens);
    note_use(held);
}

static void wait_for_token(struct held *held, uint64_t id)
{
    struct waiter_of_token *waiter = calloc(1, sizeof *waiter);
    if (!waiter) {
        answer_no(held->keep, id, NO_LATER, STR("no memory left"));
        return;
    }
    waiter->id = id;
    waiter->until_ms = world_mono_ms() + KEEP_PATIENCE_MS;
    waiter->next = held->waiters;
    held->waiters = waiter;
}

/* ------------------------------- the wheel ----------------------------- */

void held_plan(struct held *held)
{
    int64_t due = due_of(held);
    if (held->state != OAUTH_STATE_ACTIVE || !due || !can_refresh(held))
        return;
    int64_t wait = due - world_wall_ms();
    timer_start(held->timer, wait > 0 ? wait : 0);
}

/* The refresh that is under way is not this connection's any more. */
static void let_go(struct held *held)
{
    held->is_orphan = held->fetch != NULL;
    if (!held->fetch) {
        held_forget_fresh(held);
        held_drop_lease(held);
    }
    timer_stop(held->timer);
}

static void reload(struct held *held)
{
    enum oauth_state state;
    let_go(held);
    held->tries = 0;
    if (held_read(held, NULL) != ST_OK) {
        held_refuse(held, NO_LATER, "the connection can't be read from the store");
        return;
    }
    if (oauth_state_read(held->row.state, &state) && !oauth_state_is_login(state))
        held->state = state;
    if (held->state == OAUTH_STATE_REVOKED)
        held->keep->events->cut(held->keep->user, held->server, held->principal);
    held_plan(held);
    held_serve(held);
}

static int64_t backoff_of(const struct held *held)
{
    uint32_t random;
    int64_t wait = KEEP_BACKOFF_FIRST_MS;
    for (unsigned i = 0; i < held->tries && wait < KEEP_BACKOFF_MAX_MS; i++)
        wait *= 2;
    world_entropy(&random, sizeof random);
    return less_of(KEEP_BACKOFF_MAX_MS, wait) + random % KEEP_BACKOFF_FIRST_MS;
}

static void wait_a_while(struct held *held)
{
    if (held->state == OAUTH_STATE_BACKOFF)
        held_drop_lease(held); /* another gateway may have more luck */
    timer_start(held->timer, backoff_of(held));
    held->tries++;
    held_serve(held); /* the old token, as long as it is good */
    refuse_late(held, world_mono_ms());
}

static void tell(struct held *held)
{
    struct store *store = keep_store(held);
    int64_t generation = 0;
    struct connection_mark mark = {
        .server = held->server,
        .principal = held->principal,
        .state = oauth_state_word(OAUTH_STATE_LOGIN_NEEDED),
        .reason = held->row.reason.n ? held->row.reason
                                     : STR("the token has expired and there is no refresh token"),
        .generation = held->row.generation,
    };
    enum status status = store->ops->connection_mark(store, &mark, &generation);
    held_drop_lease(held);
    if (status == ST_CONFLICT) { /* somebody logged in meanwhile */
        held_raise(held, OAUTH_EVENT_SUPERSEDED);
        return;
    }
    log_warn("login needed server=%.*s principal=%.*s why=%.*s", STR_ARG(held->server),
             STR_ARG(held->principal), STR_ARG(mark.reason));
    if (status == ST_OK)
        (void)held_read(held, NULL);
    held_refuse(held, NO_LOGIN, state_refusal(held));
}

static void finish_refresh(struct held *held)
{
    held_drop_lease(held);
    held_forget_fresh(held);
    held->tries = 0;
    held->wanted.count = 0;
    arena_reset(&held->wanted_mem);
    log_info("refreshed server=%.*s principal=%.*s", STR_ARG(held->server),
             STR_ARG(held->principal));
    if (held_read(held, NULL) != ST_OK)
        log_error("a refreshed connection can't be read server=%.*s", STR_ARG(held->server));
    held_plan(held);
    held_serve(held);
}

static void end(struct held *held)
{
    let_go(held);
    (void)held_read(held, NULL);
    held_refuse(held, NO_LOGIN, "the connection was revoked");
    held->keep->events->cut(held->keep->user, held->server, held->principal);
}

void held_raise(struct held *held, enum oauth_event event)
{
    enum oauth_action action;
    if (!oauth_step(&held->state, event, &action))
        return; /* too late: machine.def */
    switch (action) {
    case OAUTH_DO_SEND_REFRESH: held_refresh(held); return;
    case OAUTH_DO_SAVE: held_save(held); return;
    case OAUTH_DO_HAND_OUT: finish_refresh(held); return;
    case OAUTH_DO_RELOAD: reload(held); return;
    case OAUTH_DO_WAIT: wait_a_while(held); return;
    case OAUTH_DO_TELL: tell(held); return;
    case OAUTH_DO_END: end(held); return;
    default: UNREACHABLE("an action that is no connection's");
    }
}

static void raise_due(struct held *held)
{
    if (held->state == OAUTH_STATE_ACTIVE && !can_refresh(held))
        held_raise(held, OAUTH_EVENT_NO_MEANS);
    else
        held_raise(held, OAUTH_EVENT_DUE);
}

static void on_time(void *user)
{
    struct held *held = user;
    if (held->state == OAUTH_STATE_REFRESH) {
        if (!held->fetch || held->is_orphan)
            held_refresh(held); /* the lease may be free now */
    } else {
        raise_due(held);
    }
}

/* ---------------------------- what others did -------------------------- */

static void compare(struct held *held, const struct connection_row *row)
{
    if (row->generation == held->row.generation)
        return;
    if (held_read(held, NULL) == ST_OK)
        adopt(held);
}

static bool is_listed(const struct held *held, const struct connection_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (str_eq(rows[i].server, held->server) && str_eq(rows[i].principal, held->principal))
            return true;
    }
    return false;
}

void keep_tell_servers(struct keep *keep)
{
    const struct keeper_settings *settings = keep->env.safe->settings;
    for (size_t i = 0; i < settings->server_count; i++) {
        Str server = settings->servers[i].server;
        bool has = false;
        for (const struct held *held = keep->held; held && !has; held = held->next)
            has = str_eq(held->server, server);
        keep->events->server(keep->user, server, has || settings->servers[i].is_per_principal);
    }
}

static void sync_rows(struct keep *keep, const struct connection_row *rows, size_t count)
{
    for (struct held *held = keep->held, *next; held; held = next) {
        next = held->next;
        if (is_listed(held, rows, count))
            continue;
        held_refuse(held, NO_LOGIN, "the connection is gone");
        held_free(held);
    }
    for (size_t i = 0; i < count && i < KEEP_CONNECTIONS_MAX; i++) {
        struct held *held = find(keep, rows[i].server, rows[i].principal);
        if (!held)
            held = held_new(keep, rows[i].server, rows[i].principal);
        if (held)
            compare(held, &rows[i]);
    }
}

void keep_look(struct keep *keep)
{
    struct arena mem;
    struct connection_row *rows = NULL;
    size_t count = 0;
    struct store *store = keep->env.safe->vault.store;
    arena_init(&mem, LIST_MEMORY_MAX);
    if (store->ops->connection_list(store, &mem, &rows, &count) == ST_OK) {
        sync_rows(keep, rows, count);
        keep_tell_servers(keep);
    }
    arena_reset(&mem);
}

static void on_poll(void *user)
{
    struct keep *keep = user;
    int64_t version = keep->version, now = world_mono_ms();
    struct store *store = keep->env.safe->vault.store;
    if (store->ops->version(store, &version) == ST_OK && version != keep->version) {
        keep->version = version;
        keep_look(keep);
        keep->events->changed(keep->user);
    }
    for (struct held *held = keep->held; held; held = held->next)
        refuse_late(held, now);
    timer_start(keep->poll, KEEP_POLL_MS);
}

/* -------------------------------- questions ---------------------------- */

/* A server that refuses fresh tokens is not asked for its mind at the speed of its clients. */
static void take_rejection(struct held *held, uint64_t id, const struct keep_question *question)
{
    int64_t now = world_mono_ms();
    bool is_current = question->generation == (uint64_t)held->row.generation;
    if (!is_current || held->state != OAUTH_STATE_ACTIVE) {
        wait_for_token(held, id);
        held_serve(held);
        return;
    }
    if (str_eq(held->row.kind, STR("header"))) {
        answer_no(held->keep, id, NO_LOGIN, STR("the server refuses the stored header"));
        return;
    }
    if (held->rejected_ms && now - held->rejected_ms < KEEP_REJECT_REST_MS) {
        answer_no(held->keep, id, NO_LATER,
                  STR("the server refuses a token that was refreshed just now"));
        return;
    }
    held->rejected_ms = now;
    held->rejected_generation = question->generation;
    wait_for_token(held, id);
    raise_due(held);
}

/* All that a server wants now is kept with what it wanted before: the next login asks for both. */
static void remember_wanted(struct held *held, const struct scope_set *asked)
{
    struct scope_set wanted = { .count = 0 };
    struct buf text;
    struct store *store = keep_store(held);
    buf_init(&text, GRANT_TEXT_MAX);
    bool is_read = scope_add_list(&wanted, held->row.wanted, ' ') && scope_union(&wanted, asked);
    scope_write(&text, &wanted, ' ');
    if (!is_read || text.is_full ||
        store->ops->connection_want(store, held->server, held->principal, buf_str(&text)) != ST_OK)
        log_warn("the scopes that a server wants can't be noted server=%.*s",
                 STR_ARG(held->server));
    buf_free(&text);
}

/* A client without user asks for more by itself, a few times. False: it may not. */
static bool steps_up(struct held *held, const struct scope_set *asked)
{
    if (!str_eq(held->row.kind, STR("client")) || held->step_ups >= STEP_UPS_MAX)
        return false;
    for (size_t i = 0; i < asked->count; i++) {
        Str scope = arena_copy(&held->wanted_mem, asked->items[i]);
        if (!scope.p || !scope_add(&held->wanted, scope))
            return false;
    }
    held->step_ups++;
    return true;
}

static void take_step_up(struct held *held, uint64_t id, const struct keep_question *question)
{
    struct scope_set asked = { .count = 0 };
    bool is_read = scope_add_list(&asked, question->scopes, ' ');
    if (question->generation != (uint64_t)held->row.generation) {
        wait_for_token(held, id);
        held_serve(held);
    } else if (is_read && steps_up(held, &asked)) {
        held->rejected_generation = question->generation;
        wait_for_token(held, id);
        raise_due(held);
    } else {
        if (is_read)
            remember_wanted(held, &asked);
        answer_no(held->keep, id, NO_SCOPES,
                  held->row.step_ups >= STEP_UPS_MAX
                      ? STR("the server goes on asking for more scopes")
                      : STR("the server wants more scopes than were granted"));
    }
}

static void ask_held(struct held *held, uint64_t id, const struct keep_question *question)
{
    const char *refusal = state_refusal(held);
    if (refusal) {
        answer_no(held->keep, id, NO_LOGIN, str_of(refusal));
        return;
    }
    if (str_eq(question->cause, STR("401"))) {
        take_rejection(held, id, question);
        return;
    }
    if (str_eq(question->cause, STR("403"))) {
        take_step_up(held, id, question);
        return;
    }
    wait_for_token(held, id);
    held_serve(held);
    if (held->waiters && held->state == OAUTH_STATE_ACTIVE)
        raise_due(held);
}

void keep_ask(struct keep *keep, uint64_t id, const struct keep_question *question)
{
    struct held *held = find(keep, question->server, question->principal);
    if (!held) {
        keep_look(keep); /* perhaps since the last look */
        held = find(keep, question->server, question->principal);
    }
    if (held)
        ask_held(held, id, question);
    else
        answer_no(keep, id, NO_LOGIN, STR("there is no connection yet"));
}

/* ------------------------------ opening -------------------------------- */

enum status keep_open(struct loop *loop, const struct login_env *env,
                      const struct keep_events *events, void *user, struct keep **out)
{
    struct keep *keep = calloc(1, sizeof *keep);
    if (!keep)
        return ST_NO_MEMORY;
    *keep = (struct keep){ .loop = loop, .env = *env, .events = events, .user = user };
    keep->poll = timer_open(loop, on_poll, keep);
    if (!keep->poll) {
        free(keep);
        return ST_NO_MEMORY;
    }
    keep->version = -1;
    on_poll(keep);
    *out = keep;
    return ST_OK;
}

void keep_close(struct keep *keep)
{
    if (!keep)
        return;
    while (keep->held)
        held_free(keep->held); /* NOLINT(clang-analyzer-unix.Malloc): it leaves the list */
    timer_close(keep->poll);
    free(keep);
}

bool keep_is_idle(const struct keep *keep)
{
    return keep->refreshes == 0;
}
