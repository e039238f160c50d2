/* SPDX-License-Identifier: Apache-2.0 */
/* child.c - watches over one stdio server from its start until it is reaped.
 *
 * The leader's exit is seen by a pidfd (by polling where the kernel has none). Its process group
 * is killed before the leader is reaped, while the number can't belong to anybody else; so
 * descendants die with it unless they left the group. An end of output waits shortly for the exit
 * and an exit for the rest of the output, so that the last answers and the reason both arrive.
 */
#include "runtime/net/child.h"

#include "runtime/base/log.h"
#include "runtime/net/child_exec.h"
#include "runtime/net/child_log.h"
#include "runtime/net/lines.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    SETTLE_MS = 200, /* between the end of output and the exit, either order */
    POLL_MS = 50,    /* looking for the exit without a pidfd */
    KILL_ALL_WAIT_MS = 2000,
    WHY_BYTES = 64,
};

enum stop_step { STOP_NOT, STOP_CLOSED, STOP_TERMED, STOP_KILLED };

struct child {
    struct child *prev, *next; /* in the list of all not yet reaped */
    struct loop *loop;
    char *name;
    pid_t pid; /* also the process group */
    int pidfd; /* -1: polled */
    struct watch *exit_watch;
    struct timer *poll_timer; /* without a pidfd */
    struct timer *timer;      /* settling, or the next step of stopping */
    struct lines *lines;
    struct child_log *log;
    struct child_events events;
    void *user;
    enum stop_step stop;
    bool is_reaped, is_gone; /* is_gone: on_gone was called */
    bool has_ended;          /* its output */
    char why[WHY_BYTES];
};

static struct child *living;
static size_t living_count;

static void list_add(struct child *child)
{
    child->next = living;
    if (living)
        living->prev = child;
    living = child;
    living_count++;
}

static void list_remove(struct child *child)
{
    if (child->prev)
        child->prev->next = child->next;
    else
        living = child->next;
    if (child->next)
        child->next->prev = child->prev;
    child->prev = child->next = NULL;
    living_count--;
}

static void child_free(struct child *child)
{
    watch_close(child->exit_watch);
    timer_close(child->poll_timer);
    timer_close(child->timer);
    if (child->lines)
        lines_close(child->lines);
    child_log_close(child->log);
    if (child->pidfd >= 0)
        (void)close(child->pidfd);
    free(child->name);
    loop_defer(child->loop, free, child); /* it may be on the stack */
}

static void tell_gone(struct child *child)
{
    if (child->is_gone || child->stop != STOP_NOT)
        return;
    child->is_gone = true;
    timer_stop(child->timer);
    child->events.on_gone(child->user, child->why);
}

static void describe_exit(struct child *child, int status)
{
    if (WIFSIGNALED(status))
        (void)snprintf(child->why, sizeof child->why, "killed by signal %d", WTERMSIG(status));
    else
        (void)snprintf(child->why, sizeof child->why, "exited with status %d", WEXITSTATUS(status));
}

/* Kills what is left of the group, then reaps its leader, which must have exited. */
static void reap(struct child *child)
{
    int status = 0;
    (void)kill(-child->pid, SIGKILL);
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR) {
    }
    child->is_reaped = true;
    list_remove(child);
    if (child->exit_watch)
        watch_set(child->exit_watch, 0);
    if (child->poll_timer)
        timer_stop(child->poll_timer);
    describe_exit(child, status);
}

static bool has_exited(const struct child *child)
{
    siginfo_t info = { 0 };
    return waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid;
}

static void look_for_exit(struct child *child)
{
    if (child->is_reaped || !has_exited(child))
        return;
    reap(child);
    if (child->stop != STOP_NOT)
        child_free(child);
    else if (child->has_ended)
        tell_gone(child);
    else if (!child->is_gone)
        timer_start(child->timer, SETTLE_MS);
}

static void on_pidfd(void *user, int events)
{
    (void)events;
    look_for_exit(user);
}

static void on_poll(void *user)
{
    struct child *child = user;
    timer_start(child->poll_timer, POLL_MS);
    look_for_exit(child);
}

/* The next step of stopping, each harder than the one before. */
static void stop_harder(struct child *child)
{
    if (child->stop == STOP_CLOSED) {
        child->stop = STOP_TERMED;
        (void)kill(-child->pid, SIGTERM);
        timer_start(child->timer, CHILD_TERM_WAIT_MS);
    } else {
        child->stop = STOP_KILLED;
        (void)kill(-child->pid, SIGKILL);
    }
}

static void on_timer(void *user)
{
    struct child *child = user;
    if (child->stop == STOP_NOT)
        tell_gone(child);
    else
        stop_harder(child);
}

static void on_line(void *user, Str line)
{
    struct child *child = user;
    if (!child->is_gone && child->stop == STOP_NOT)
        child->events.on_line(child->user, line);
}

