/* SPDX-License-Identifier: Apache-2.0 */
/* command_grant.c - `mcpd grant ...`: works on the store that the gateway has open, too.
 *
 * A grant is only made if it can work: its servers are configured and its policy loads and speaks
 * of them. The token is shown once and kept nowhere; if it can't be shown, the grant is revoked.
 */
#include "runtime/base/utc.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/daemon/command.h"
#include "runtime/daemon/config_trust.h"
#include "runtime/daemon/grant_print.h"
#include "runtime/daemon/options.h"
#include "runtime/daemon/policy_probe.h"
#include "runtime/daemon/std_policy.h"
#include "runtime/oauth/grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    EXPIRES_DAYS_DEFAULT = 30,
    EXPIRES_DAYS_MAX = 3650,
    LABEL_MAX = 256, /* bytes */
};
#define MINUTE_MS INT64_C(60000)
#define DAY_MS    INT64_C(86400000)

/* What a subcommand works with; opened and closed together. */
struct grants {
    struct arena mem;
    struct config config;
    struct store *store;
    struct trust trust;
};

static int open_config(struct grants *grants, Str path)
{
    *grants = (struct grants){ .store = NULL };
    arena_init(&grants->mem, COMMAND_MEMORY_MAX);
    return command_read_config(path, &grants->mem, &grants->config) ? EXIT_DONE : EXIT_USAGE;
}

static int open_store(struct grants *grants)
{
    Str name = store_name(grants->config.store_path);
    enum status status = store_open(grants->config.store_path.p, &grants->store);
    if (status == ST_OK)
        return EXIT_DONE;
    (void)fprintf(stderr, "mcpd: the store %.*s can't be used: %s\n", STR_ARG(name),
                  status_text(status));
    return EXIT_FAILED;
}

static void close_grants(struct grants *grants)
{
    trust_close(&grants->trust);
    if (grants->store)
        grants->store->ops->close(grants->store);
    arena_reset(&grants->mem);
}

/* "30d", "12h", "45m", "90s", "none"; empty: the default. Milliseconds from now, 0 for never. */
static bool read_expires(Str text, int64_t *ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = { { 'd', DAY_MS }, { 'h', 60 * MINUTE_MS }, { 'm', MINUTE_MS }, { 's', 1000 } };
    uint64_t count = 0;
    *ms = text.n ? 0 : EXPIRES_DAYS_DEFAULT * DAY_MS;
    if (text.n == 0 || str_eq(text, STR("none")))
        return true;
    for (size_t i = 0; i < COUNT(units); i++) {
        uint64_t max = (uint64_t)(EXPIRES_DAYS_MAX * DAY_MS / units[i].ms);
        if (text.p[text.n - 1] != units[i].unit)
            continue;
        if (!str_to_u64(str_sub(text, 0, text.n - 1), max, &count) || count == 0)
            return false;
        *ms = (int64_t)count * units[i].ms;
        return true;
    }
    return false;
}

struct create_options {
    Str config, principal, policy, expires, label;
    struct option_list servers;
};

static bool is_plain_text(Str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f)
            return false;
    }
    return utf8_is_valid(s);
}

static const char *create_problem(const struct create_options *given, int64_t *expires_ms)
{
    if (given->principal.n == 0 || given->servers.count == 0 || given->policy.n == 0)
        return "--principal, --server and --policy are needed";
    if (config_name_problem(given->principal) || !is_plain_text(given->principal))
        return "--principal must have 1 to 256 bytes of UTF-8, no spaces or control characters";
    if (given->servers.count > GRANT_SERVERS_MAX)
        return "a grant reaches at most 64 servers";
    if (given->label.n > LABEL_MAX || !is_plain_text(given->label))
        return "--label must be at most 256 bytes of UTF-8 without control characters";
    if (!read_expires(given->expires, expires_ms))
        return "--expires must be like 30d, 12h, 45m or 90s (at most 3650 days), or none";
    return NULL;
}

