/* SPDX-License-Identifier: Apache-2.0 */
/* keeper.c - the keeper's loop: packets in, packets out.
 *
 * A packet that can't be read ends the process, since the other end is a program of the same build:
 * something is wrong, and nothing is guessed here. The supervisor starts a new one.
 */
#include "runtime/keeper/keeper.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/keep.h"
#include "runtime/keeper/revoke.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { EXIT_OK = 0, EXIT_BROKEN = 1, END_LOOK_MS = 20 };

struct packet {
    struct packet *next;
    struct buf bytes; /* wiped */
};

struct asked_login {
    struct asked_login *next;
    struct keeper *keeper;
    uint64_t id;
    struct login *login;
};

struct keeper {
    int fd;
    struct loop *loop;
    struct watch *watch;
    struct timer *ending;
    struct http_client *http;
    struct safe safe;
    struct login_env env;
    struct keep *keep;
    struct revoker *revoker;
    struct packet *first, **last; /* that the socket had no room for */
    struct asked_login *logins;
    int64_t end_ms; /* 0: the gateway lives */
    bool is_broken;
    char inbox[MESSAGE_BYTES_MAX];
};

void keeper_harden(void)
{
    struct rlimit none = { .rlim_cur = 0, .rlim_max = 0 }, locked;
    if (prctl(PR_SET_DUMPABLE, 0) != 0 || setrlimit(RLIMIT_CORE, &none) != 0)
        log_warn("core dumps can't be forbidden why=%s", strerror(errno));
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        log_warn("new privileges can't be forbidden why=%s", strerror(errno));
    /* With a limit, a lock on all would make later allocations fail; keys and tokens are in pages
     * that are locked one by one. */
    bool may_lock = getrlimit(RLIMIT_MEMLOCK, &locked) == 0 && locked.rlim_cur == RLIM_INFINITY;
    if (may_lock && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
        log_debug("memory can't be locked as a whole why=%s", strerror(errno));
}

/* ------------------------------ packets out ---------------------------- */

static void stop_broken(struct keeper *keeper, const char *why)
{
    log_error("the keeper stops why=%s", why);
    keeper->is_broken = true;
    loop_stop(keeper->loop);
}

/* False: no room now. */
static bool send_bytes(struct keeper *keeper, Str bytes)
{
    if (keeper->end_ms)
        return true; /* nobody listens */
    if (send(keeper->fd, bytes.p, bytes.n, MSG_NOSIGNAL) >= 0)
        return true;
    return errno != EAGAIN && errno != ENOBUFS && errno != EINTR;
}

static void flush(struct keeper *keeper)
{
    while (keeper->first && send_bytes(keeper, buf_str(&keeper->first->bytes))) {
        struct packet *packet = keeper->first;
        keeper->first = packet->next;
        if (!keeper->first)
            keeper->last = &keeper->first;
        secret_buf_close(&packet->bytes);
        free(packet);
    }
    if (!keeper->end_ms)
        watch_set(keeper->watch, keeper->first ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

static void say(struct keeper *keeper, const struct message *message)
{
    struct packet *packet = calloc(1, sizeof *packet);
    if (!packet || !secret_buf_open(&packet->bytes, MESSAGE_BYTES_MAX)) {
        free(packet);
        stop_broken(keeper, "no memory left");
        return;
    }
    message_write(message, &packet->bytes);
    ENSURE(!packet->bytes.is_full);
    *keeper->last = packet;
    keeper->last = &packet->next;
    flush(keeper);
}

static void on_answer(void *user, uint64_t id, const struct keep_answer *answer)
{
    struct message message = { .id = id };
    if (answer->has_token) {
        message.type = MESSAGE_TOKEN;
        message.number = (uint64_t)answer->generation;
        message.fields[0] = answer->name;
        message.fields[1] = answer->value;
    } else {
        message.type = MESSAGE_NO;
        message.number = answer->no;
        message.fields[0] = answer->text;
    }
    say(user, &message);
}

static void on_server(void *user, Str server, bool has_connections)
{
    struct message message = { .type = MESSAGE_SERVER,
                               .number = has_connections,
                               .fields = { server } };
    say(user, &message);
}

static void on_cut(void *user, Str server, Str principal)
{
    struct message message = { .type = MESSAGE_CUT, .fields = { server, principal } };
    say(user, &message);
}

static void on_changed(void *user)
{
    const struct keeper *keeper = user;
    if (keeper->revoker)
        revoker_look(keeper->revoker);
}

/* ------------------------------- logins -------------------------------- */

static void on_login(void *user, const struct login_outcome *outcome)
{
    struct asked_login *asked = user;
    struct keeper *keeper = asked->keeper;
    struct message message = { .id = asked->id };
    message.type = outcome->wants_user ? MESSAGE_URL : MESSAGE_PAGE;
    message.number = outcome->is_done;
    message.fields[0] = outcome->wants_user ? outcome->url : outcome->text;
    say(keeper, &message);
    if (outcome->is_done && keeper->keep)
        keep_look(keeper->keep);
    struct asked_login **link = &keeper->logins;
    while (*link != asked)
        link = &(*link)->next;
    *link = asked->next;
    free(asked);
}

static void say_page(struct keeper *keeper, uint64_t id, Str text)
{
    struct message message = { .type = MESSAGE_PAGE, .id = id, .fields = { text } };
    say(keeper, &message);
}

static struct asked_login *asked_new(struct keeper *keeper, uint64_t id)
{
    struct asked_login *asked = calloc(1, sizeof *asked);
    if (!asked)
        return NULL;
    asked->keeper = keeper;
    asked->id = id;
    asked->next = keeper->logins;
    keeper->logins = asked;
    return asked;
}

static void drop_newest(struct keeper *keeper)
{
    struct asked_login *asked = keeper->logins;
    keeper->logins = asked->next;
    free(asked);
}

static bool is_open(const struct keeper *keeper, const struct asked_login *asked)
{
    const struct asked_login *it = keeper->logins;
    while (it && it != asked)
        it = it->next;
    return it != NULL;
}

static void take_callback(struct keeper *keeper, const struct message *message)
{
    struct login *login = NULL;
    struct asked_login *asked = asked_new(keeper, message->id);
    enum status status = asked ? login_resume(&keeper->env, message->fields[0], message->fields[1],
                                              on_login, asked, &login)
                               : ST_NO_MEMORY;
    if (status == ST_OK) {
        if (is_open(keeper, asked)) /* else it is over already */
            asked->login = login;
        return;
    }
    if (asked)
        drop_newest(keeper);
    say_page(keeper, message->id,
             status == ST_NOT_FOUND
                 ? STR("this login is not known: it was used already, or it took too long")
                 : STR("this address can't be read"));
}

static void take_login(struct keeper *keeper, const struct message *message)
{
    struct login_spec spec = {
        .settings = settings_find(keeper->safe.settings, message->fields[0]),
        .principal = message->fields[1],
        .binding = message->fields[2],
    };
    struct asked_login *asked = spec.settings ? asked_new(keeper, message->id) : NULL;
    if (asked && login_begin(&keeper->env, &spec, on_login, asked, &asked->login) == ST_OK)
        return;
    if (asked)
        drop_newest(keeper);
    say_page(keeper, message->id, STR("the login can't be begun"));
}

/* ------------------------------ packets in ----------------------------- */

static void take_ask(struct keeper *keeper, const struct message *message)
{
    struct keep_question question = { .server = message->fields[0],
                                      .principal = message->fields[1],
                                      .cause = message->fields[2],
                                      .generation = message->number,
                                      .scopes = message->fields[3] };
    keep_ask(keeper->keep, message->id, &question);
}

static void take_packet(struct keeper *keeper, Str bytes)
{
    struct message message;
    if (message_read(bytes, &message) != ST_OK) {
        stop_broken(keeper, "the gateway sent something that is no message");
        return;
    }
    switch (message.type) {
    case MESSAGE_ASK: take_ask(keeper, &message); return;
    case MESSAGE_CALLBACK: take_callback(keeper, &message); return;
    case MESSAGE_LOGIN: take_login(keeper, &message); return;
    default: stop_broken(keeper, "the gateway sent a message that is the keeper's"); return;
    }
}

static void look_for_end(void *user)
{
    struct keeper *keeper = user;
    bool is_busy = !keep_is_idle(keeper->keep) || keeper->logins;
    if (!is_busy || world_mono_ms() >= keeper->end_ms)
        loop_stop(keeper->loop);
    else
        timer_start(keeper->ending, END_LOOK_MS);
}

static void begin_end(struct keeper *keeper)
{
    if (keeper->end_ms)
        return;
    keeper->end_ms = world_mono_ms() + KEEPER_END_MS;
    watch_set(keeper->watch, 0);
    look_for_end(keeper);
}

static void on_ready(void *user, int events)
{
    struct keeper *keeper = user;
    if (events & WATCH_WRITE)
        flush(keeper);
    while (!keeper->is_broken && !keeper->end_ms) {
        ssize_t got = recv(keeper->fd, keeper->inbox, sizeof keeper->inbox, MSG_TRUNC);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return;
        if (got <= 0) {
            begin_end(keeper);
            return;
        }
        if ((size_t)got > sizeof keeper->inbox)
            stop_broken(keeper, "the gateway sent a message that is too long");
        else
            take_packet(keeper, (Str){ .p = keeper->inbox, .n = (size_t)got });
    }
}

/* ------------------------------- the process --------------------------- */

static enum status open_parts(struct keeper *keeper, const struct keeper_settings *settings,
                              const char **what)
{
    static const struct keep_events events = { on_answer, on_server, on_cut, on_changed };
    enum status status = safe_open(settings, &keeper->safe, what);
    if (status != ST_OK)
        return status;
    *what = "the event loop";
    status = loop_open(&keeper->loop);
    if (status == ST_OK)
        status = http_client_open(keeper->loop, &keeper->http);
    if (status != ST_OK)
        return status;
    keeper->env = (struct login_env){ .http = keeper->http, .safe = &keeper->safe };
    keeper->watch = watch_open(keeper->loop, keeper->fd, on_ready, keeper);
    keeper->ending = timer_open(keeper->loop, look_for_end, keeper);
    if (!keeper->watch || !keeper->ending)
        return ST_NO_MEMORY;
    watch_set(keeper->watch, WATCH_READ);
    say(keeper, &(struct message){ .type = MESSAGE_HELLO });
    *what = "the connections";
    status = keep_open(keeper->loop, &keeper->env, &events, keeper, &keeper->keep);
    if (status == ST_OK)
        status = revoker_open(keeper->loop, &keeper->env, &keeper->revoker);
    return status;
}

static void close_parts(struct keeper *keeper)
{
    while (keeper->logins) {
        if (keeper->logins->login)
            login_cancel(keeper->logins->login);
        drop_newest(keeper);
    }
    revoker_close(keeper->revoker);
    keep_close(keeper->keep);
    timer_close(keeper->ending);
    watch_close(keeper->watch);
    if (keeper->http)
        http_client_close(keeper->http);
    if (keeper->loop)
        loop_close(keeper->loop);
    while (keeper->first) {
        struct packet *packet = keeper->first;
        keeper->first = packet->next;
        secret_buf_close(&packet->bytes);
        free(packet);
    }
    safe_close(&keeper->safe);
    free(keeper);
}

int keeper_run(const struct keeper_settings *settings, int fd)
{
    const char *what = "";
    struct keeper *keeper = calloc(1, sizeof *keeper);
    if (!keeper)
        return EXIT_BROKEN;
    keeper->fd = fd;
    keeper->last = &keeper->first;
    /* It ends with the gateway, after what must not be cut short; not with a terminal. */
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    keeper_harden();
    enum status status = open_parts(keeper, settings, &what);
    if (status == ST_OK)
        loop_run(keeper->loop);
    else
        log_error("the keeper can't open %s why=%s", what, status_text(status));
    int code = status == ST_OK && !keeper->is_broken ? EXIT_OK : EXIT_BROKEN;
    close_parts(keeper);
    return code;
}
