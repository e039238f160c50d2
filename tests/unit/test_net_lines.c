/* SPDX-License-Identifier: Apache-2.0 */
/* The loop's promises, and lines over pipes: splits, caps, ends, closing from inside. */
#include "runtime/net/lines.h"
#include "tests/unit/net_help.h"

#include <signal.h>
#include <stdlib.h>

/* --- loop --- */

struct trace {
    struct loop *loop;
    char text[64];
    size_t n;
    struct watch *watch;
};

static void mark(struct trace *trace, char c)
{
    if (trace->n < sizeof trace->text)
        trace->text[trace->n++] = c;
}

static void defer_b(void *user)
{
    mark(user, 'b');
}

static void defer_a(void *user)
{
    struct trace *trace = user;
    mark(trace, 'a');
    loop_defer(trace->loop, defer_b, trace);
}

static void defer_c(void *user)
{
    mark(user, 'c');
}

static void test_deferred_run_in_order(void)
{
    struct trace trace = { .loop = new_loop() };
    loop_defer(trace.loop, defer_a, &trace);
    loop_defer(trace.loop, defer_c, &trace);
    turn(trace.loop, 1);
    CHECK_STR(((Str){ trace.text, trace.n }), STR("acb"));
    loop_defer(trace.loop, defer_a, &trace);
    loop_close(trace.loop); /* runs what is left, and what that defers */
    CHECK_STR(((Str){ trace.text, trace.n }), STR("acbab"));
}

static void close_other(void *user, int events)
{
    struct trace *trace = user;
    (void)events;
    mark(trace, 'x');
    watch_close(trace->watch); /* perhaps ready in the same turn, perhaps this very one */
    trace->watch = NULL;
}

static void test_closed_watch_is_silent(void)
{
    struct trace trace = { .loop = new_loop() };
    int fds[2];
    CHECK(pipe2(fds, O_CLOEXEC) == 0 && write(fds[1], "x", 1) == 1);
    struct watch *first = watch_open(trace.loop, fds[0], close_other, &trace);
    struct watch *second = watch_open(trace.loop, fds[1], close_other, &trace);
    ENSURE(first && second);
    trace.watch = second;
    watch_set(first, WATCH_READ);
    watch_set(second, WATCH_WRITE);
    for (int i = 0; i < 3 && trace.watch; i++)
        turn(trace.loop, 1);
    CHECK(trace.watch == NULL);
    watch_close(first);
    turn(trace.loop, 1);
    (void)close(fds[0]);
    (void)close(fds[1]);
    loop_close(trace.loop);
}

static void on_signal(void *user, int signo)
{
    CHECK(signo == SIGUSR1);
    mark(user, 's');
}

static void test_signals(void)
{
    struct trace trace = { .loop = new_loop() };
    CHECK(loop_on_signal(trace.loop, SIGUSR1, on_signal, &trace) == ST_OK);
    CHECK(loop_on_signal(trace.loop, SIGUSR1, on_signal, &trace) == ST_CONFLICT);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    TURN_UNTIL(trace.loop, trace.n);
    CHECK(kill(getpid(), SIGUSR1) == 0);
    TURN_UNTIL(trace.loop, trace.n == 2);
    CHECK(trace.n == 2);
    loop_close(trace.loop);
}

/* --- lines --- */

struct fixture {
    struct loop *loop;
    struct lines *lines;
    int in, out;    /* the peer's ends: what it writes, what it reads */
    struct buf got; /* lines, each in brackets */
    int ends;
    enum status end;
    bool closes, pauses; /* what on_line does */
    bool closes_at_end;
};

static void on_line(void *user, Str line)
{
    struct fixture *f = user;
    buf_add_char(&f->got, '[');
    buf_add(&f->got, line);
    buf_add_char(&f->got, ']');
    if (f->closes) {
        lines_close(f->lines);
        f->lines = NULL;
    } else if (f->pauses) {
        lines_pause(f->lines, true);
    }
}

static void on_end(void *user, enum status status)
{
    struct fixture *f = user;
    f->ends++;
    f->end = status;
    if (f->closes_at_end) {
        lines_close(f->lines);
        f->lines = NULL;
    }
}

static const struct lines_events line_events = { on_line, on_end, NULL };

static void set_up(struct fixture *f, size_t max_line, size_t max_queue)
{
    int in[2] = { -1, -1 }, out[2] = { -1, -1 };
    *f = (struct fixture){ .loop = new_loop() };
    buf_init(&f->got, 1 << 22);
    CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC | O_NONBLOCK) == 0);
    f->in = in[1];
    f->out = out[0];
    CHECK(lines_open(f->loop, in[0], out[1], max_line, max_queue, &line_events, f, &f->lines) ==
          ST_OK);
}

