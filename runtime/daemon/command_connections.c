/* SPDX-License-Identifier: Apache-2.0 */
/* command_connections.c - `mcpd connections`, `status` and `grants`: what there is, how it is, and
 * what hangs on it. Nothing here needs a key: states and times are not sealed. */
#include "runtime/base/utc.h"
#include "runtime/daemon/command.h"
#include "runtime/daemon/estate.h"
#include "runtime/daemon/options.h"
#include "runtime/daemon/table.h"
#include "runtime/oauth/machine.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

static Str time_text(struct arena *mem, int64_t ms)
{
    struct utc_text text = utc_seconds(ms);
    return ms ? arena_copy(mem, str_of(text.text)) : STR("");
}

/* ------------------------------- for programs -------------------------- */

static bool add_text(cJSON *object, const char *name, Str text)
{
    char *copy = strndup(text.p ? text.p : "", text.n);
    bool is_added = copy && cJSON_AddStringToObject(object, name, copy);
    free(copy);
    return is_added;
}

static bool add_time(cJSON *object, const char *name, int64_t ms)
{
    struct utc_text text = utc_millis(ms);
    return ms ? cJSON_AddStringToObject(object, name, text.text) != NULL
              : cJSON_AddNullToObject(object, name) != NULL;
}

static bool add_connection(struct estate *estate, cJSON *list, const struct connection_row *row)
{
    cJSON *one = cJSON_CreateObject();
    if (!one || !cJSON_AddItemToArray(list, one))
        return false;
    return add_text(one, "server", row->server) && add_text(one, "principal", row->principal) &&
           add_text(one, "kind", row->kind) && add_text(one, "issuer", row->issuer) &&
           add_text(one, "client_id", row->client_id) && add_text(one, "scopes", row->scopes) &&
           add_text(one, "wanted_scopes", row->wanted) &&
           add_text(one, "state", estate_state(estate, row)) &&
           add_text(one, "reason", row->reason) && add_time(one, "created", row->created_ms) &&
           add_time(one, "refreshed", row->refreshed_ms) && add_time(one, "used", row->used_ms) &&
           add_time(one, "expires", row->expires_ms) &&
           cJSON_AddBoolToObject(one, "refreshes", row->refresh.n > 0) &&
           add_text(one, "grants", estate_dependents(estate, row));
}

static bool add_revocation(cJSON *list, const struct revocation_row *row)
{
    cJSON *one = cJSON_CreateObject();
    if (!one || !cJSON_AddItemToArray(list, one))
        return false;
    return add_text(one, "server", row->server) && add_text(one, "principal", row->principal) &&
           add_text(one, "issuer", row->issuer) && add_text(one, "state", row->state) &&
           add_text(one, "outcome", row->outcome) &&
           cJSON_AddNumberToObject(one, "tries", (double)row->tries) &&
           add_time(one, "created", row->created_ms);
}

static enum status print_json(struct estate *estate)
{
    cJSON *all = cJSON_CreateObject();
    cJSON *connections = cJSON_AddArrayToObject(all, "connections");
    cJSON *revocations = cJSON_AddArrayToObject(all, "revocations");
    bool is_built = connections && revocations;
    for (size_t i = 0; is_built && i < estate->connection_count; i++)
        is_built = add_connection(estate, connections, &estate->connections[i]);
    for (size_t i = 0; is_built && i < estate->revocation_count; i++)
        is_built = add_revocation(revocations, &estate->revocations[i]);
    char *text = is_built ? cJSON_PrintUnformatted(all) : NULL;
    enum status status = !text                                   ? ST_NO_MEMORY
                         : puts(text) < 0 || fflush(stdout) != 0 ? ST_IO
                                                                 : ST_OK;
    cJSON_free(text);
    cJSON_Delete(all);
    return status;
}

/* -------------------------------- for people --------------------------- */

