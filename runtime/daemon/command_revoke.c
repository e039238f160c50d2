/* SPDX-License-Identifier: Apache-2.0 */
/* command_revoke.c - `mcpd revoke ...`: ends grants and connections, here at once and at the
 * provider, and says what hangs on them. With --dry-run it only says.
 *
 * A running gateway sees the store change and cuts what is in flight. What a provider could not be
 * told within the command's patience stays with the gateway, which goes on.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/daemon/command.h"
#include "runtime/daemon/estate.h"
#include "runtime/daemon/options.h"
#include "runtime/keeper/keeper.h"
#include "runtime/keeper/revoke.h"

#include <stdio.h>
#include <stdlib.h>

enum { TELL_MS = 20 * 1000, LOOK_MS = 50 };

struct revoking {
    struct estate estate;
    Str config, principal;
    bool is_dry, is_failed;
    bool *grants;      /* which of the estate's */
    bool *connections; /* likewise */
    int64_t began_ms;
};

struct telling {
    struct loop *loop;
    struct timer *timer;
    struct store *store;
    struct revoker *revoker;
    int64_t began_ms, until_ms;
};

static void report(const char *verb, const char *what, Str name, Str more)
{
    (void)printf("%s %s %.*s%s%.*s\n", verb, what, STR_ARG(name), more.n ? ": " : "",
                 STR_ARG(more));
}

/* --------------------------------- ending ------------------------------ */

static Str describe_grant(struct revoking *revoking, const struct grant_row *grant)
{
    Str servers = STR("");
    struct arena *mem = &revoking->estate.mem;
    for (size_t i = 0; i < grant->server_count; i++)
        servers = arena_printf(mem, "%.*s%s%.*s", STR_ARG(servers), i ? ", " : "",
                               STR_ARG(grant->servers[i]));
    return arena_printf(mem, "of %.*s, for %.*s", STR_ARG(grant->principal), STR_ARG(servers));
}

static void end_grants(struct revoking *revoking)
{
    struct estate *estate = &revoking->estate;
    struct store *store = estate->store;
    for (size_t i = 0; i < estate->grant_count; i++) {
        const struct grant_row *grant = &estate->grants[i];
        if (!revoking->grants[i])
            continue;
        enum status status =
            revoking->is_dry ? ST_OK : store->ops->grant_revoke(store, grant->id, world_wall_ms());
        revoking->is_failed = revoking->is_failed || status != ST_OK;
        report(revoking->is_dry  ? "would revoke"
               : status == ST_OK ? "revoked"
                                 : "could not revoke",
               "grant", grant->id, describe_grant(revoking, grant));
    }
}

static Str describe_connection(struct revoking *revoking, const struct connection_row *row,
                               bool can_tell)
{
    struct estate *estate = &revoking->estate;
    Str grants = estate_dependents(estate, row);
    return arena_printf(&estate->mem, "%s%.*s%s%.*s%s", row->principal.n ? "of " : "shared",
                        STR_ARG(row->principal), grants.n ? ", without it are the grants " : "",
                        STR_ARG(grants),
                        can_tell ? ""
                                 : "; its provider can't be told, so its tokens stay good "
                                   "there until they expire");
}

static void end_connections(struct revoking *revoking, struct safe *safe)
{
    struct estate *estate = &revoking->estate;
    for (size_t i = 0; i < estate->connection_count; i++) {
        const struct connection_row *row = &estate->connections[i];
        bool can_tell = row->revocation_endpoint.n > 0;
        if (!revoking->connections[i])
            continue;
        enum status status = revoking->is_dry
                                 ? ST_OK
                                 : revoke_connection(safe, row->server, row->principal,
                                                     STR("revoked by the operator"), &can_tell);
        revoking->is_failed = revoking->is_failed || status != ST_OK;
        report(revoking->is_dry  ? "would end"
               : status == ST_OK ? "ended"
                                 : "could not end",
               "connection", row->server,
               describe_connection(revoking, row, can_tell || str_eq(row->kind, STR("header"))));
    }
}

