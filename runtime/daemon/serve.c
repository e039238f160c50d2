/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - `mcpd serve`: everything put together, run, and taken apart in order.
 *
 * Whatever can't be opened ends the program before the ready line, with one sentence that says
 * what and why. After it, only a signal ends the program.
 */
#include "runtime/daemon/serve.h"

#include "runtime/base/log.h"
#include "runtime/daemon/certificate.h"
#include "runtime/daemon/config_tls.h"
#include "runtime/daemon/config_trust.h"
#include "runtime/daemon/ending.h"
#include "runtime/daemon/grant_watch.h"
#include "runtime/daemon/keeper_process.h"
#include "runtime/daemon/reload.h"
#include "runtime/gateway/http_front.h"
#include "runtime/keeper/asker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum {
    EXCHANGE_MEMORY_MAX = 256 * 1024,
    /* Its own, one to a server, and a share of the pipes, files and the rest. */
    DESCRIPTORS_PER_CONNECTION = 4,
};

struct serve {
    const struct config *config;
    const char *config_path;
    struct live_config live;
    struct keeper_process keeper_process;
    struct loop *loop;
    struct asker *keeper;
    struct grant_watch *grant_watch;
    struct http_client *client;
    struct audit *audit;
    struct store *store;
    struct trust trust;
    struct grant_cache *grants;
    struct gateway *gateway;
    struct http_front *front;
    struct certificate *certificate; /* NULL: without TLS */
    struct http_server_config listener_config;
    struct http_server *listener;
    struct ending_steps steps;
    struct ending *ending;
};

static bool complain(const char *what, Str where, enum status status)
{
    (void)fprintf(stderr, "mcpd: can't %s %.*s: %s\n", what, STR_ARG(where), status_text(status));
    return false;
}

static bool open_principals(struct serve *serve)
{
    return live_config_open(&serve->live, serve->config) ||
           complain("remember", STR("the principals"), ST_NO_MEMORY);
}

static bool open_files(struct serve *serve)
{
    const struct config *config = serve->config;
    enum status status = audit_open(config->audit_path.p, &serve->audit);
    if (status != ST_OK)
        return complain("write the audit log", config->audit_path, status);
    status = store_open(config->store_path.p, &serve->store);
    if (status != ST_OK)
        return complain("open the store", store_name(config->store_path), status);
    if (!config_tls_check(config) || !config_trust(config, serve->store, &serve->trust))
        return false;
    serve->grants = grant_cache_open(serve->store);
    return serve->grants || complain("open", STR("the cache of grants"), ST_NO_MEMORY);
}

/* A keeper that can't begin (its key, the store) is said now, not by the first call. */
static bool open_keeper(struct serve *serve)
{
    if (!serve->keeper_process.supervisor)
        return true;
    enum status status = asker_open(serve->loop, serve->keeper_process.fd, &serve->keeper);
    if (status == ST_OK)
        return true;
    return complain("start", STR("the token keeper (see the log above)"), status);
}

static bool open_gateway(struct serve *serve)
{
    const struct config *config = serve->config;
    enum status status = loop_open(&serve->loop);
    if (status == ST_OK && !open_keeper(serve))
        return false;
    if (status == ST_OK)
        status = http_client_open(serve->loop, &serve->client);
    if (status != ST_OK)
        return complain("start", STR("the event loop"), status);
    struct gateway_config gateway = {
        .loop = serve->loop,
        .http = serve->client,
        .keeper = serve->keeper,
        .audit = serve->audit,
        .trust = &serve->trust,
        .servers = config->servers,
        .server_count = config->server_count,
        .limits = config->limits,
    };
    status = gateway_open(&gateway, &serve->gateway);
    if (status == ST_OK)
        serve->grant_watch = grant_watch_open(serve->loop, serve->store, serve->gateway);
    if (status == ST_OK && !serve->grant_watch)
        status = ST_NO_MEMORY;
    return status == ST_OK || complain("start", STR("the gateway"), status);
}

/* As many connections as the configuration and the descriptors allow: without any left for servers
 * and policies, strangers who only connect would stop everybody's calls. */