static bool has_server(const struct config *config, Str alias)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (str_eq(config->servers[i].alias, alias))
            return true;
    }
    return false;
}

/* Fills the row's servers; false after a message when one is unknown or given twice. */
static bool take_servers(const struct config *config, const struct option_list *servers,
                         struct grant_row *row)
{
    for (size_t i = 0; i < servers->count; i++) {
        Str alias = servers->items[i];
        const char *problem = !has_server(config, alias) ? "is not in the configuration"
                              : grant_covers(row, alias) ? "is given twice"
                                                         : NULL;
        if (problem) {
            (void)fprintf(stderr, "mcpd: server \"%.*s\" %s\n", STR_ARG(alias), problem);
            return false;
        }
        row->servers[row->server_count++] = alias;
    }
    return true;
}

/* The policy's absolute path, loaded once for each server of the grant. */
static bool take_policy(struct grants *grants, const char *path, struct grant_row *row)
{
    struct library_path listed;
    if (library_is_named(str_of(path))) {
        if (!library_find(str_of(path), &listed))
            return false;
        path = listed.text;
    }
    char *real = realpath(path, NULL);
    if (!real) {
        (void)fprintf(stderr, "mcpd: policy %s: no such file\n", path);
        return false;
    }
    row->policy = arena_copy(&grants->mem, str_of(real));
    free(real);
    for (size_t i = 0; row->policy.p && i < row->server_count; i++) {
        Str why = STR("");
        if (policy_probe(&grants->trust, row->policy.p, row->servers[i], &why, &grants->mem) ==
            ST_OK)
            continue;
        (void)fprintf(stderr, "mcpd: policy %s: %.*s\n", path, STR_ARG(why));
        return false;
    }
    return row->policy.p != NULL;
}

/* A grant for somebody who is not in the configuration would be refused at every use. */
static bool is_principal(const struct config *config, Str id)
{
    for (size_t i = 0; i < config->principal_count; i++) {
        if (str_eq(config->principals[i].id, id))
            return true;
    }
    (void)fprintf(stderr,
                  "mcpd: principal \"%.*s\" is not in the configuration; add it under "
                  "\"principals\" (with its groups, or {})\n",
                  STR_ARG(id));
    return false;
}

static void describe(const struct grant_row *row)
{
    (void)fprintf(stderr, "grant %.*s for %.*s on ", STR_ARG(row->id), STR_ARG(row->principal));
    for (size_t i = 0; i < row->server_count; i++)
        (void)fprintf(stderr, "%s%.*s", i ? ", " : "", STR_ARG(row->servers[i]));
    struct utc_text expires = utc_seconds(row->expires_ms);
    (void)fprintf(stderr, ", policy %.*s, expires %s\n", STR_ARG(row->policy),
                  row->expires_ms ? expires.text : "never");
}

/* By write() itself: a copy in stdio's buffer could not be wiped. */
static bool show_token(struct grant_token *token)
{
    token->text[GRANT_TOKEN_BYTES] = '\n';
    bool is_shown =
        write(STDOUT_FILENO, token->text, sizeof token->text) == (ssize_t)sizeof token->text;
    secret_wipe(token, sizeof *token);
    return is_shown;
}

static int make_grant(struct grants *grants, struct grant_row *row)
{
    struct grant_token token;
    enum status status = grant_create(grants->store, &grants->mem, row, &token);
    if (status != ST_OK) {
        (void)fprintf(stderr, "mcpd: the grant could not be stored: %s\n", status_text(status));
        return EXIT_FAILED;
    }
    if (show_token(&token)) {
        describe(row);
        return EXIT_DONE;
    }
    status = grants->store->ops->grant_revoke(grants->store, row->id, world_wall_ms());
    (void)fprintf(stderr, "mcpd: the token could not be written; grant %.*s %s\n", STR_ARG(row->id),
                  status == ST_OK ? "is revoked" : "is lost, revoke it");
    return EXIT_FAILED;
}