static void tear_down(struct fixture *f)
{
    if (f->lines)
        lines_close(f->lines);
    if (f->in >= 0)
        (void)close(f->in);
    if (f->out >= 0)
        (void)close(f->out);
    buf_free(&f->got);
    loop_close(f->loop);
}

static void put(struct fixture *f, Str text)
{
    CHECK(write(f->in, text.p, text.n) == (ssize_t)text.n);
}

static void hang_up(struct fixture *f)
{
    (void)close(f->in);
    f->in = -1;
}

static void test_split_anywhere(void)
{
    Str text = STR("{\"a\":1}\n\n\r\nx\r\r\nlast\r\n");
    for (size_t cut = 0; cut <= text.n; cut++) {
        struct fixture f;
        set_up(&f, 64, 64);
        put(&f, str_sub(text, 0, cut));
        turn(f.loop, 0);
        put(&f, str_sub(text, cut, text.n));
        hang_up(&f);
        TURN_UNTIL(f.loop, f.ends);
        CHECK_STR(buf_str(&f.got), STR("[{\"a\":1}][][][x\r][last]"));
        CHECK(f.ends == 1 && f.end == ST_CLOSED);
        tear_down(&f);
    }
}

static const struct {
    const char *name;
    Str text, got;
    enum status end;
} cap_cases[] = {
    { "at the cap", STR_INIT("12345678\n"), STR_INIT("[12345678]"), ST_CLOSED },
    { "at the cap with CR", STR_INIT("12345678\r\n"), STR_INIT("[12345678]"), ST_CLOSED },
    { "over by one", STR_INIT("123456789\n"), STR_INIT(""), ST_LIMIT },
    { "over by one with CR", STR_INIT("123456789\r\n"), STR_INIT(""), ST_LIMIT },
    { "over without end", STR_INIT("1\n1234567890"), STR_INIT("[1]"), ST_LIMIT },
    { "end inside a line", STR_INIT("1\n12"), STR_INIT("[1]"), ST_INVALID },
    { "end inside a full line", STR_INIT("1\n12345678\r"), STR_INIT("[1]"), ST_INVALID },
    { "NUL is a byte", STR_INIT("a\0b\n"), STR_INIT("[a\0b]"), ST_CLOSED },
    { "many lines in one read", STR_INIT("1\n2\n3\n4\n5\n6\n"), STR_INIT("[1][2][3][4][5][6]"),
      ST_CLOSED },
};

static void test_caps(void)
{
    for (size_t i = 0; i < COUNT(cap_cases); i++) {
        struct fixture f;
        set_up(&f, 8, 64);
        put(&f, cap_cases[i].text);
        hang_up(&f);
        TURN_UNTIL(f.loop, f.ends);
        CHECK_ROW(f.ends == 1 && f.end == cap_cases[i].end, "%s: end %d", cap_cases[i].name, f.end);
        CHECK_STR(buf_str(&f.got), cap_cases[i].got);
        tear_down(&f);
    }
}

static void test_pause_in_callback(void)
{
    struct fixture f;
    set_up(&f, 64, 64);
    f.pauses = true;
    put(&f, STR("1\n2\n3\n"));
    hang_up(&f);
    TURN_UNTIL(f.loop, f.got.n);
    turn(f.loop, 5);
    CHECK_STR(buf_str(&f.got), STR("[1]"));
    lines_pause(f.lines, false);
    CHECK_STR(buf_str(&f.got), STR("[1]")); /* nothing from inside the call */
    turn(f.loop, 5);
    CHECK_STR(buf_str(&f.got), STR("[1][2]"));
    CHECK(f.ends == 0);
    f.pauses = false;
    lines_pause(f.lines, false);
    TURN_UNTIL(f.loop, f.ends);
    CHECK_STR(buf_str(&f.got), STR("[1][2][3]"));
    CHECK(f.end == ST_CLOSED);
    tear_down(&f);
}

static void test_close_in_callbacks(void)
{
    struct fixture f;
    set_up(&f, 64, 64);
    f.closes = true;
    put(&f, STR("1\n2\n"));
    TURN_UNTIL(f.loop, f.got.n);
    turn(f.loop, 5);
    CHECK_STR(buf_str(&f.got), STR("[1]"));
    CHECK(f.ends == 0 && !f.lines);
    tear_down(&f);
    set_up(&f, 64, 64);
    f.closes_at_end = true;
    hang_up(&f);
    TURN_UNTIL(f.loop, f.ends);
    CHECK(f.ends == 1 && !f.lines);
    tear_down(&f);
    set_up(&f, 64, 64);
    lines_pause(f.lines, true);
    lines_pause(f.lines, false); /* on_wake is deferred when it is closed */
    lines_close(f.lines);
    f.lines = NULL;
    tear_down(&f);
}

