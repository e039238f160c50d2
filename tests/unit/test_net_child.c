/* SPDX-License-Identifier: Apache-2.0 */
/* Children: what they inherit, how they end, and that nothing of them stays. */
#include "runtime/net/child.h"
#include "tests/unit/net_help.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { ARGS_MAX = 8, MANY = 200, THOUSAND = 1000, AT_ONCE = 20 };

struct fixture {
    struct loop *loop;
    struct child *child;
    struct buf got; /* lines, each with a LF */
    int gone;
    char why[64];
};

static void on_line(void *user, Str line)
{
    struct fixture *f = user;
    buf_add(&f->got, line);
    buf_add_char(&f->got, '\n');
}

static void on_gone(void *user, const char *why)
{
    struct fixture *f = user;
    f->gone++;
    (void)snprintf(f->why, sizeof f->why, "%s", why);
}

static const struct child_events events = { on_line, on_gone };

static const Str environment[] = { STR_INIT("PATH=relative:/bin:/usr/bin"), STR_INIT("A=b c"),
                                   STR_INIT("EMPTY=") };

static struct child_spec spec_of(const Str *argv, size_t argc)
{
    return (struct child_spec){ .name = STR("demo"),
                                .argv = argv,
                                .argc = argc,
                                .env = environment,
                                .env_count = COUNT(environment),
                                .max_line = 65536,
                                .max_queue = 65536 };
}

static enum status start_spec(struct fixture *f, struct loop *loop, const struct child_spec *spec)
{
    *f = (struct fixture){ .loop = loop };
    buf_init(&f->got, 1 << 20);
    return child_start(loop, spec, &events, f, &f->child);
}

static void start_shell(struct fixture *f, struct loop *loop, Str script)
{
    const Str argv[] = { STR("sh"), STR("-c"), script };
    struct child_spec spec = spec_of(argv, COUNT(argv));
    CHECK(start_spec(f, loop, &spec) == ST_OK);
}

static void stop(struct fixture *f)
{
    if (f->child)
        child_stop(f->child);
    f->child = NULL;
}

static void finish(struct fixture *f)
{
    stop(f);
    int64_t until = world_mono_ms() + CHILD_STOP_WAIT_MS + CHILD_TERM_WAIT_MS + HELP_WAIT_MS;
    while (child_count() && world_mono_ms() < until)
        turn(f->loop, 2);
    CHECK(child_count() == 0);
    CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    buf_free(&f->got);
    loop_close(f->loop);
}

/* Gone, or a zombie that only init is to reap. */
static bool is_dead(long pid)
{
    char name[32], state[256] = "";
    (void)snprintf(name, sizeof name, "/proc/%ld/stat", pid);
    FILE *file = fopen(name, "re");
    if (!file)
        return true;
    bool has_line = fgets(state, sizeof state, file) != NULL;
    (void)fclose(file);
    const char *end = has_line ? strrchr(state, ')') : NULL;
    return !end || end[2] == 'Z' || end[2] == 'X';
}

static void test_echo(void)
{
    const Str argv[] = { STR("cat") };
    struct child_spec spec = spec_of(argv, 1);
    struct fixture f;
    CHECK(start_spec(&f, new_loop(), &spec) == ST_OK);
    CHECK(child_count() == 1);
    CHECK(child_write(f.child, STR("{\"id\":1}")) == ST_OK);
    CHECK(child_write(f.child, STR("two\nlines")) == ST_INVALID);
    CHECK(child_write(f.child, STR("second")) == ST_OK);
    TURN_UNTIL(f.loop, f.got.n == 16);
    CHECK_STR(buf_str(&f.got), STR("{\"id\":1}\nsecond\n"));
    CHECK(f.gone == 0);
    finish(&f);
    CHECK(f.gone == 0); /* stopping it is no surprise */
}