static enum status print_connections(struct estate *estate)
{
    static const Str titles[] = { STR_INIT("SERVER"),    STR_INIT("PRINCIPAL"), STR_INIT("STATE"),
                                  STR_INIT("ISSUER"),    STR_INIT("SCOPES"),    STR_INIT("CREATED"),
                                  STR_INIT("REFRESHED"), STR_INIT("USED"),      STR_INIT("GRANTS"),
                                  STR_INIT("REASON") };
    struct table table;
    struct arena *mem = &estate->mem;
    bool is_ok = table_open(&table, mem, titles, COUNT(titles), estate->connection_count);
    for (size_t i = 0; is_ok && i < estate->connection_count; i++) {
        const struct connection_row *row = &estate->connections[i];
        const Str cells[] = { row->server,
                              row->principal.n ? row->principal : STR("(shared)"),
                              estate_state(estate, row),
                              row->header.n ? row->header : row->issuer,
                              row->scopes,
                              time_text(mem, row->created_ms),
                              time_text(mem, row->refreshed_ms),
                              time_text(mem, row->used_ms),
                              estate_dependents(estate, row),
                              row->reason };
        is_ok = table_add(&table, cells);
    }
    return is_ok ? table_print(&table) : ST_LIMIT;
}

static enum status print_revocations(struct estate *estate)
{
    static const Str titles[] = {
        STR_INIT("REVOKING"), STR_INIT("PRINCIPAL"), STR_INIT("TOKEN"),
        STR_INIT("STATE"),    STR_INIT("TRIES"),     STR_INIT("OUTCOME")
    };
    struct table table;
    struct arena *mem = &estate->mem;
    if (!estate->revocation_count)
        return ST_OK;
    bool is_ok = table_open(&table, mem, titles, COUNT(titles), estate->revocation_count);
    for (size_t i = 0; is_ok && i < estate->revocation_count; i++) {
        const struct revocation_row *row = &estate->revocations[i];
        const Str cells[] = { row->server,
                              row->principal.n ? row->principal : STR("(shared)"),
                              row->is_refresh ? STR("refresh") : STR("access"),
                              row->state,
                              arena_printf(mem, "%lld", (long long)row->tries),
                              row->outcome };
        is_ok = table_add(&table, cells);
    }
    (void)putchar('\n');
    return is_ok ? table_print(&table) : ST_LIMIT;
}

static int finish(struct estate *estate, int code, enum status status)
{
    if (code == EXIT_DONE && status != ST_OK) {
        (void)fprintf(stderr, "mcpd: this can't be shown: %s\n", status_text(status));
        code = EXIT_FAILED;
    }
    estate_close(estate);
    return code;
}

/* The options that all three share; false after a message. */
static bool read_options(int argc, char **argv, Str *config, bool *as_json)
{
    const struct option options[] = { { "config", OPTION_TEXT, config },
                                      { "json", OPTION_FLAG, as_json } };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    return options_read(&set, argc, argv, &rest) && !rest.behind_count;
}

int command_connections(int argc, char **argv)
{
    Str config = { NULL, 0 };
    bool as_json = false;
    struct estate estate;
    enum status status = ST_OK;
    if (!read_options(argc, argv, &config, &as_json))
        return EXIT_USAGE;
    int code = estate_open(&estate, config);
    if (code == EXIT_DONE)
        status = as_json ? print_json(&estate) : print_connections(&estate);
    if (code == EXIT_DONE && status == ST_OK && !as_json)
        status = print_revocations(&estate);
    return finish(&estate, code, status);
}

/* --------------------------------- status ------------------------------ */

static const struct connection_row *connection_of(const struct estate *estate, Str server,
                                                  Str principal)
{
    for (size_t i = 0; i < estate->connection_count; i++) {
        const struct connection_row *row = &estate->connections[i];
        if (str_eq(row->server, server) && (!row->principal.n || str_eq(row->principal, principal)))
            return row;
    }
    return NULL;
}

/* Of all of a server's connections: how many are in which state. */
static Str summary(struct estate *estate, Str server)
{
    static const Str states[] = { STR_INIT("active"), STR_INIT("expiring"),
                                  STR_INIT("login_needed"), STR_INIT("revoked"),
                                  STR_INIT("orphaned") };
    Str text = STR("");
    for (size_t s = 0; s < COUNT(states); s++) {
        size_t count = 0;
        for (size_t i = 0; i < estate->connection_count; i++)
            count += str_eq(estate->connections[i].server, server) &&
                     str_eq(estate_state(estate, &estate->connections[i]), states[s]);
        if (count)
            text = arena_printf(&estate->mem, "%.*s%s%zu %.*s", STR_ARG(text), text.n ? ", " : "",
                                count, STR_ARG(states[s]));
    }
    return text;
}