static int create(struct grants *grants, const struct create_options *given, int64_t expires_ms)
{
    struct grant_row row = { .principal = given->principal };
    row.label = given->label.p ? given->label : STR("");
    row.expires_ms = expires_ms ? world_wall_ms() + expires_ms : 0;
    if (!take_servers(&grants->config, &given->servers, &row) ||
        !is_principal(&grants->config, row.principal))
        return EXIT_USAGE;
    int code = open_store(grants);
    if (code != EXIT_DONE)
        return code;
    if (!config_trust(&grants->config, grants->store, &grants->trust) ||
        !take_policy(grants, given->policy.p, &row))
        return EXIT_FAILED;
    return make_grant(grants, &row);
}

int command_grant_create(int argc, char **argv)
{
    static struct create_options given;
    const struct option options[] = {
        { "config", OPTION_TEXT, &given.config },   { "principal", OPTION_TEXT, &given.principal },
        { "server", OPTION_LIST, &given.servers },  { "policy", OPTION_TEXT, &given.policy },
        { "expires", OPTION_TEXT, &given.expires }, { "label", OPTION_TEXT, &given.label },
    };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    struct grants grants;
    int64_t expires_ms = 0;
    if (!options_read(&set, argc, argv, &rest))
        return EXIT_USAGE;
    const char *problem =
        rest.behind_count ? "nothing may follow the options" : create_problem(&given, &expires_ms);
    if (problem) {
        (void)fprintf(stderr, "mcpd: %s\n", problem);
        return EXIT_USAGE;
    }
    int code = open_config(&grants, given.config);
    if (code == EXIT_DONE)
        code = create(&grants, &given, expires_ms);
    close_grants(&grants);
    return code;
}

int command_grant_revoke(int argc, char **argv)
{
    Str config = { NULL, 0 };
    const struct option options[] = { { "config", OPTION_TEXT, &config } };
    const struct option_set set = { options, COUNT(options), 1 };
    struct option_rest rest;
    struct grants grants;
    if (!options_read(&set, argc, argv, &rest))
        return EXIT_USAGE;
    if (rest.count != 1 || rest.behind_count) {
        (void)fprintf(stderr, "mcpd: one GRANT_ID is needed\n");
        return EXIT_USAGE;
    }
    Str id = rest.arguments[0];
    int code = open_config(&grants, config);
    if (code == EXIT_DONE)
        code = open_store(&grants);
    if (code == EXIT_DONE) {
        enum status status = grants.store->ops->grant_revoke(grants.store, id, world_wall_ms());
        code = status == ST_OK ? EXIT_DONE : EXIT_FAILED;
        (void)fprintf(stderr, "%sgrant %.*s: %s\n", status == ST_OK ? "" : "mcpd: ", STR_ARG(id),
                      status == ST_OK ? "revoked" : status_text(status));
    }
    close_grants(&grants);
    return code;
}

int command_grant_list(int argc, char **argv)
{
    Str config = { NULL, 0 };
    bool as_json = false;
    const struct option options[] = { { "config", OPTION_TEXT, &config },
                                      { "json", OPTION_FLAG, &as_json } };
    const struct option_set set = { options, COUNT(options), 0 };
    struct option_rest rest;
    struct grants grants;
    struct grant_row *rows = NULL;
    size_t count = 0;
    if (!options_read(&set, argc, argv, &rest) || rest.behind_count)
        return EXIT_USAGE;
    int code = open_config(&grants, config);
    if (code == EXIT_DONE)
        code = open_store(&grants);
    if (code == EXIT_DONE) {
        enum status status =
            grants.store->ops->grant_list(grants.store, &grants.mem, &rows, &count);
        if (status == ST_OK)
            status = as_json ? grant_print_json(rows, count)
                             : grant_print_table(rows, count, &grants.mem);
        if (status != ST_OK)
            (void)fprintf(stderr, "mcpd: the grants can't be listed: %s\n", status_text(status));
        code = status == ST_OK ? EXIT_DONE : EXIT_FAILED;
    }
    close_grants(&grants);
    return code;
}
