/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_process.c - two forks: a supervisor, and from it a keeper as often as needed.
 *
 * The supervisor holds the keeper's end of the line, so that the gateway's questions wait in it
 * while a keeper is being replaced. It reads nothing.
 */
#include "runtime/daemon/keeper_process.h"

#include "runtime/base/log.h"
#include "runtime/crypto/secret.h"
#include "runtime/keeper/keeper.h"
#include "runtime/keeper/message.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    REST_FIRST_MS = 20, /* before a keeper that died is replaced; doubled when it dies early */
    REST_MAX_MS = 5000,
    REST_KILLED_MS = 160,
    EARLY_MS = 10 * 1000,
    LINE_BYTES = 1 << 20, /* of questions that may wait in the line */
    END_WAIT_MS = 2000,
    END_LOOK_MS = 10,
};

static void rest(unsigned ms)
{
    struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L };
    int rc;
    do {
        rc = nanosleep(&wait, &wait);
    } while (rc != 0 && errno == EINTR);
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool has_hung_up(int fd)
{
    struct pollfd look = { .fd = fd, .events = 0 };
    return poll(&look, 1, 0) > 0 && (look.revents & (POLLHUP | POLLERR));
}

static void say_down(int fd)
{
    struct buf bytes;
    buf_init(&bytes, MESSAGE_BYTES_MAX);
    message_write(&(struct message){ .type = MESSAGE_DOWN }, &bytes);
    if (send(fd, bytes.p, bytes.n, MSG_NOSIGNAL) < 0)
        log_error("the gateway can't be told that its keeper died why=%s", strerror(errno));
    buf_free(&bytes);
}

/* True when the keeper came to its own end. *was_killed: it had no say in it. */
static bool await(pid_t keeper, bool *was_killed)
{
    int how = 0;
    pid_t rc;
    do {
        rc = waitpid(keeper, &how, 0);
    } while (rc < 0 && errno == EINTR);
    *was_killed = WIFSIGNALED(how);
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0)
        return true;
    if (WIFSIGNALED(how))
        log_error("the token keeper was killed signal=%d", WTERMSIG(how));
    else
        log_error("the token keeper failed code=%d", WEXITSTATUS(how));
    return false;
}

static void leave_the_terminal(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return;
    (void)dup2(null, STDIN_FILENO);
    (void)dup2(null, STDOUT_FILENO);
    (void)close(null);
}

/* One that fails by itself fails again, most likely; one that was killed need not be waited for
 * long. */
static unsigned next_rest(unsigned rest_ms, bool was_killed, int64_t lived_ms)
{
    unsigned max = was_killed ? REST_KILLED_MS : REST_MAX_MS;
    if (lived_ms >= EARLY_MS)
        return REST_FIRST_MS;
    return rest_ms * 2 > max ? max : rest_ms * 2;
}

static void supervise(const struct keeper_settings *settings, int fd)
{
    unsigned rest_ms = REST_FIRST_MS;
    (void)signal(SIGINT, SIG_IGN);
    (void)signal(SIGTERM, SIG_IGN);
    (void)signal(SIGHUP, SIG_IGN);
    leave_the_terminal();
    (void)prctl(PR_SET_NAME, "mcpd-supervise");
    for (;;) {
        int64_t began = now_ms();
        bool was_killed = false;
        pid_t keeper = fork();
        if (keeper == 0) {
            (void)prctl(PR_SET_NAME, "mcpd-keeper");
            _exit(keeper_run(settings, fd));
        }
        if (keeper > 0 && await(keeper, &was_killed))
            return;
        if (has_hung_up(fd))
            return;
        say_down(fd);
        rest(rest_ms);
        rest_ms = next_rest(rest_ms, was_killed, now_ms() - began);
    }
}

/* Of the environment: getenv's pointer is into it. */
static void wipe_variable(Str name)
{
    char *value = name.n ? getenv(name.p) : NULL;
    if (!value)
        return;
    secret_wipe(value, strlen(value));
    (void)unsetenv(name.p);
}

static void wipe_secrets(const struct keeper_settings *settings)
{
    if (settings->key_source == KEY_VARIABLE)
        wipe_variable(settings->key_name);
    for (size_t i = 0; i < settings->server_count; i++)
        wipe_variable(settings->servers[i].secret_variable);
}

enum status keeper_process_start(const struct keeper_settings *settings, struct keeper_process *out)
{
    int ends[2], room = LINE_BYTES;
    *out = (struct keeper_process){ .fd = -1 };
    if (settings->server_count == 0)
        return ST_OK;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
        return ST_IO;
    for (size_t i = 0; i < 2; i++) /* the default does, with fewer waiting */
        (void)setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    pid_t supervisor = fork();
    if (supervisor == 0) {
        (void)close(ends[0]);
        supervise(settings, ends[1]);
        _exit(0);
    }
    (void)close(ends[1]);
    if (supervisor < 0) {
        (void)close(ends[0]);
        return ST_LIMIT;
    }
    wipe_secrets(settings);
    *out = (struct keeper_process){ .supervisor = supervisor, .fd = ends[0] };
    return ST_OK;
}

void keeper_process_end(const struct keeper_process *process)
{
    if (!process->supervisor)
        return;
    for (int64_t until = now_ms() + END_WAIT_MS; now_ms() < until; rest(END_LOOK_MS)) {
        if (waitpid(process->supervisor, NULL, WNOHANG) != 0)
            return;
    }
    log_info("the token keeper goes on until its refresh is through");
}
