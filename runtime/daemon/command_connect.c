/* SPDX-License-Identifier: Apache-2.0 */
/* command_connect.c - `mcpd connect`: an operator logs the gateway in to a server, or gives it a
 * secret to send.
 *
 * The address for the browser is the one line on standard output; everything else is said on
 * standard error. What comes back is taken by whoever listens at the redirect URI: the running
 * gateway, else this command itself; or it is pasted (--paste), for those without a browser on this
 * machine.
 */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/daemon/command.h"
#include "runtime/daemon/options.h"
#include "runtime/gateway/login_pages.h"
#include "runtime/keeper/keeper.h"
#include "runtime/keeper/login.h"
#include "runtime/oauth/machine.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LINE_MAX_BYTES = 16 * 1024, /* of what is pasted, and of a header's value */
    LOOK_MS = 200,
    EXCHANGES_MAX = 8,
    HEAD_MS = 10 * 1000,
    EXCHANGE_MEMORY = 256 * 1024,
};

#define CALLBACK_PATH "/oauth/callback"

struct connect_options {
    Str config, principal, header;
    bool is_pasted, registers_again;
    struct option_list scopes;
};

struct connecting {
    struct arena mem;
    struct config config;
    const struct oauth_settings *settings;
    const struct connect_options *given;
    struct safe safe;
    struct loop *loop;
    struct http_client *http;
    struct http_server *listener; /* NULL: somebody else has the address */
    struct timer *timer;
    struct login_env env;
    struct scope_set scopes;
    Str redirect_uri;
    unsigned char state_hash[FLOW_HASH_BYTES];
    Str state;
    int64_t until_ms;
    bool is_done;
    struct exchange *exchange; /* the browser that waits for how it ends */
};

static void say(const char *text)
{
    (void)fprintf(stderr, "mcpd: %s\n", text);
}

/* ------------------------------- the end ------------------------------- */

static void finish(struct connecting *connecting, bool is_done, Str text)
{
    const struct oauth_settings *settings = connecting->settings;
    connecting->is_done = is_done;
    if (connecting->exchange)
        login_page_respond(connecting->exchange, is_done, text);
    connecting->exchange = NULL;
    if (is_done)
        (void)fprintf(stderr, "connected %.*s%s%.*s\n", STR_ARG(settings->server),
                      connecting->given->principal.n ? " for " : "",
                      STR_ARG(connecting->given->principal));
    else
        (void)fprintf(stderr, "mcpd: not connected: %.*s\n", STR_ARG(text));
    if (connecting->listener)
        http_server_drain(connecting->listener);
    timer_start(connecting->timer, connecting->listener ? LOOK_MS : 0);
    connecting->until_ms = 0;
}

static void on_resumed(void *user, const struct login_outcome *outcome)
{
    finish(user, outcome->is_done, outcome->text);
}

static void resume(struct connecting *connecting, Str query)
{
    struct login *login;
    enum status status =
        login_resume(&connecting->env, query, STR(""), on_resumed, connecting, &login);
    if (status != ST_OK)
        finish(connecting, false,
               status == ST_NOT_FOUND
                   ? STR("this login is not known: it was used already, or it took too long")
                   : STR("what came back can't be read"));
}

/* ------------------------------ the browser ---------------------------- */

static void on_head(void *user, struct exchange *exchange)
{
    (void)user;
    if (!login_pages_has(exchange_head(exchange)->target))
        exchange_respond(exchange, 404, NULL, 0, STR(""), STR(""));
}

static void on_request(void *user, struct exchange *exchange)
{
    struct connecting *connecting = user;
    if (connecting->exchange || !connecting->until_ms) {
        exchange_respond(exchange, 404, NULL, 0, STR(""), STR(""));
        return;
    }
    connecting->exchange = exchange;
    resume(connecting, login_callback_query(exchange_head(exchange)->target));
}

/* The type is the handler's. */
// cppcheck-suppress constParameter
static void on_gone(void *user, struct exchange *exchange)
{
    struct connecting *connecting = user;
    if (connecting->exchange == exchange)
        connecting->exchange = NULL;
}

static enum status open_listener(struct connecting *connecting)
{
    static const struct http_handler handler = { on_head, on_request, on_gone, NULL };
    struct http_server_config config = {
        .host = connecting->config.listen_host.p,
        .port = connecting->config.listen_port,
        .max_connections = EXCHANGES_MAX,
        .head_timeout_ms = HEAD_MS,
        .body_timeout_ms = HEAD_MS,
        .idle_timeout_ms = HEAD_MS,
        .arena_limit = EXCHANGE_MEMORY,
        .max_waiting_bytes = EXCHANGE_MEMORY,
    };
    return http_server_open(connecting->loop, &config, &handler, connecting, &connecting->listener);
}