/* -------------------------------- telling ------------------------------ */

/* Is there one of this command's that was not tried yet? */
static bool is_untried(struct telling *telling, struct arena *mem)
{
    struct revocation_row *rows = NULL;
    size_t count = 0;
    if (telling->store->ops->revocation_list(telling->store, mem, &rows, &count) != ST_OK)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].created_ms >= telling->began_ms && rows[i].tries == 0)
            return true;
    }
    return false;
}

static void look(void *user)
{
    struct telling *telling = user;
    struct arena mem;
    arena_init(&mem, COMMAND_MEMORY_MAX);
    bool goes_on = is_untried(telling, &mem) && world_mono_ms() < telling->until_ms;
    arena_reset(&mem);
    if (goes_on)
        timer_start(telling->timer, LOOK_MS);
    else
        loop_stop(telling->loop);
}

static void tell_providers(struct revoking *revoking, struct safe *safe)
{
    struct http_client *http = NULL;
    struct telling telling = { .store = safe->vault.store,
                               .began_ms = revoking->began_ms,
                               .until_ms = world_mono_ms() + TELL_MS };
    enum status status = loop_open(&telling.loop);
    if (status == ST_OK)
        status = http_client_open(telling.loop, &http);
    struct login_env env = { .http = http, .safe = safe };
    if (status == ST_OK)
        status = revoker_open(telling.loop, &env, &telling.revoker);
    telling.timer = status == ST_OK ? timer_open(telling.loop, look, &telling) : NULL;
    if (telling.timer) {
        timer_start(telling.timer, LOOK_MS);
        loop_run(telling.loop);
    }
    timer_close(telling.timer);
    revoker_close(telling.revoker);
    if (http)
        http_client_close(http);
    if (telling.loop)
        loop_close(telling.loop);
}

static void report_providers(struct revoking *revoking)
{
    struct estate *estate = &revoking->estate;
    struct revocation_row *rows = NULL;
    size_t count = 0;
    if (estate->store->ops->revocation_list(estate->store, &estate->mem, &rows, &count) != ST_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const struct revocation_row *row = &rows[i];
        bool is_pending = str_eq(row->state, STR("pending"));
        if (row->created_ms < revoking->began_ms)
            continue;
        (void)printf("provider of %.*s, %s token: %.*s%s\n", STR_ARG(row->server),
                     row->is_refresh ? "refresh" : "access",
                     STR_ARG(row->outcome.n ? row->outcome : STR("not told yet")),
                     is_pending ? "; the gateway goes on trying" : "");
        revoking->is_failed = revoking->is_failed || str_eq(row->state, STR("given_up"));
    }
}

static bool has_connections(const struct revoking *revoking)
{
    for (size_t i = 0; i < revoking->estate.connection_count; i++) {
        if (revoking->connections[i])
            return true;
    }
    return false;
}

static int carry_out(struct revoking *revoking)
{
    struct safe safe = { .settings = NULL };
    const char *what = "";
    revoking->began_ms = world_wall_ms();
    bool needs_safe = has_connections(revoking) && !revoking->is_dry;
    enum status status =
        needs_safe ? safe_open(&revoking->estate.config.keeper, &safe, &what) : ST_OK;
    if (status != ST_OK) {
        (void)fprintf(stderr, "mcpd: can't open %s: %s\n", what, status_text(status));
        safe_close(&safe);
        return EXIT_FAILED;
    }
    end_grants(revoking);
    end_connections(revoking, &safe);
    if (needs_safe) {
        tell_providers(revoking, &safe);
        report_providers(revoking);
    }
    safe_close(&safe);
    return revoking->is_failed || fflush(stdout) != 0 ? EXIT_FAILED : EXIT_DONE;
}

/* ------------------------------ the commands --------------------------- */

/* Marks what is meant; false when there is nothing of that name. */
typedef bool (*choose_fn)(struct revoking *revoking, Str name);

static bool is_live(const struct connection_row *row)
{
    return !str_eq(row->state, STR("revoked"));
}