static size_t read_all(struct fixture *f, char *text, size_t room)
{
    size_t n = 0;
    for (int i = 0; i < 50 && n < room; i++) {
        ssize_t got = read(f->out, text + n, room - n);
        if (got > 0)
            n += (size_t)got;
        turn(f->loop, 0);
    }
    return n;
}

static void test_queue(void)
{
    enum { QUEUE = 200 * 1024, LINE = 1000, PIPE = 64 * 1024 };
    static char line[LINE], text[QUEUE + 2 * PIPE];
    struct fixture f;
    set_up(&f, 64, QUEUE);
    memset(line, 'x', sizeof line);
    CHECK(lines_write(f.lines, STR("a\nb")) == ST_INVALID);
    CHECK(lines_output_is_idle(f.lines));
    size_t count = 0;
    enum status status = ST_OK;
    while (count < 1000 && status == ST_OK) {
        status = lines_write(f.lines, (Str){ line, sizeof line });
        count += status == ST_OK;
    }
    CHECK(status == ST_LIMIT);
    CHECK(count >= QUEUE / (LINE + 1) && count <= (QUEUE + PIPE) / (LINE + 1) + 1);
    CHECK(!lines_output_is_idle(f.lines));
    CHECK(read_all(&f, text, sizeof text) == count * (LINE + 1)); /* all whole, nothing more */
    CHECK(lines_output_is_idle(f.lines));
    CHECK(lines_write(f.lines, STR("")) == ST_OK);
    CHECK(read_all(&f, text, sizeof text) == 1 && text[0] == '\n');
    tear_down(&f);
}

static void test_end_of_output(void)
{
    static char line[100 * 1024], text[2 * sizeof line];
    struct fixture f;
    set_up(&f, 64, 1 << 20);
    memset(line, 'y', sizeof line);
    CHECK(lines_write(f.lines, (Str){ line, sizeof line }) == ST_OK);
    lines_end_output(f.lines);
    CHECK(lines_write(f.lines, STR("late")) == ST_CLOSED);
    CHECK(read_all(&f, text, sizeof text) == sizeof line + 1);
    CHECK(read(f.out, text, 1) == 0); /* closed behind the last byte */
    tear_down(&f);
}

static void test_failed_write(void)
{
    struct fixture f;
    set_up(&f, 64, 64);
    put(&f, STR("last words\n"));
    (void)close(f.out);
    f.out = -1;
    CHECK(lines_write(f.lines, STR("anybody?")) == ST_OK);
    CHECK(f.ends == 0);
    TURN_UNTIL(f.loop, f.ends);
    CHECK_STR(buf_str(&f.got), STR("[last words]"));
    CHECK(f.ends == 1 && f.end == ST_IO);
    CHECK(lines_write(f.lines, STR("still?")) == ST_CLOSED);
    tear_down(&f);
}

static void test_regular_file(void)
{
    char name[] = "/tmp/net-lines-XXXXXX";
    struct fixture f = { .loop = new_loop(), .in = -1, .out = -1 };
    buf_init(&f.got, 1024);
    int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "1\n2\n", 4) == 4 && lseek(fd, 0, SEEK_SET) == 0);
    (void)unlink(name);
    int out = open("/dev/null", O_WRONLY | O_CLOEXEC);
    CHECK(lines_open(f.loop, fd, out, 64, 64, &line_events, &f, &f.lines) == ST_OK);
    CHECK(lines_write(f.lines, STR("x")) == ST_OK);
    TURN_UNTIL(f.loop, f.ends);
    CHECK_STR(buf_str(&f.got), STR("[1][2]"));
    CHECK(f.end == ST_CLOSED && lines_output_is_idle(f.lines));
    tear_down(&f);
}

int main(void)
{
    RUN(test_deferred_run_in_order);
    RUN(test_closed_watch_is_silent);
    RUN(test_signals);
    RUN(test_split_anywhere);
    RUN(test_caps);
    RUN(test_pause_in_callback);
    RUN(test_close_in_callbacks);
    RUN(test_queue);
    RUN(test_end_of_output);
    RUN(test_failed_write);
    RUN(test_regular_file);
    return check_finish();
}
