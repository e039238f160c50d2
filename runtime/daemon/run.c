/* SPDX-License-Identifier: Apache-2.0 */
/* run.c - `mcpd run`: the gateway between one client on standard input and output and one stdio
 * server.
 *
 * The same path as behind HTTP, with a caller that the command line names instead of a grant. The
 * server's process starts with the first request that is forwarded. The end of standard input is
 * the end: what is in flight may still be answered, then the server is stopped.
 */
#include "runtime/base/log.h"
#include "runtime/daemon/ending.h"
#include "runtime/daemon/serve.h"
#include "runtime/gateway/gateway.h"
#include "runtime/gateway/relay.h"
#include "runtime/net/child.h"
#include "runtime/net/http_server.h"
#include "runtime/net/lines.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
    OUTPUT_ANSWERS = 4,   /* of the largest size may wait for a client that does not read */
    RUN_DRAIN_MS = 30000, /* from the end of the input to that of the last answer */
};

struct run {
    const struct run_options *options;
    struct server_spec server;
    struct gateway_limits limits;
    struct loop *loop;
    struct audit *audit;
    struct gateway *gateway;
    struct lines *lines;
    struct session session;
    struct caller caller;
    struct ending *ending;
    bool is_failed;
};

static bool complain(const char *what, Str where, const char *why)
{
    (void)fprintf(stderr, "mcpd: can't %s %.*s: %s\n", what, STR_ARG(where), why);
    return false;
}

static const struct gateway_limits default_limits = {
#define LIMIT(name, def, min, max, doc) .name = (def),
#include "runtime/gateway/limit.def"
#undef LIMIT
};

/* The alias to judge by: the given one, the only one that the policy names, or "server". */
static Str choose_alias(const struct run_options *options, const struct program *program)
{
    if (options->server.n)
        return options->server;
    if (program->counts[SECTION_SERVERS] == 1) {
        Str alias = program_text(program, program->servers[0].alias);
        if (alias.n)
            return alias;
    }
    return STR("server");
}

/* Refuses to start with a bundle that can't be used, rather than deny every call; so does
 * open_server with one that is about other servers. */
static bool read_policy(struct run *run, struct program **program)
{
    struct bundle_error error = { .text = "" };
    enum status status = program_read(run->options->policy.p, program, &error);
    if (status == ST_OK)
        return true;
    return complain("load the policy", run->options->policy,
                    error.text[0] ? error.text : status_text(status));
}

static bool open_server(struct run *run, const struct program *program)
{
    const struct run_options *options = run->options;
    size_t count = 0;
    while (environ[count])
        count++;
    run->server.env = calloc(count + 1, sizeof *run->server.env);
    run->server.argv = calloc(options->argc, sizeof *run->server.argv);
    if (!run->server.env || !run->server.argv)
        return complain("remember", STR("the command"), status_text(ST_NO_MEMORY));
    for (size_t i = 0; i < count; i++)
        run->server.env[i] = str_of(environ[i]);
    for (size_t i = 0; i < options->argc; i++)
        run->server.argv[i] = options->argv[i];
    run->server.env_count = count;
    run->server.argc = options->argc;
    run->server.transport = SERVER_STDIO;
    run->server.alias = choose_alias(options, program);
    if (program_server(program, run->server.alias) != B_NONE)
        return true;
    (void)fprintf(stderr,
                  "mcpd: policy %.*s says nothing about server \"%.*s\"; name one with "
                  "--server\n",
                  STR_ARG(options->policy), STR_ARG(run->server.alias));
    return false;
}

/* Messages hold what a server sent as one line, so there is no LF in them. */
static bool write_line(struct run *run, Str text)
{
    return lines_write(run->lines, text) == ST_OK;
}

/* What is about no call can be done without: not for a client that is behind. */
static void say(struct session *session, Str text)
{
    struct run *run = session->user;
    if (run->lines && lines_waiting(run->lines) <= STREAM_BEHIND_BYTES)
        (void)write_line(run, text);
}