static uint32_t affordable_connections(uint32_t asked)
{
    struct rlimit limit;
    rlim_t wanted = (rlim_t)asked * DESCRIPTORS_PER_CONNECTION;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return asked;
    struct rlimit raised = { .rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted,
                             .rlim_max = limit.rlim_max };
    rlim_t have = setrlimit(RLIMIT_NOFILE, &raised) == 0 ? raised.rlim_cur : limit.rlim_cur;
    if (have >= wanted)
        return asked;
    uint32_t affordable = (uint32_t)(have / DESCRIPTORS_PER_CONNECTION);
    log_warn("fewer client connections than configured, for want of descriptors connections=%u "
             "configured=%u descriptors=%ju",
             affordable, asked, (uintmax_t)have);
    return affordable ? affordable : 1;
}

static void on_new_certificate(void *user, struct tls_context *tls)
{
    const struct serve *serve = user;
    if (serve->listener)
        http_server_set_tls(serve->listener, tls);
}

static bool open_certificate(struct serve *serve)
{
    const struct config *config = serve->config;
    struct tls_error error;
    if (config->tls_certificate.n == 0)
        return true;
    if (certificate_open(serve->loop, config->tls_certificate.p, config->tls_key.p,
                         &serve->certificate, &error) != ST_OK) {
        (void)fprintf(stderr, "mcpd: can't use %s\n", error.text);
        return false;
    }
    certificate_on_new(serve->certificate, on_new_certificate, serve);
    return true;
}

static struct http_front_access access_of(const struct live_config *live)
{
    const struct config *config = &live->config;
    return (struct http_front_access){
        .principals = live->principals,
        .principal_count = config->principal_count,
        .allowed_hosts = config->allowed_hosts,
        .allowed_host_count = config->allowed_host_count,
        .allowed_origins = config->allowed_origins,
        .allowed_origin_count = config->allowed_origin_count,
    };
}

static bool open_listener(struct serve *serve)
{
    const struct config *config = serve->config;
    struct http_front_config front = {
        .gateway = serve->gateway,
        .keeper = serve->keeper,
        .grants = serve->grants,
        .listen_host = config->listen_host,
        .access = access_of(&serve->live),
    };
    serve->front = http_front_open(&front);
    if (!serve->front)
        return complain("start", STR("the listener"), ST_NO_MEMORY);
    serve->listener_config = (struct http_server_config){
        .host = config->listen_host.p,
        .port = config->listen_port,
        .max_connections = affordable_connections(config->limits.max_connections),
        .max_head_bytes = config->limits.max_head_bytes,
        .max_body_bytes = config->limits.max_body_bytes,
        .head_timeout_ms = config->limits.head_timeout_ms,
        .body_timeout_ms = config->limits.body_timeout_ms,
        .idle_timeout_ms = config->limits.idle_timeout_ms,
        .tls = serve->certificate ? certificate_tls(serve->certificate) : NULL,
        .handshake_timeout_ms = config->limits.handshake_timeout_ms,
        .max_handshakes = config->limits.max_handshakes,
        .arena_limit = EXCHANGE_MEMORY_MAX,
        .max_waiting_bytes = config->limits.max_waiting_bytes,
    };
    enum status status = http_server_open(serve->loop, &serve->listener_config, &http_front_handler,
                                          serve->front, &serve->listener);
    if (status != ST_OK) {
        (void)fprintf(stderr, "mcpd: can't listen on %.*s port %u: %s\n",
                      STR_ARG(config->listen_host), config->listen_port,
                      status == ST_CONFLICT ? "another program listens there"
                                            : status_text(status));
        return false;
    }
    http_front_set_port(serve->front, http_server_port(serve->listener));
    return true;
}

static bool is_drained(void *user)
{
    const struct serve *serve = user;
    return http_server_exchanges(serve->listener) == 0;
}

static void cut(void *user)
{
    struct serve *serve = user;
    gateway_stop(serve->gateway);
    http_server_close(serve->listener);
    serve->listener = NULL;
}

static void asked(void *user)
{
    struct serve *serve = user;
    log_info("stopping");
    gateway_drain(serve->gateway);
    http_server_drain(serve->listener);
}