static bool choose_grant(struct revoking *revoking, Str id)
{
    bool is_found = false;
    for (size_t i = 0; i < revoking->estate.grant_count; i++) {
        revoking->grants[i] = str_eq(revoking->estate.grants[i].id, id);
        is_found = is_found || revoking->grants[i];
    }
    return is_found;
}

static bool choose_principal(struct revoking *revoking, Str principal)
{
    bool is_found = false;
    const struct estate *estate = &revoking->estate;
    for (size_t i = 0; i < estate->grant_count; i++) {
        bool is_own = str_eq(estate->grants[i].principal, principal);
        revoking->grants[i] = is_own && estate_grant_is_active(&estate->grants[i]);
        is_found = is_found || is_own;
    }
    for (size_t i = 0; i < estate->connection_count; i++) {
        bool is_own = str_eq(estate->connections[i].principal, principal);
        revoking->connections[i] = is_own && is_live(&estate->connections[i]);
        is_found = is_found || is_own;
    }
    return is_found && principal.n;
}

static bool choose_connection(struct revoking *revoking, Str server)
{
    bool is_found = false;
    const struct estate *estate = &revoking->estate;
    for (size_t i = 0; i < estate->connection_count; i++) {
        const struct connection_row *row = &estate->connections[i];
        revoking->connections[i] =
            str_eq(row->server, server) && str_eq(row->principal, revoking->principal);
        is_found = is_found || revoking->connections[i];
    }
    return is_found;
}

static bool choose_server(struct revoking *revoking, Str server)
{
    bool is_found = false;
    const struct estate *estate = &revoking->estate;
    for (size_t i = 0; i < estate->connection_count; i++) {
        bool is_of = str_eq(estate->connections[i].server, server);
        revoking->connections[i] = is_of && is_live(&estate->connections[i]);
        is_found = is_found || is_of;
    }
    return is_found;
}

static int revoke_chosen(struct revoking *revoking, choose_fn choose, Str name)
{
    struct estate *estate = &revoking->estate;
    revoking->grants = ARENA_NEW(&estate->mem, bool, estate->grant_count);
    revoking->connections = ARENA_NEW(&estate->mem, bool, estate->connection_count);
    if (!revoking->grants || !revoking->connections)
        return EXIT_FAILED;
    if (choose(revoking, name))
        return carry_out(revoking);
    (void)fprintf(stderr, "mcpd: there is nothing to revoke of that name: %.*s\n", STR_ARG(name));
    return EXIT_FAILED;
}

static int revoke(int argc, char **argv, choose_fn choose)
{
    static struct revoking revoking;
    const struct option options[] = {
        { "config", OPTION_TEXT, &revoking.config },
        { "dry-run", OPTION_FLAG, &revoking.is_dry },
        { "principal", OPTION_TEXT, &revoking.principal },
    };
    const struct option_set set = { options, COUNT(options), 1 };
    struct option_rest rest;
    if (!options_read(&set, argc, argv, &rest))
        return EXIT_USAGE;
    if (rest.count != 1 || rest.behind_count ||
        (revoking.principal.n && choose != choose_connection)) {
        (void)fprintf(stderr, "mcpd: one name is needed, and --principal with a connection only\n");
        return EXIT_USAGE;
    }
    log_set_level(LOG_ERROR);
    keeper_harden();
    int code = estate_open(&revoking.estate, revoking.config);
    if (code == EXIT_DONE)
        code = revoke_chosen(&revoking, choose, rest.arguments[0]);
    estate_close(&revoking.estate);
    return code;
}

int command_revoke_grant(int argc, char **argv)
{
    return revoke(argc, argv, choose_grant);
}

int command_revoke_principal(int argc, char **argv)
{
    return revoke(argc, argv, choose_principal);
}

int command_revoke_connection(int argc, char **argv)
{
    return revoke(argc, argv, choose_connection);
}

int command_revoke_server(int argc, char **argv)
{
    return revoke(argc, argv, choose_server);
}