static void on_end(void *user, enum status status)
{
    struct child *child = user;
    child->has_ended = true;
    if (child->is_reaped) {
        tell_gone(child);
        return;
    }
    const char *what = status == ST_CLOSED    ? "closed its output"
                       : status == ST_LIMIT   ? "wrote a line over the limit"
                       : status == ST_INVALID ? "closed its output inside a line"
                                              : "its pipes failed";
    (void)snprintf(child->why, sizeof child->why, "%s", what);
    if (status == ST_LIMIT)
        tell_gone(child);
    else if (child->stop == STOP_NOT)
        timer_start(child->timer, SETTLE_MS);
}

static enum status watch_exit(struct child *child)
{
    child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
    if (child->pidfd >= 0) {
        child->exit_watch = watch_open(child->loop, child->pidfd, on_pidfd, child);
        if (!child->exit_watch)
            return ST_NO_MEMORY;
        watch_set(child->exit_watch, WATCH_READ);
        return ST_OK;
    }
    child->poll_timer = timer_open(child->loop, on_poll, child);
    if (!child->poll_timer)
        return ST_NO_MEMORY;
    timer_start(child->poll_timer, POLL_MS);
    return ST_OK;
}

/* Everything around a process that runs; on failure what was made is the caller's to free. */
static enum status equip(struct child *child, const struct child_spec *spec,
                         struct child_process *process)
{
    static const struct lines_events events = { on_line, on_end, NULL };
    enum status status = watch_exit(child);
    if (status == ST_OK)
        status = lines_open(child->loop, process->out, process->in, spec->max_line, spec->max_queue,
                            &events, child, &child->lines);
    if (status != ST_OK)
        return status;
    process->out = process->in = -1;
    status = child_log_open(child->loop, process->err, str_of(child->name), &child->log);
    if (status == ST_OK)
        process->err = -1;
    return status;
}

static void close_process(const struct child_process *process)
{
    const int fds[] = { process->in, process->out, process->err };
    for (size_t i = 0; i < COUNT(fds); i++) {
        if (fds[i] >= 0)
            (void)close(fds[i]);
    }
}

static struct child *child_new(struct loop *loop, const struct child_spec *spec)
{
    struct child *child = calloc(1, sizeof *child);
    if (!child)
        return NULL;
    child->loop = loop;
    child->pidfd = -1;
    child->name = strndup(spec->name.n ? spec->name.p : "", spec->name.n);
    child->timer = timer_open(loop, on_timer, child);
    if (child->name && child->timer)
        return child;
    child_free(child);
    return NULL;
}

enum status child_start(struct loop *loop, const struct child_spec *spec,
                        const struct child_events *events, void *user, struct child **out)
{
    struct child *child = child_new(loop, spec);
    if (!child)
        return ST_NO_MEMORY;
    child->events = *events;
    child->user = user;
    struct child_process process;
    enum status status = child_exec(spec, &process);
    if (status != ST_OK) {
        child_free(child);
        return status;
    }
    child->pid = process.pid;
    list_add(child);
    status = equip(child, spec, &process);
    if (status != ST_OK) {
        close_process(&process);
        (void)kill(-child->pid, SIGKILL);
        reap(child);
        child_free(child);
        return status;
    }
    *out = child;
    return ST_OK;
}

enum status child_write(struct child *child, Str line)
{
    if (child->is_gone || child->is_reaped)
        return ST_CLOSED;
    return lines_write(child->lines, line);
}

void child_pause(struct child *child, bool paused)
{
    lines_pause(child->lines, paused);
}

uint64_t child_queued(const struct child *child)
{
    return lines_queued(child->lines);
}

uint64_t child_taken(const struct child *child)
{
    /* While it lives it may still read all there is. */
    return child->is_reaped ? lines_taken(child->lines) : lines_queued(child->lines);
}

void child_stop(struct child *child)
{
    ENSURE(child->stop == STOP_NOT);
    child->stop = STOP_CLOSED;
    if (child->is_reaped) {
        child_free(child);
        return;
    }
    lines_end_output(child->lines);
    timer_start(child->timer, CHILD_STOP_WAIT_MS);
}

size_t child_count(void)
{
    return living_count;
}

void child_kill_all(void)
{
    for (struct child *child = living; child; child = child->next)
        (void)kill(-child->pid, SIGKILL);
    const struct timespec pause = { .tv_nsec = 1000000 };
    for (int waited_ms = 0; living && waited_ms < KILL_ALL_WAIT_MS; waited_ms++) {
        struct child *next;
        for (struct child *child = living; child; child = next) {
            next = child->next;
            if (!has_exited(child))
                continue;
            reap(child);
            if (child->stop != STOP_NOT)
                child_free(child);
        }
        if (living)
            (void)nanosleep(&pause, NULL);
    }
}