/* With "port 0" nobody but us knows where we listen. */
static void choose_redirect(struct connecting *connecting)
{
    Str configured = connecting->settings->redirect_uri;
    connecting->redirect_uri = configured;
    if (connecting->config.listen_port || !connecting->listener ||
        !str_ends(configured, STR(":0" CALLBACK_PATH)))
        return;
    connecting->redirect_uri =
        arena_printf(&connecting->mem, "%.*s:%u" CALLBACK_PATH,
                     STR_ARG(str_sub(configured, 0, configured.n - sizeof(":0" CALLBACK_PATH) + 1)),
                     http_server_port(connecting->listener));
}

/* ------------------------------- pasting ------------------------------- */

/* A line of standard input without white space around it. */
static bool read_line(struct buf *line)
{
    char c = 0;
    while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
        buf_add_char(line, c);
    while (line->n && (line->p[line->n - 1] == '\r' || line->p[line->n - 1] == ' '))
        line->n--;
    return line->n && !line->is_full;
}

/* The address that the browser ended at, its query, or the code alone. */
static void take_pasted(struct connecting *connecting)
{
    struct buf line;
    say("paste the address that the browser ends at (or the code), then Enter:");
    if (!secret_buf_open(&line, LINE_MAX_BYTES))
        return;
    if (!read_line(&line)) {
        finish(connecting, false, STR("nothing was pasted"));
        secret_buf_close(&line);
        return;
    }
    Str text = buf_str(&line), query = text;
    const char *mark = memchr(text.p, '?', text.n);
    if (mark)
        query = str_sub(text, (size_t)(mark - text.p) + 1, text.n);
    else if (!memchr(text.p, '=', text.n))
        query = arena_printf(&connecting->mem, "code=%.*s&state=%.*s", STR_ARG(text),
                             STR_ARG(connecting->state));
    resume(connecting, query);
    secret_buf_close(&line);
}

/* ------------------------------- the login ----------------------------- */

/* Who else takes the redirect leaves word in the store. */
static void look(void *user)
{
    struct connecting *connecting = user;
    struct login_result_row row;
    struct arena mem;
    struct store *store = connecting->safe.vault.store;
    if (!connecting->until_ms) {
        loop_stop(connecting->loop);
        return;
    }
    arena_init(&mem, EXCHANGE_MEMORY);
    bool is_over = store->ops->result_get(store, connecting->state_hash, &mem, &row) == ST_OK;
    if (is_over && !connecting->exchange)
        finish(connecting, row.is_done, row.text);
    else if (world_mono_ms() >= connecting->until_ms)
        finish(connecting, false, STR("nobody came back from the browser in time"));
    else
        timer_start(connecting->timer, LOOK_MS);
    arena_reset(&mem);
}

static void on_begun(void *user, const struct login_outcome *outcome)
{
    struct connecting *connecting = user;
    if (!outcome->wants_user) {
        finish(connecting, outcome->is_done, outcome->text);
        return;
    }
    memcpy(connecting->state_hash, outcome->state_hash, sizeof connecting->state_hash);
    connecting->state = arena_copy(&connecting->mem, outcome->state);
    say("open this address in a browser:");
    (void)printf("%.*s\n", STR_ARG(outcome->url));
    (void)fflush(stdout);
    connecting->until_ms = world_mono_ms() + LOGIN_USER_MS;
    if (connecting->given->is_pasted)
        take_pasted(connecting);
    else
        timer_start(connecting->timer, LOOK_MS);
}

static enum status begin(struct connecting *connecting)
{
    struct login *login;
    struct login_spec spec = {
        .settings = connecting->settings,
        .principal = connecting->given->principal,
        .redirect_uri = connecting->redirect_uri,
        .scopes = &connecting->scopes,
        .registers_again = connecting->given->registers_again,
    };
    return login_begin(&connecting->env, &spec, on_begun, connecting, &login);
}

static int log_in(struct connecting *connecting)
{
    enum status status = loop_open(&connecting->loop);
    if (status == ST_OK)
        status = http_client_open(connecting->loop, &connecting->http);
    connecting->timer = status == ST_OK ? timer_open(connecting->loop, look, connecting) : NULL;
    bool has_tls = connecting->config.tls_certificate.n > 0; /* which only the gateway speaks */
    if (connecting->timer && (has_tls || open_listener(connecting) != ST_OK))
        connecting->listener = NULL; /* the gateway has it */
    connecting->env = (struct login_env){ connecting->http, &connecting->safe };
    choose_redirect(connecting);
    if (status == ST_OK)
        status = begin(connecting);
    if (status == ST_OK)
        loop_run(connecting->loop);
    else
        (void)fprintf(stderr, "mcpd: the login can't be begun: %s\n", status_text(status));
    return connecting->is_done ? EXIT_DONE : EXIT_FAILED;
}

/* -------------------------------- headers ------------------------------ */