static bool open_gateway(struct run *run)
{
    const struct run_options *options = run->options;
    if (options->audit.n) {
        enum status status = audit_open(options->audit.p, &run->audit);
        if (status != ST_OK)
            return complain("write the audit log", options->audit, status_text(status));
    }
    enum status status = loop_open(&run->loop);
    struct gateway_config config = {
        .loop = run->loop,
        .audit = run->audit,
        .servers = &run->server,
        .server_count = 1,
        .local = &run->session,
        .limits = run->limits,
    };
    if (status == ST_OK)
        status = gateway_open(&config, &run->gateway);
    if (status != ST_OK)
        return complain("start", STR("the gateway"), status_text(status));
    run->caller = (struct caller){
        .principal = { .id = options->principal.n ? options->principal : STR("local"),
                       .groups = options->groups,
                       .group_count = options->group_count },
        .policy = options->policy,
        .server = gateway_server(run->gateway, run->server.alias),
    };
    run->session.caller = run->caller;
    run->session.log_level = LOG_LEVEL_NONE;
    run->session.say = say;
    run->session.user = run;
    return true;
}

static bool is_drained(void *user)
{
    const struct run *run = user;
    return !run->lines || (gateway_is_idle(run->gateway) && lines_output_is_idle(run->lines));
}

static void cut(void *user)
{
    struct run *run = user;
    gateway_stop(run->gateway);
    if (run->lines)
        lines_close(run->lines);
    run->lines = NULL;
}

static void on_reply(void *user, const struct reply *reply)
{
    struct run *run = user;
    if (!reply->body.n || !run->lines)
        return;
    /* A client that does not read what it asked for is gone for our purposes. */
    if (!write_line(run, reply->body) && !ending_has_begun(run->ending)) {
        log_error("the client does not read its answers");
        run->is_failed = true;
        ending_begin(run->ending, 0);
    }
}

/* False: the client has not read enough of what it was sent. */
static bool on_event(void *user, const struct event *event)
{
    struct run *run = user;
    if (!run->lines)
        return true;
    (void)write_line(run, event->text);
    return lines_waiting(run->lines) <= STREAM_BEHIND_BYTES;
}

static void on_drained(void *user)
{
    struct run *run = user;
    gateway_resume(run->gateway);
}

static void on_line(void *user, Str line)
{
    struct run *run = user;
    struct incoming in = {
        .caller = &run->caller,
        .body = line,
        .session = &run->session,
        .reply = on_reply,
        .event = on_event,
        .user = run,
    };
    if (line.n)
        (void)gateway_message(run->gateway, &in);
}

static void on_end(void *user, enum status status)
{
    struct run *run = user;
    if (status == ST_LIMIT) {
        log_error("the client sent a message over the size limit");
        run->is_failed = true;
    }
    if (!ending_has_begun(run->ending))
        ending_begin(run->ending, RUN_DRAIN_MS);
}

static void reload(void *user)
{
    struct run *run = user;
    gateway_reload(run->gateway);
    if (run->audit && audit_reopen(run->audit) != ST_OK)
        log_error("the audit log can't be reopened");
}

static bool open_client(struct run *run)
{
    static const struct ending_steps steps = { .reload = reload,
                                               .is_drained = is_drained,
                                               .cut = cut };
    static const struct lines_events events = { .on_line = on_line,
                                                .on_end = on_end,
                                                .on_drained = on_drained };
    enum status status = ending_open(run->loop, &steps, run, &run->ending);
    if (status == ST_OK)
        status = lines_open(run->loop, STDIN_FILENO, STDOUT_FILENO, run->limits.max_body_bytes,
                            (size_t)run->limits.max_result_bytes * OUTPUT_ANSWERS, &events, run,
                            &run->lines);
    return status == ST_OK || complain("speak on", STR("standard input"), status_text(status));
}

static void close_all(struct run *run)
{
    if (run->lines)
        lines_close(run->lines);
    gateway_close(run->gateway);
    ending_close(run->ending);
    if (run->loop)
        loop_close(run->loop);
    if (run->audit)
        audit_close(run->audit);
    free(run->server.env);
    free(run->server.argv);
}

int run_main(const struct run_options *options)
{
    struct run run = { .options = options, .limits = default_limits };
    struct program *program = NULL;
    if (prctl(PR_SET_DUMPABLE, 0) != 0)
        log_warn("core dumps can't be forbidden");
    if (!read_policy(&run, &program))
        return EXIT_FAILED;
    bool is_open = open_server(&run, program) && open_gateway(&run) && open_client(&run);
    if (is_open)
        loop_run(run.loop);
    close_all(&run);
    program_release(program); /* the alias may point into it */
    return is_open && !run.is_failed ? EXIT_DONE : EXIT_FAILED;
}