/* Nobody holds on to a principal or a name beyond a turn: calls have copies. */
static void reload_config(struct serve *serve)
{
    struct live_config old;
    if (!live_config_reload(&serve->live, serve->config_path, &old))
        return;
    struct http_front_access access = access_of(&serve->live);
    http_front_set_access(serve->front, &access);
    live_config_close(&old);
}

static void reload(void *user)
{
    struct serve *serve = user;
    log_info("reloading configuration, policies and certificate, reopening the audit log");
    reload_config(serve);
    gateway_reload(serve->gateway);
    certificate_reload(serve->certificate);
    if (audit_reopen(serve->audit) != ST_OK)
        log_error("the audit log can't be reopened path=%.*s", STR_ARG(serve->config->audit_path));
    else if (audit_event(serve->audit, STR("reload"), NULL, 0) != ST_OK)
        log_error("the audit log can't be written path=%.*s", STR_ARG(serve->config->audit_path));
}

static bool open_signals(struct serve *serve)
{
    serve->steps = (struct ending_steps){
        .drain_ms = serve->config->limits.drain_timeout_ms,
        .asked = asked,
        .reload = reload,
        .is_drained = is_drained,
        .cut = cut,
    };
    enum status status = ending_open(serve->loop, &serve->steps, serve, &serve->ending);
    return status == ST_OK || complain("listen to", STR("signals"), status);
}

/* A gateway that can't listen never started, so this comes last. */
static bool record_start(struct serve *serve)
{
    enum status status = audit_event(serve->audit, STR("start"), NULL, 0);
    return status == ST_OK || complain("write the audit log", serve->config->audit_path, status);
}

static bool say_ready(const struct serve *serve)
{
    Str host = serve->config->listen_host;
    bool is_v6 = memchr(host.p, ':', host.n) != NULL;
    int n = printf("mcpd: ready on %s://%s%.*s%s:%u\n", serve->certificate ? "https" : "http",
                   is_v6 ? "[" : "", STR_ARG(host), is_v6 ? "]" : "",
                   http_server_port(serve->listener));
    return (n > 0 && fflush(stdout) == 0) || complain("write to", STR("standard output"), ST_IO);
}

static void close_all(struct serve *serve)
{
    if (serve->listener)
        http_server_close(serve->listener);
    http_front_close(serve->front);
    grant_watch_close(serve->grant_watch);
    gateway_close(serve->gateway);
    asker_close(serve->keeper);
    ending_close(serve->ending);
    certificate_close(serve->certificate);
    if (serve->client)
        http_client_close(serve->client);
    if (serve->loop)
        loop_close(serve->loop);
    grant_cache_close(serve->grants);
    trust_close(&serve->trust);
    if (serve->store)
        serve->store->ops->close(serve->store);
    if (serve->audit)
        audit_close(serve->audit);
    live_config_close(&serve->live);
    keeper_process_end(&serve->keeper_process);
}

/* Before anything is read or opened: what is forked now has seen nothing of any client's. */
static bool fork_keeper(struct serve *serve)
{
    enum status status = keeper_process_start(&serve->config->keeper, &serve->keeper_process);
    return status == ST_OK || complain("start", STR("the token keeper"), status);
}

int serve_main(const struct config *config, const char *config_path)
{
    struct serve serve = { .config = config, .config_path = config_path };
    /* No core dump and no debugger may read grants or arguments out of this process. */
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warn("core dumps can't be forbidden why=%s", strerror(errno));
    bool is_open = fork_keeper(&serve) && open_principals(&serve) && open_files(&serve) &&
                   open_gateway(&serve) && open_certificate(&serve) && open_listener(&serve) &&
                   open_signals(&serve) && record_start(&serve) && say_ready(&serve);
    if (is_open) {
        log_info("ready config=%s servers=%zu principals=%zu", config_path, config->server_count,
                 config->principal_count);
        loop_run(serve.loop);
        if (audit_event(serve.audit, STR("stop"), NULL, 0) != ST_OK)
            log_error("the audit log can't be written");
        log_info("stopped");
    }
    close_all(&serve);
    return is_open ? EXIT_DONE : EXIT_FAILED;
}