static const struct {
    const char *name;
    Str program, cwd;
    enum status want;
} failures[] = {
    { "no such file", STR_INIT("/nonexistent/server"), STR_INIT(""), ST_NOT_FOUND },
    { "not in PATH", STR_INIT("no-such-program-anywhere"), STR_INIT(""), ST_NOT_FOUND },
    { "not executable", STR_INIT("/etc/passwd"), STR_INIT(""), ST_NOT_FOUND },
    { "a folder", STR_INIT("/etc"), STR_INIT(""), ST_NOT_FOUND },
    { "empty", STR_INIT(""), STR_INIT(""), ST_INVALID },
    { "NUL inside", STR_INIT("/bin/cat\0x"), STR_INIT(""), ST_INVALID },
    { "no such cwd", STR_INIT("cat"), STR_INIT("/nonexistent"), ST_IO },
};

static void test_failures(void)
{
    struct loop *loop = new_loop();
    for (size_t i = 0; i < COUNT(failures); i++) {
        struct fixture f;
        struct child_spec spec = spec_of(&failures[i].program, 1);
        spec.cwd = failures[i].cwd;
        enum status status = start_spec(&f, loop, &spec);
        CHECK_ROW(status == failures[i].want, "%s: %s", failures[i].name, status_text(status));
        CHECK(child_count() == 0 && waitpid(-1, NULL, WNOHANG) == -1);
        buf_free(&f.got);
    }
    loop_close(loop);
}

static void test_last_words_and_exit(void)
{
    struct fixture f;
    start_shell(&f, new_loop(), STR("echo last; echo words; exit 3"));
    TURN_UNTIL(f.loop, f.gone);
    CHECK_STR(buf_str(&f.got), STR("last\nwords\n"));
    CHECK_STR(str_of(f.why), STR("exited with status 3"));
    CHECK(child_write(f.child, STR("x")) == ST_CLOSED);
    turn(f.loop, 5);
    CHECK(f.gone == 1);
    finish(&f);
}

static void test_killed(void)
{
    struct fixture f;
    start_shell(&f, new_loop(), STR("kill -9 $$"));
    TURN_UNTIL(f.loop, f.gone);
    CHECK_STR(str_of(f.why), STR("killed by signal 9"));
    finish(&f);
}

static void test_long_line(void)
{
    const Str argv[] = { STR("cat"), STR("/dev/zero") };
    struct child_spec spec = spec_of(argv, COUNT(argv));
    struct fixture f;
    CHECK(start_spec(&f, new_loop(), &spec) == ST_OK);
    TURN_UNTIL(f.loop, f.gone);
    CHECK_STR(str_of(f.why), STR("wrote a line over the limit"));
    child_kill_all();
    CHECK(child_count() == 0);
    finish(&f);
}

/* What is in the pipe of a process that is only being stopped may still be read and acted on. */
static void test_what_a_living_child_may_read_is_taken(void)
{
    static const struct {
        Str script;
        bool is_taken;
    } rows[] = { { STR_INIT("exec >&-; sleep 60"), true }, { STR_INIT("exit 0"), false } };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fixture f;
        start_shell(&f, new_loop(), rows[i].script);
        CHECK(child_write(f.child, STR("to nobody")) == ST_OK);
        TURN_UNTIL(f.loop, f.gone);
        CHECK_ROW((child_taken(f.child) == child_queued(f.child)) == rows[i].is_taken, "row %zu",
                  i);
        child_kill_all();
        finish(&f);
    }
}

static void test_inherits_nothing(void)
{
    struct fixture f;
    int leaked = open("/dev/null", O_RDONLY); /* without close-on-exec, and a high one */
    CHECK(leaked >= 0 && fcntl(leaked, F_DUPFD, 200) == 200);
    (void)signal(SIGUSR2, SIG_IGN);
    sigset_t blocked, before;
    (void)sigemptyset(&blocked);
    (void)sigaddset(&blocked, SIGUSR1);
    (void)sigprocmask(SIG_BLOCK, &blocked, &before);
    start_shell(
        &f, new_loop(),
        STR("env | grep -v -e ^PWD= -e ^_= -e ^SHLVL= -e ^OLDPWD= | sort;"
            /* No pipeline and no listing: both open descriptors of their own. */
            "n=0; while [ $n -lt 256 ]; do [ -e /proc/$$/fd/$n ] && echo fd $n; n=$((n+1)); done;"
            /* Signals 32 and up are the C library's own: a parent may have them ignored. */
            "while read -r k v; do case $k in Sig[BI]*) echo $k $((0x$v & 0x7fffffff));; esac;"
            " done </proc/$$/status"));
    TURN_UNTIL(f.loop, f.gone);
    CHECK_STR(buf_str(&f.got), STR("A=b c\nEMPTY=\nPATH=relative:/bin:/usr/bin\n"
                                   "fd 0\nfd 1\nfd 2\n"
                                   "SigBlk: 0\nSigIgn: 0\n"));
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    (void)close(leaked);
    (void)close(200);
    finish(&f);
}