static bool is_header_name(Str name)
{
    static const Str ours[] = { STR_INIT("Host"),         STR_INIT("Content-Length"),
                                STR_INIT("Content-Type"), STR_INIT("Accept"),
                                STR_INIT("Connection"),   STR_INIT("Transfer-Encoding"),
                                STR_INIT("User-Agent"),   STR_INIT("Cookie") };
    for (size_t i = 0; i < COUNT(ours); i++) {
        if (str_eq_nocase(name, ours[i]))
            return false;
    }
    for (size_t i = 0; i < name.n; i++) {
        char c = char_lower(name.p[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'))
            return false;
    }
    return name.n > 0 && name.n <= 128 && !str_starts(name, STR("Mcp-"));
}

static enum status store_header(struct connecting *connecting, const struct buf *value)
{
    struct tokens tokens;
    int64_t generation = 0;
    struct connection_row row = {
        .server = connecting->settings->server,
        .principal = connecting->given->principal,
        .state = oauth_state_word(OAUTH_STATE_ACTIVE),
        .kind = STR("header"),
        .auth_method = STR("none"),
        .header = connecting->given->header,
        .refreshed_ms = world_wall_ms(),
    };
    if (!tokens_open(&tokens))
        return ST_NO_MEMORY;
    buf_add(&tokens.access, buf_str(value));
    enum status status = tokens.access.is_full ? ST_LIMIT : safe_make_ready(&connecting->safe);
    if (status == ST_OK)
        status = vault_put(&connecting->safe.vault, &row, &tokens, &generation);
    tokens_close(&tokens);
    return status;
}

static int keep_header(struct connecting *connecting)
{
    struct buf value;
    enum status status = ST_INVALID;
    if (isatty(STDIN_FILENO))
        say("type the header's value, then Enter:");
    if (!secret_buf_open(&value, LINE_MAX_BYTES))
        return EXIT_FAILED;
    if (read_line(&value) && http_value_is_legal(buf_str(&value)))
        status = store_header(connecting, &value);
    secret_buf_close(&value);
    if (status == ST_OK)
        (void)fprintf(stderr, "connected %.*s: requests carry %.*s\n",
                      STR_ARG(connecting->settings->server), STR_ARG(connecting->given->header));
    else
        (void)fprintf(stderr, "mcpd: the header was not stored: %s\n", status_text(status));
    return status == ST_OK ? EXIT_DONE : EXIT_FAILED;
}

/* ------------------------------ the command ---------------------------- */

static void close_all(struct connecting *connecting)
{
    if (connecting->listener)
        http_server_close(connecting->listener);
    timer_close(connecting->timer);
    if (connecting->http)
        http_client_close(connecting->http);
    if (connecting->loop)
        loop_close(connecting->loop);
    safe_close(&connecting->safe);
    arena_reset(&connecting->mem);
}

/* What is wrong with the words, or NULL. */
static const char *problem(struct connecting *connecting, Str server)
{
    const struct connect_options *given = connecting->given;
    connecting->settings = settings_find(&connecting->config.keeper, server);
    if (!connecting->settings)
        return "there is no server of that alias with a url in the configuration";
    if (connecting->settings->is_per_principal && !given->principal.n)
        return "each principal has its own connection to this server: --principal is needed";
    if (!connecting->settings->is_per_principal && given->principal.n)
        return "this server's connection is shared (see servers.*.connection): leave --principal "
               "out";
    if (given->header.n && !is_header_name(given->header))
        return "--header must be the name of a header that is not the gateway's own";
    for (size_t i = 0; i < given->scopes.count; i++) {
        if (!scope_add(&connecting->scopes, given->scopes.items[i]))
            return "--scope must be one scope";
    }
    return NULL;
}

static int connect_server(struct connecting *connecting, Str server)
{
    const char *what = problem(connecting, server);
    if (what) {
        say(what);
        return EXIT_USAGE;
    }
    keeper_harden();
    enum status status = safe_open(&connecting->config.keeper, &connecting->safe, &what);
    if (status != ST_OK) {
        (void)fprintf(stderr, "mcpd: can't open %s: %s\n", what, status_text(status));
        return EXIT_FAILED;
    }
    return connecting->given->header.n ? keep_header(connecting) : log_in(connecting);
}

int command_connect(int argc, char **argv)
{
    static struct connect_options given;
    const struct option options[] = {
        { "config", OPTION_TEXT, &given.config },
        { "principal", OPTION_TEXT, &given.principal },
        { "header", OPTION_TEXT, &given.header },
        { "paste", OPTION_FLAG, &given.is_pasted },
        { "scope", OPTION_LIST, &given.scopes },
        { "register-again", OPTION_FLAG, &given.registers_again },
    };
    const struct option_set set = { options, COUNT(options), 1 };
    struct option_rest rest;
    struct connecting connecting = { .given = &given };
    if (!options_read(&set, argc, argv, &rest))
        return EXIT_USAGE;
    if (rest.count != 1 || rest.behind_count) {
        say("one SERVER is needed");
        return EXIT_USAGE;
    }
    arena_init(&connecting.mem, COMMAND_MEMORY_MAX);
    log_set_level(LOG_ERROR);
    int code = command_read_config(given.config, &connecting.mem, &connecting.config)
                   ? connect_server(&connecting, rest.arguments[0])
                   : EXIT_USAGE;
    close_all(&connecting);
    return code;
}