static enum status print_status(struct estate *estate)
{
    static const Str titles[] = { STR_INIT("SERVER"), STR_INIT("SPEAKS"), STR_INIT("CONNECTIONS"),
                                  STR_INIT("GRANTS") };
    struct table table;
    const struct config *config = &estate->config;
    bool is_ok = table_open(&table, &estate->mem, titles, COUNT(titles), config->server_count);
    for (size_t i = 0; is_ok && i < config->server_count; i++) {
        const struct server_spec *spec = &config->servers[i];
        size_t grants = 0;
        struct connection_row any = { .server = spec->alias };
        for (size_t g = 0; g < estate->grant_count; g++)
            grants += estate_depends(&estate->grants[g], &any);
        const Str cells[] = { spec->alias,
                              spec->transport == SERVER_HTTP ? STR("http") : STR("stdio"),
                              summary(estate, spec->alias),
                              arena_printf(&estate->mem, "%zu", grants) };
        is_ok = table_add(&table, cells);
    }
    return is_ok ? table_print(&table) : ST_LIMIT;
}

/* What an operator has to do, each with the command that does it. */
static void print_wishes(struct estate *estate)
{
    for (size_t i = 0; i < estate->connection_count; i++) {
        const struct connection_row *row = &estate->connections[i];
        bool needs_login = str_eq(estate_state(estate, row), STR("login_needed"));
        if (!needs_login && !row->wanted.n)
            continue;
        (void)printf("\n%.*s%s%.*s: %s%.*s; mcpd connect %.*s%s%.*s", STR_ARG(row->server),
                     row->principal.n ? " for " : "", STR_ARG(row->principal),
                     needs_login ? "a login is needed: " : "the server wants more scopes: ",
                     STR_ARG(needs_login ? row->reason : row->wanted), STR_ARG(row->server),
                     row->principal.n ? " --principal " : "", STR_ARG(row->principal));
    }
    (void)putchar('\n');
}

int command_status(int argc, char **argv)
{
    Str config = { NULL, 0 };
    bool as_json = false;
    struct estate estate;
    enum status status = ST_OK;
    if (!read_options(argc, argv, &config, &as_json))
        return EXIT_USAGE;
    int code = estate_open(&estate, config);
    if (code == EXIT_DONE && as_json)
        status = print_json(&estate);
    else if (code == EXIT_DONE)
        status = print_status(&estate);
    if (code == EXIT_DONE && status == ST_OK && !as_json) {
        print_wishes(&estate);
        status = print_revocations(&estate);
    }
    return finish(&estate, code, status);
}

/* --------------------------------- grants ------------------------------ */

/* How the grant gets on with a server. */
static Str way_of(struct estate *estate, const struct grant_row *grant, Str server)
{
    const struct connection_row *row = connection_of(estate, server, grant->principal);
    const struct oauth_settings *settings = settings_find(&estate->config.keeper, server);
    if (row)
        return estate_state(estate, row);
    return settings ? STR("no connection") : STR("needs none");
}

int command_grants(int argc, char **argv)
{
    static const Str titles[] = { STR_INIT("GRANT"), STR_INIT("PRINCIPAL"), STR_INIT("STATE"),
                                  STR_INIT("SERVER"), STR_INIT("CONNECTION") };
    Str config = { NULL, 0 };
    const struct option options[] = { { "config", OPTION_TEXT, &config } };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    struct estate estate;
    struct table table;
    if (!options_read(&set, argc, argv, &rest) || rest.behind_count)
        return EXIT_USAGE;
    int code = estate_open(&estate, config);
    bool is_ok = code == EXIT_DONE && table_open(&table, &estate.mem, titles, COUNT(titles),
                                                 estate.grant_count * GRANT_SERVERS_MAX);
    for (size_t i = 0; is_ok && i < estate.grant_count; i++) {
        const struct grant_row *grant = &estate.grants[i];
        for (size_t s = 0; is_ok && s < grant->server_count; s++) {
            const Str cells[] = { grant->id, grant->principal,
                                  estate_grant_is_active(grant) ? STR("active")
                                  : grant->revoked_ms           ? STR("revoked")
                                                                : STR("expired"),
                                  grant->servers[s], way_of(&estate, grant, grant->servers[s]) };
            is_ok = table_add(&table, cells);
        }
    }
    enum status status = is_ok ? table_print(&table) : ST_LIMIT;
    return finish(&estate, code, status);
}
