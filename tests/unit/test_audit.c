/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit.c - a line is whole JSON and says the truth, whatever the strings, the disk or the
 * process did. */
#include "runtime/audit/audit.h"
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/json/json.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FILE_BYTES = 4 * 1024 * 1024, ARENA_BYTES = 1024 * 1024 };

static char file_bytes[FILE_BYTES];

static Str read_file(const char *path)
{
    return (Str){ .p = file_bytes, .n = scratch_read(path, file_bytes, sizeof file_bytes) };
}

static int64_t fixed_ms(void)
{
    return INT64_C(1795489200123);
}

static void no_entropy(void *bytes, size_t count)
{
    memset(bytes, 0, count);
}

static const struct world fixed_world = { fixed_ms, fixed_ms, no_entropy };

static struct audit_decision plain_decision(void)
{
    static const Str keys[] = { STR_INIT("path"), STR_INIT("content") };
    return (struct audit_decision){ .principal = STR_INIT("ci-robot"),
                                    .grant = STR_INIT("g_abcdefgh2345"),
                                    .server = STR_INIT("fs"),
                                    .method = STR_INIT("tools/call"),
                                    .tool = STR_INIT("write_file"),
                                    .argument_keys = keys,
                                    .argument_key_count = COUNT(keys),
                                    .verdict = STR_INIT("deny"),
                                    .cause = STR_INIT("rule"),
                                    .policy = STR_INIT("fs-demo"),
                                    .policy_id = STR_INIT("00ff"),
                                    .source = STR_INIT("fs.pol:14"),
                                    .reason = STR_INIT("no"),
                                    .unknown = STR_INIT("args.path is missing") };
}

/* Reads the line strictly; NULL bytes in doc when it is not a JSON object. */
static bool parse(Str line, struct arena *mem, struct json_doc *doc)
{
    return json_parse(line, &json_limits_default, mem, doc, NULL) == JSON_ERR_NONE &&
           json_at(doc, 0)->type == JSON_OBJECT;
}

/* Lines that are whole objects; *odd counts the others, empty ones aside. */
static size_t count_lines(Str text, size_t *odd)
{
    struct arena mem;
    struct json_doc doc;
    size_t whole = 0;
    *odd = 0;
    arena_init(&mem, ARENA_BYTES);
    while (text.n) {
        Str line = str_cut(&text, '\n');
        arena_reset(&mem);
        if (line.n && parse(line, &mem, &doc))
            whole++;
        else
            *odd += line.n > 0;
    }
    arena_reset(&mem);
    return whole;
}