static void test_cwd(void)
{
    const Str argv[] = { STR("pwd") };
    struct child_spec spec = spec_of(argv, 1);
    spec.cwd = STR("/usr/bin");
    struct fixture f;
    CHECK(start_spec(&f, new_loop(), &spec) == ST_OK);
    TURN_UNTIL(f.loop, f.gone);
    CHECK_STR(buf_str(&f.got), STR("/usr/bin\n"));
    finish(&f);
}

/* A leader that exits leaves nobody behind, though they hold its output open. */
static void test_descendants_die(void)
{
    struct fixture f;
    start_shell(&f, new_loop(), STR("sleep 1000 & echo $!"));
    TURN_UNTIL(f.loop, f.gone);
    long pid = f.got.n ? strtol(f.got.p, NULL, 10) : 0;
    CHECK(pid > 1);
    TURN_UNTIL(f.loop, is_dead(pid));
    CHECK(is_dead(pid));
    CHECK_STR(str_of(f.why), STR("exited with status 0"));
    finish(&f);
}

/* Both at once, to wait once: one ignores everything, one only the end of its input. */
static void test_stubborn(void)
{
    struct fixture deaf, slow;
    struct loop *loop = new_loop();
    start_shell(&deaf, loop, STR("trap '' TERM; sleep 1000 & echo $!; while :; do sleep 1; done"));
    start_shell(&slow, loop, STR("sleep 1000 & echo $!; wait"));
    TURN_UNTIL(loop, deaf.got.n && slow.got.n);
    long deaf_one = strtol(deaf.got.p, NULL, 10), slow_one = strtol(slow.got.p, NULL, 10);
    int64_t start = world_mono_ms();
    stop(&deaf);
    stop(&slow);
    TURN_UNTIL(loop, child_count() == 1);
    CHECK(world_mono_ms() - start >= CHILD_STOP_WAIT_MS - 50);
    TURN_UNTIL(loop, is_dead(slow_one)); /* signalled with its leader, not always gone with it */
    CHECK(is_dead(slow_one) && !is_dead(deaf_one));
    TURN_UNTIL(loop, child_count() == 0);
    CHECK(world_mono_ms() - start >= CHILD_STOP_WAIT_MS + CHILD_TERM_WAIT_MS - 50);
    TURN_UNTIL(loop, is_dead(deaf_one));
    CHECK(is_dead(deaf_one));
    CHECK(deaf.gone == 0 && slow.gone == 0);
    buf_free(&slow.got);
    finish(&deaf);
}

static void test_kill_all(void)
{
    struct fixture f[3];
    struct loop *loop = new_loop();
    for (size_t i = 0; i < COUNT(f); i++)
        start_shell(&f[i], loop, STR("trap '' TERM; while :; do sleep 1; done"));
    stop(&f[0]);
    CHECK(child_count() == 3);
    child_kill_all();
    CHECK(child_count() == 0 && waitpid(-1, NULL, WNOHANG) == -1);
    for (size_t i = 1; i < COUNT(f); i++) {
        stop(&f[i]);
        buf_free(&f[i].got);
    }
    finish(&f[0]);
}

/* Our standard error, caught in a file meanwhile. */
static int saved_stderr = -1, caught = -1;

static void catch_stderr(void)
{
    char name[] = "/tmp/net-child-XXXXXX";
    caught = mkstemp(name);
    (void)unlink(name);
    saved_stderr = dup(STDERR_FILENO);
    CHECK(caught >= 0 && dup2(caught, STDERR_FILENO) == STDERR_FILENO);
}

static Str release_stderr(char *text, size_t room)
{
    CHECK(dup2(saved_stderr, STDERR_FILENO) == STDERR_FILENO);
    (void)close(saved_stderr);
    ssize_t n = pread(caught, text, room, 0);
    (void)close(caught);
    return (Str){ text, n > 0 ? (size_t)n : 0 };
}

