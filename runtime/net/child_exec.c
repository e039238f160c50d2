/* SPDX-License-Identifier: Apache-2.0 */
/* child_exec.c - the way from an argv to a running process.
 *
 * All that needs memory is made before fork, because behind it only async-signal-safe calls are
 * allowed (libcurl's resolver may have threads). A close-on-exec pipe carries the errno of a
 * failed step back; its end of file means that exec succeeded. PATH is searched by exec itself,
 * in absolute folders only, so that a file in the working directory never stands in for a program.
 */
#include "runtime/net/child_exec.h"

#include "runtime/base/arena.h"
#include "runtime/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    LAUNCH_BYTES_MAX =
        4 * 1024 * 1024, /* argv, environment and paths; the kernel's own cap is near */
    REPORT_FD = 3,       /* in the child, until exec */
    CLOSE_MAX = 65536,   /* descriptors closed one by one without close_range */
    EXIT_NOT_STARTED = 127,
};

enum step { STEP_SETUP, STEP_CHDIR, STEP_EXEC };

struct report {
    enum step step;
    int error;
};

/* What the child needs between fork and exec. */
struct launch {
    char **argv, **env;
    char **paths; /* to try, in order */
    char *cwd;    /* NULL: stay */
    int in, out, err, report;
    pid_t parent;
};

struct pipes {
    int in[2], out[2], err[2], report[2]; /* [0] is for reading */
};

/* A copy with a NUL behind it, or NULL. */
static char *copy_text(struct arena *mem, Str s)
{
    char *copy = s.n < LAUNCH_BYTES_MAX ? ARENA_NEW(mem, char, s.n + 1) : NULL;
    if (copy && s.n)
        memcpy(copy, s.p, s.n);
    return copy;
}

static bool has_nul(Str s)
{
    return s.n && memchr(s.p, '\0', s.n);
}

static enum status copy_list(struct arena *mem, const Str *list, size_t count, char ***out)
{
    char **copies = ARENA_NEW(mem, char *, count + 1);
    if (!copies)
        return ST_LIMIT;
    for (size_t i = 0; i < count; i++) {
        if (has_nul(list[i]))
            return ST_INVALID;
        copies[i] = copy_text(mem, list[i]);
        if (!copies[i])
            return ST_LIMIT;
    }
    *out = copies;
    return ST_OK;
}

static Str find_path(const struct child_spec *spec)
{
    for (size_t i = 0; i < spec->env_count; i++) {
        if (str_starts(spec->env[i], STR("PATH=")))
            return str_sub(spec->env[i], 5, spec->env[i].n);
    }
    return STR("/usr/local/bin:/usr/bin:/bin");
}

/* The files that exec tries: the name itself if it has a slash, else one in each folder. */
static enum status list_paths(struct arena *mem, const struct child_spec *spec, char ***out)
{
    Str name = spec->argv[0];
    if (str_contains(name, STR("/")))
        return copy_list(mem, &name, 1, out);
    Str path = find_path(spec);
    size_t count = 1, n = 0;
    for (size_t i = 0; i < path.n; i++)
        count += path.p[i] == ':';
    char **paths = ARENA_NEW(mem, char *, count + 1);
    if (!paths)
        return ST_LIMIT;
    for (size_t i = 0; i < count; i++) {
        Str folder = str_cut(&path, ':');
        if (!str_starts(folder, STR("/")))
            continue;
        Str file = arena_printf(mem, "%.*s/%.*s", STR_ARG(folder), STR_ARG(name));
        paths[n] = copy_text(mem, file);
        if (!file.p || !paths[n++])
            return ST_LIMIT;
    }
    *out = paths;
    return ST_OK;
}

static enum status prepare(struct arena *mem, const struct child_spec *spec, struct launch *launch)
{
    if (spec->argc == 0 || spec->argv[0].n == 0 || has_nul(spec->cwd))
        return ST_INVALID;
    enum status status = copy_list(mem, spec->argv, spec->argc, &launch->argv);
    if (status == ST_OK)
        status = copy_list(mem, spec->env, spec->env_count, &launch->env);
    if (status == ST_OK)
        status = list_paths(mem, spec, &launch->paths);
    if (status != ST_OK)
        return status;
    launch->cwd = spec->cwd.n ? copy_text(mem, spec->cwd) : NULL;
    return spec->cwd.n && !launch->cwd ? ST_LIMIT : ST_OK;
}

static void close_pair(int pair[2])
{
    for (int i = 0; i < 2; i++) {
        if (pair[i] >= 0)
            (void)close(pair[i]);
        pair[i] = -1;
    }
}