static void test_golden_lines(void)
{
    struct scratch_path path = scratch_path("golden");
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    struct audit_decision bare = { .method = STR_INIT("tools/list"), .verdict = STR_INIT("allow") };
    struct audit_decision no_arguments = { .tool = STR_INIT("t"), .verdict = STR_INIT("allow") };
    const struct audit_field fields[] = { { STR_INIT("listen"), STR_INIT("127.0.0.1:1") },
                                          { STR_INIT("empty"), STR_INIT("") } };
    struct stat info;
    world_set(&fixed_world);
    CHECK(audit_open(path.text, &audit) == ST_OK);
    CHECK(audit_event(audit, STR("start"), fields, COUNT(fields)) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    CHECK(audit_write(audit, &bare) == ST_OK);
    CHECK(audit_write(audit, &no_arguments) == ST_OK);
    world_set(NULL);
    audit_close(audit);
    CHECK(stat(path.text, &info) == 0 && (info.st_mode & 07777) == 0600);
    CHECK_STR(
        read_file(path.text),
        STR("{\"time\":\"2026-11-24T03:00:00.123Z\",\"event\":\"start\",\"listen\":\"127.0.0.1:1\","
            "\"empty\":\"\"}\n"
            "{\"time\":\"2026-11-24T03:00:00.123Z\",\"event\":\"decision\",\"principal\":"
            "\"ci-robot\",\"grant\":\"g_abcdefgh2345\",\"server\":\"fs\",\"method\":\"tools/call\","
            "\"tool\":\"write_file\",\"argument_keys\":[\"content\",\"path\"],\"verdict\":\"deny\","
            "\"cause\":\"rule\",\"policy\":\"fs-demo\",\"policy_id\":\"00ff\",\"source\":"
            "\"fs.pol:14\",\"reason\":\"no\",\"unknown\":\"args.path is missing\"}\n"
            "{\"time\":\"2026-11-24T03:00:00.123Z\",\"event\":\"decision\",\"method\":"
            "\"tools/list\",\"verdict\":\"allow\"}\n"
            "{\"time\":\"2026-11-24T03:00:00.123Z\",\"event\":\"decision\",\"tool\":\"t\","
            "\"argument_keys\":[],\"verdict\":\"allow\"}\n"));
}

/* Whatever a client puts into a name: one line, the same verdict, and no field that is not ours. */
static void test_forged_lines(void)
{
    static const Str hostile[] = {
        STR_INIT("x\"}\n{\"event\":\"decision\",\"verdict\":\"allow\"}\n"),
        STR_INIT("\r\n\r\n"),
        STR_INIT("a\0b"),
        STR_INIT("\\\",\"verdict\":\"allow"),
        STR_INIT("\xFF\xFE\xC0\x80\xED\xA0\x80\xF4\x90\x80\x80"),
        STR_INIT("cut\xE2\x80"),
        STR_INIT("\xE2\x80\xA8\xE2\x80\xA9\x7F\x1B[2J"),
        STR_INIT("\xEF\xBB\xBF"),
    };
    struct scratch_path path = scratch_path("forged");
    for (size_t i = 0; i < COUNT(hostile); i++) {
        struct audit *audit = NULL;
        struct audit_decision decision = plain_decision();
        struct arena mem;
        struct json_doc doc;
        arena_init(&mem, ARENA_BYTES);
        decision.tool = decision.principal = decision.reason = decision.server = hostile[i];
        decision.argument_keys = hostile;
        decision.argument_key_count = COUNT(hostile);
        (void)unlink(path.text);
        CHECK(audit_open(path.text, &audit) == ST_OK);
        CHECK(audit_write(audit, &decision) == ST_OK);
        audit_close(audit);
        Str text = read_file(path.text);
        Str line = str_cut(&text, '\n');
        CHECK_ROW(text.n == 0, "row %zu: more than one line", i);
        struct json_limits limits = json_limits_default;
        limits.allow_nul = true;
        bool is_read = json_parse(line, &limits, &mem, &doc, NULL) == JSON_ERR_NONE;
        CHECK_ROW(is_read && json_at(&doc, 0)->count == 15, "row %zu: %.*s", i, STR_ARG(line));
        if (is_read)
            CHECK_STR(json_member_string(&doc, 0, STR("verdict")), STR("deny"));
        for (size_t k = 0; k < line.n; k++)
            CHECK_ROW((unsigned char)line.p[k] >= 0x20 && line.p[k] != 0x7F, "row %zu", i);
        arena_reset(&mem);
    }
}

static void fill(char *bytes, size_t n, Str pattern)
{
    for (size_t i = 0; i < n; i++)
        bytes[i] = pattern.p[i % pattern.n];
}

/* The longest line there can be, out of the bytes that grow most: it fits and names are in order.
 */
static void test_cut_strings(void)
{
    static char bytes[5000];
    static const Str patterns[] = { STR_INIT("a"),
                                    STR_INIT("\x01"),
                                    STR_INIT("\xFF"),
                                    STR_INIT("\xC3\xA9"),
                                    STR_INIT("\""),
                                    STR_INIT("\xF0\x9F\xA6\x8A"),
                                    STR_INIT("aaaaaaaaaaaaaaaaaaaaaaa\x01") };
    struct scratch_path path = scratch_path("cut");
    for (size_t i = 0; i < COUNT(patterns); i++) {
        struct audit *audit = NULL;
        struct arena mem;
        struct json_doc doc;
        arena_init(&mem, ARENA_BYTES);
        fill(bytes, sizeof bytes, patterns[i]);
        Str s = { bytes, sizeof bytes };
        Str keys[AUDIT_KEYS_MAX * 2];
        for (size_t k = 0; k < COUNT(keys); k++)
            keys[k] = s;
        size_t all = COUNT(keys);
        struct audit_decision decision = { s,    s,   s, s, s, s, s, keys, all,
                                           keys, all, s, s, s, s, s, s,    s };
        (void)unlink(path.text);
        CHECK(audit_open(path.text, &audit) == ST_OK);
        CHECK(audit_write(audit, &decision) == ST_OK);
        audit_close(audit);
        Str line = read_file(path.text);
        CHECK_ROW(line.n <= AUDIT_LINE_MAX && line.n > 6000, "pattern %zu: %zu bytes", i, line.n);
        CHECK_ROW(parse(str_sub(line, 0, line.n - 1), &mem, &doc), "pattern %zu", i);
        Str reason = json_member_string(&doc, 0, STR("reason"));
        CHECK_ROW(str_ends(reason, STR("...")) && reason.n > 60, "pattern %zu", i);
        CHECK(json_member(&doc, 0, STR("argument_keys_omitted")) != JSON_NONE);
        CHECK(json_member(&doc, 0, STR("set_omitted")) != JSON_NONE);
        arena_reset(&mem);
    }
}

static void test_key_choice(void)
{
    enum { KEYS = 200 };
    static char names[KEYS][8];
    Str keys[KEYS];
    struct scratch_path path = scratch_path("keys");
    struct audit *audit = NULL;
    struct arena mem;
    struct json_doc doc;
    struct audit_decision decision = plain_decision();
    arena_init(&mem, ARENA_BYTES);
    for (size_t i = 0; i < KEYS; i++) { /* 7 and 200 share no factor: every name once */
        int n = snprintf(names[i], sizeof names[i], "k%03zu", i * 7 % KEYS);
        keys[i] = (Str){ names[i], (size_t)n };
    }
    decision.argument_keys = keys;
    decision.argument_key_count = KEYS;
    CHECK(audit_open(path.text, &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    audit_close(audit);
    Str line = read_file(path.text);
    CHECK(parse(str_sub(line, 0, line.n - 1), &mem, &doc));
    uint32_t list = json_member(&doc, 0, STR("argument_keys"));
    CHECK(json_at(&doc, list)->count == AUDIT_KEYS_MAX);
    size_t at = 0;
    for (uint32_t i = json_first(&doc, list); i != JSON_NONE; i = json_after(&doc, list, i), at++) {
        char want[8];
        (void)snprintf(want, sizeof want, "k%03zu", at);
        CHECK_STR(json_text(json_at(&doc, i)), str_of(want));
    }
    uint32_t omitted = json_member(&doc, 0, STR("argument_keys_omitted"));
    CHECK(omitted != JSON_NONE);
    CHECK_STR(json_text(json_at(&doc, omitted)), STR("136"));
    arena_reset(&mem);
}

static void test_unfinished_line(void)
{
    struct scratch_path path = scratch_path("unfinished");
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    size_t odd = 0;
    scratch_write(path.text, STR("{\"time\":\"x\"}\n{\"time\":\"2026-"));
    CHECK(audit_open(path.text, &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK && audit_write(audit, &decision) == ST_OK);
    audit_close(audit);
    CHECK(count_lines(read_file(path.text), &odd) == 3 && odd == 1);
    CHECK(str_starts(read_file(path.text), STR("{\"time\":\"x\"}\n{\"time\":\"2026-\n{\"time\"")));
    scratch_write(path.text, STR(""));
    CHECK(audit_open(path.text, &audit) == ST_OK && audit_write(audit, &decision) == ST_OK);
    audit_close(audit);
    CHECK(file_bytes[0] == '{' && count_lines(read_file(path.text), &odd) == 1 && odd == 0);
}

static void test_full_device(void)
{
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    CHECK(audit_open("/dev/full", &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_IO);
    CHECK(audit_event(audit, STR("stop"), NULL, 0) == ST_IO);
    audit_close(audit);
    struct scratch_path missing = scratch_path("none/audit");
    CHECK(audit_open(missing.text, &audit) == ST_IO);
    CHECK(audit_open("/", &audit) == ST_IO);
    struct scratch_path fifo = scratch_path("fifo");
    CHECK(mkfifo(fifo.text, 0600) == 0);
    CHECK(audit_open(fifo.text, &audit) == ST_UNSUPPORTED);
}

/* Fills the pipe to the last byte that it takes. */
static void fill_pipe(int fd)
{
    char bytes[4096] = { 0 };
    int flags = fcntl(fd, F_GETFL);
    ENSURE(flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0);
    while (write(fd, bytes, sizeof bytes) > 0 || write(fd, bytes, 1) > 0) {
    }
    ENSURE(fcntl(fd, F_SETFL, flags) == 0);
}

static size_t drain(int fd, size_t want)
{
    size_t total = 0;
    while (total < want) {
        ssize_t n = read(fd, file_bytes, want - total < FILE_BYTES ? want - total : FILE_BYTES);
        ENSURE(n > 0);
        total += (size_t)n;
    }
    return total;
}

/* Standard error is a pipe that nobody reads: lines fail, calls are denied, and nobody waits. When
 * it is read again, lines are whole again. */
static void test_stuck_standard_error(void)
{
    int ends[2], before = dup(STDERR_FILENO);
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    ENSURE(before >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    CHECK(audit_open("-", &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    size_t one = (size_t)read(ends[0], file_bytes, sizeof file_bytes);
    CHECK(one > 100 && file_bytes[one - 1] == '\n');
    fill_pipe(ends[1]);
    int64_t start = world_mono_ms();
    for (int i = 0; i < 100; i++)
        CHECK(audit_write(audit, &decision) == ST_IO);
    CHECK_ROW(world_mono_ms() - start < 500, "%d ms", (int)(world_mono_ms() - start));
    int full = 0;
    ENSURE(ioctl(ends[0], FIONREAD, &full) == 0);
    (void)drain(ends[0], (size_t)full);
    CHECK(audit_write(audit, &decision) == ST_OK);
    CHECK((size_t)read(ends[0], file_bytes, sizeof file_bytes) == one && file_bytes[0] == '{');
    CHECK((fcntl(ends[1], F_GETFL) & O_NONBLOCK) == 0); /* the descriptor is not ours alone */
    (void)close(ends[0]); /* and a reader that is gone is an error like any other */
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK(audit_write(audit, &decision) == ST_IO);
    ENSURE(dup2(before, STDERR_FILENO) >= 0);
    audit_close(audit);
    (void)close(ends[1]);
    (void)close(before);
}

/* A line longer than what a pipe takes in one piece, and room for a part of it. */
static void test_half_a_line(void)
{
    static const Str keys[] = { STR_INIT("a") };
    static char long_text[AUDIT_TEXT_MAX];
    int ends[2], before = dup(STDERR_FILENO);
    struct audit *audit = NULL;
    memset(long_text, 'x', sizeof long_text);
    Str text = { .p = long_text, .n = sizeof long_text };
    struct audit_decision decision = { .principal = text,
                                       .grant = text,
                                       .server = text,
                                       .method = text,
                                       .tool = text,
                                       .verdict = text,
                                       .cause = text,
                                       .policy = text,
                                       .policy_id = text,
                                       .source = text,
                                       .reason = text,
                                       .unknown = text,
                                       .argument_keys = keys,
                                       .argument_key_count = 1 };
    ENSURE(before >= 0 && pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) >= 0);
    CHECK(audit_open("-", &audit) == ST_OK);
    fill_pipe(ends[1]);
    (void)drain(ends[0], 4096);
    CHECK(audit_write(audit, &decision) == ST_IO);
    int full = 0;
    ENSURE(ioctl(ends[0], FIONREAD, &full) == 0);
    (void)drain(ends[0], (size_t)full);
    CHECK(audit_write(audit, &decision) == ST_OK); /* begins on a line of its own */
    CHECK(read(ends[0], file_bytes, sizeof file_bytes) > 4096 && file_bytes[0] == '\n' &&
          file_bytes[1] == '{');
    ENSURE(dup2(before, STDERR_FILENO) >= 0);
    audit_close(audit);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)close(before);
}

static bool limit_file_size(rlim_t bytes)
{
    struct rlimit limit = { bytes, RLIM_INFINITY };
    return setrlimit(RLIMIT_FSIZE, &limit) == 0;
}

/* A disk that fills up in the middle of a line: the failure is told, and when there is room again
 * the next line stands by itself. */
static void test_short_write(void)
{
    struct scratch_path path = scratch_path("short");
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    size_t odd = 0;
    CHECK(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    CHECK(audit_open(path.text, &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    size_t one = read_file(path.text).n;
    CHECK(limit_file_size(one + 100));
    CHECK(audit_write(audit, &decision) == ST_IO);
    CHECK(audit_write(audit, &decision) == ST_IO);
    CHECK(limit_file_size(RLIM_INFINITY));
    CHECK(audit_write(audit, &decision) == ST_OK && audit_write(audit, &decision) == ST_OK);
    audit_close(audit);
    Str text = read_file(path.text);
    CHECK(text.n == 3 * one + 101);
    CHECK(count_lines(text, &odd) == 3 && odd == 1);
}

/* A writer killed at any moment leaves whole lines and at most one fragment; every line that it
 * had reported is there. */
static void test_killed_writer(void)
{
    struct scratch_path path = scratch_path("killed");
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    for (int round = 0; round < 5; round++) {
        int pipes[2] = { -1, -1 };
        size_t odd = 0, reported = 0;
        char byte = 0;
        (void)unlink(path.text);
        ENSURE(pipe(pipes) == 0);
        pid_t child = fork();
        if (child == 0) {
            if (audit_open(path.text, &audit) != ST_OK)
                _exit(1);
            for (int i = 0; i < 5000 && audit_write(audit, &decision) == ST_OK; i++)
                (void)!write(pipes[1], "x", 1);
            (void)pause();
        }
        (void)close(pipes[1]);
        while (read(pipes[0], &byte, 1) == 1) {
            if (++reported == 10 + 100 * (size_t)round)
                (void)kill(child, SIGKILL);
        }
        (void)close(pipes[0]);
        (void)waitpid(child, NULL, 0);
        size_t whole = count_lines(read_file(path.text), &odd);
        CHECK_ROW(whole >= reported && odd <= 1, "%zu of %zu lines", whole, reported);
        CHECK(audit_open(path.text, &audit) == ST_OK && audit_write(audit, &decision) == ST_OK);
        audit_close(audit);
        CHECK(count_lines(read_file(path.text), &odd) == whole + 1 && odd <= 1);
    }
}

static void test_several_writers(void)
{
    enum { WRITERS = 4, LINES = 200 };
    struct scratch_path path = scratch_path("several");
    struct audit_decision decision = plain_decision();
    pid_t children[WRITERS];
    size_t odd = 0;
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        if (children[i] != 0)
            continue;
        struct audit *audit = NULL;
        bool is_ok = audit_open(path.text, &audit) == ST_OK;
        for (int k = 0; is_ok && k < LINES; k++)
            is_ok = audit_write(audit, &decision) == ST_OK;
        _exit(is_ok ? 0 : 1);
    }
    for (int i = 0; i < WRITERS; i++) {
        int code = 1;
        CHECK(waitpid(children[i], &code, 0) == children[i] && code == 0);
    }
    CHECK(count_lines(read_file(path.text), &odd) == (size_t)WRITERS * LINES && odd == 0);
}

static void test_reopen(void)
{
    struct scratch_path path = scratch_path("rotated"), old = scratch_path("rotated.1");
    struct audit *audit = NULL;
    struct audit_decision decision = plain_decision();
    size_t odd = 0;
    CHECK(audit_open(path.text, &audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    CHECK(rename(path.text, old.text) == 0);
    CHECK(audit_write(audit, &decision) == ST_OK); /* still the old one */
    CHECK(audit_reopen(audit) == ST_OK);
    CHECK(audit_write(audit, &decision) == ST_OK);
    CHECK(count_lines(read_file(old.text), &odd) == 2 &&
          count_lines(read_file(path.text), &odd) == 1);
    /* The name is taken by something else: the file that is open goes on. */
    CHECK(rename(path.text, old.text) == 0 && mkfifo(path.text, 0600) == 0);
    CHECK(audit_reopen(audit) == ST_UNSUPPORTED);
    CHECK(audit_write(audit, &decision) == ST_OK);
    audit_close(audit);
}

int main(void)
{
    log_set_level(LOG_OFF);
    RUN(test_golden_lines);
    RUN(test_forged_lines);
    RUN(test_cut_strings);
    RUN(test_key_choice);
    RUN(test_unfinished_line);
    RUN(test_full_device);
    RUN(test_stuck_standard_error);
    RUN(test_half_a_line);
    RUN(test_short_write);
    RUN(test_killed_writer);
    RUN(test_several_writers);
    RUN(test_reopen);
    return check_finish();
}