static void test_stderr(void)
{
    static char text[1 << 20];
    struct fixture f;
    catch_stderr();
    start_shell(&f, new_loop(),
                STR("printf 'plain\\nfor\\033ged\\000x\\n' >&2; yes flood | head -n 100000 >&2;"
                    "head -c 5000 /dev/zero | tr '\\0' z >&2; echo >&2; printf 'no end' >&2"));
    TURN_UNTIL(f.loop, f.gone);
    finish(&f);
    Str log = release_stderr(text, sizeof text);
    CHECK(str_contains(log, STR("server=demo stderr: plain\n")));
    CHECK(str_contains(log, STR("server=demo stderr: for\\x1bged?x\n")));
    CHECK(str_contains(log, STR("more lines left out)")));
    CHECK(log.n < 20000);
}

static void test_many(void)
{
    struct loop *loop = new_loop();
    static struct fixture f[MANY];
    const Str argv[] = { STR("true") };
    struct child_spec spec = spec_of(argv, 1);
    for (size_t i = 0; i < MANY; i++) {
        CHECK(start_spec(&f[i], loop, &spec) == ST_OK);
        stop(&f[i]);
        buf_free(&f[i].got);
        if (i % 20 == 0)
            turn(loop, 0);
    }
    finish(&f[0]);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    DIR *folder = opendir("/proc/self/fd");
    ENSURE(folder);
    while (readdir(folder))
        count++;
    (void)closedir(folder);
    return count;
}

/* Ends one in one of the ways that there are: its user leaves, it crashes, it ends by itself. */
static void end_somehow(struct fixture *f, size_t way)
{
    long pid = strtol(f->got.p, NULL, 10);
    if (way % 3 == 1)
        (void)kill((pid_t)pid, SIGKILL);
    else if (way % 3 == 2)
        CHECK(child_write(f->child, STR("end")) == ST_OK);
    if (way % 3)
        TURN_UNTIL(f->loop, f->gone == 1);
    stop(f);
}

/* A thousand starts, each with a descendant: nobody stays, nor does a descriptor. */
static void test_thousand(void)
{
    static struct fixture f[AT_ONCE];
    static long pids[THOUSAND];
    struct loop *loop = new_loop();
    size_t before = open_descriptors();
    for (size_t at = 0; at < THOUSAND; at += AT_ONCE) {
        for (size_t i = 0; i < AT_ONCE; i++)
            start_shell(&f[i], loop, STR("sleep 1000 & echo $$ $!; read line"));
        for (size_t i = 0; i < AT_ONCE; i++) {
            TURN_UNTIL(loop, memchr(f[i].got.p ? f[i].got.p : "", '\n', f[i].got.n));
            const char *space = f[i].got.n ? memchr(f[i].got.p, ' ', f[i].got.n) : NULL;
            CHECK(space != NULL);
            pids[at + i] = space ? strtol(space, NULL, 10) : 0;
            if (space)
                end_somehow(&f[i], at + i);
        }
        TURN_UNTIL(loop, child_count() == 0);
        for (size_t i = 0; i < AT_ONCE; i++)
            buf_free(&f[i].got);
    }
    for (size_t i = 0; i < THOUSAND; i++) {
        TURN_UNTIL(loop, is_dead(pids[i]));
        CHECK_ROW(pids[i] > 1 && is_dead(pids[i]), "descendant %zu", i);
    }
    turn(loop, 1);
    CHECK(open_descriptors() == before);
    CHECK(child_count() == 0 && waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
    loop_close(loop);
}

int main(void)
{
    RUN(test_echo);
    RUN(test_failures);
    RUN(test_last_words_and_exit);
    RUN(test_killed);
    RUN(test_long_line);
    RUN(test_what_a_living_child_may_read_is_taken);
    RUN(test_inherits_nothing);
    RUN(test_cwd);
    RUN(test_descendants_die);
    RUN(test_stubborn);
    RUN(test_kill_all);
    RUN(test_stderr);
    RUN(test_many);
    RUN(test_thousand);
    return check_finish();
}