/* A pipe whose ends are above 2, so that dup2 onto 0-2 never overwrites one in use. */
static bool open_pipe(int pair[2])
{
    if (pipe2(pair, O_CLOEXEC) != 0) {
        pair[0] = pair[1] = -1;
        return false;
    }
    for (int i = 0; i < 2; i++) {
        if (pair[i] > STDERR_FILENO)
            continue;
        int higher = fcntl(pair[i], F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        (void)close(pair[i]);
        pair[i] = higher;
    }
    return pair[0] >= 0 && pair[1] >= 0;
}

static void close_pipes(struct pipes *pipes)
{
    close_pair(pipes->in);
    close_pair(pipes->out);
    close_pair(pipes->err);
    close_pair(pipes->report);
}

static bool open_pipes(struct pipes *pipes)
{
    *pipes = (struct pipes){ { -1, -1 }, { -1, -1 }, { -1, -1 }, { -1, -1 } };
    if (open_pipe(pipes->in) && open_pipe(pipes->out) && open_pipe(pipes->err) &&
        open_pipe(pipes->report))
        return true;
    close_pipes(pipes);
    return false;
}

/* From here to run_child: in the child, async-signal-safe calls only. */

static NORETURN void give_up(int report_fd, enum step step)
{
    struct report report = { .step = step, .error = errno };
    ssize_t n = write(report_fd, &report, sizeof report);
    _exit(n == (ssize_t)sizeof report ? EXIT_NOT_STARTED : EXIT_NOT_STARTED - 1);
}

static void close_above(int last)
{
    if (close_range((unsigned)last + 1, UINT_MAX, 0) == 0)
        return;
    struct rlimit limit;
    int end = CLOSE_MAX;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < CLOSE_MAX)
        end = (int)limit.rlim_cur;
    for (int fd = last + 1; fd < end; fd++)
        (void)close(fd);
}

static void reset_signals(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    for (int signo = 1; signo < NSIG; signo++)
        (void)sigaction(signo, &action, NULL); /* fails for SIGKILL and SIGSTOP */
    sigset_t none;
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static void try_paths(const struct launch *launch)
{
    int error = ENOENT;
    for (char **path = launch->paths; *path; path++) {
        (void)execve(*path, launch->argv, launch->env);
        if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
            return;
        if (errno == EACCES)
            error = EACCES; /* a file that is there tells more than folders without one */
    }
    errno = error;
}

static NORETURN void run_child(const struct launch *launch)
{
    int report = launch->report;
    /* The parent may have died before prctl: then nobody will signal, so look once more. */
    if (setpgid(0, 0) != 0 || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != launch->parent)
        give_up(report, STEP_SETUP);
    if (dup2(launch->in, STDIN_FILENO) < 0 || dup2(launch->out, STDOUT_FILENO) < 0 ||
        dup2(launch->err, STDERR_FILENO) < 0)
        give_up(report, STEP_SETUP);
    if (report != REPORT_FD) {
        if (dup3(report, REPORT_FD, O_CLOEXEC) < 0)
            give_up(report, STEP_SETUP);
        report = REPORT_FD;
    }
    close_above(REPORT_FD);
    if (launch->cwd && chdir(launch->cwd) != 0)
        give_up(report, STEP_CHDIR);
    reset_signals();
    try_paths(launch);
    give_up(report, STEP_EXEC);
}

/* Forks with all signals blocked: a handler of ours must not run in the child. */
static pid_t fork_child(struct launch *launch)
{
    sigset_t all, before;
    launch->parent = getpid();
    /* Inherited as "ignored", SIGCHLD would make the kernel reap for us and numbers be reused. */
    struct sigaction action;
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        (void)signal(SIGCHLD, SIG_DFL);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid_t pid = fork();
    if (pid == 0)
        run_child(launch);
    int error = errno;
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return pid;
}

static enum status judge(const struct child_spec *spec, const struct report *report)
{
    static const char *const steps[] = { "set up", "enter its folder", "execute" };
    log_warn("server=%.*s did not start: cannot %s: %s", STR_ARG(spec->name), steps[report->step],
             strerror(report->error));
    if (report->error == ENOMEM)
        return ST_NO_MEMORY;
    if (report->error == E2BIG)
        return ST_LIMIT;
    return report->step == STEP_EXEC ? ST_NOT_FOUND : ST_IO;
}

/* Waits until exec happened (end of file) or a step failed; then the process is reaped. */
static enum status await_exec(const struct child_spec *spec, pid_t pid, int report_fd)
{
    struct report report;
    ssize_t n;
    do
        n = read(report_fd, &report, sizeof report);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return ST_OK;
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return n == (ssize_t)sizeof report ? judge(spec, &report) : ST_IO;
}

static enum status fork_and_exec(const struct child_spec *spec, struct launch *launch,
                                 struct child_process *out)
{
    struct pipes pipes;
    if (!open_pipes(&pipes))
        return ST_LIMIT;
    launch->in = pipes.in[0];
    launch->out = pipes.out[1];
    launch->err = pipes.err[1];
    launch->report = pipes.report[1];
    pid_t pid = fork_child(launch);
    (void)close(pipes.report[1]);
    pipes.report[1] = -1;
    enum status status = pid > 0 ? await_exec(spec, pid, pipes.report[0]) : ST_LIMIT;
    if (status == ST_OK) {
        *out = (struct child_process){
            .pid = pid, .in = pipes.in[1], .out = pipes.out[0], .err = pipes.err[0]
        };
        pipes.in[1] = pipes.out[0] = pipes.err[0] = -1;
    }
    close_pipes(&pipes);
    return status;
}

enum status child_exec(const struct child_spec *spec, struct child_process *out)
{
    struct arena mem;
    struct launch launch = { 0 };
    arena_init(&mem, LAUNCH_BYTES_MAX);
    enum status status = prepare(&mem, spec, &launch);
    if (status == ST_OK)
        status = fork_and_exec(spec, &launch, out);
    arena_reset(&mem);
    return status;
}
