/* SPDX-License-Identifier: Apache-2.0 */
/* test_command.c - `mcpd grant ...` and the options, by exit code and by what goes to which
 * stream. */
#include "compiler/emit/bundle_write.h"
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/daemon/command.h"
#include "runtime/daemon/options.h"
#include "runtime/oauth/grant.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { OUTPUT_MAX = 64 * 1024, WORDS_MAX = 16, BUNDLE_BYTES = 1024 * 1024 };

static char out_bytes[OUTPUT_MAX], err_bytes[OUTPUT_MAX];
static Str out, err;

static int redirect(int fd, const char *name)
{
    struct scratch_path path = scratch_path(name);
    scratch_write(path.text, STR(""));
    int saved = dup(fd);
    int file = open(path.text, O_RDWR | O_CLOEXEC);
    ENSURE(saved >= 0 && file >= 0 && dup2(file, fd) == fd);
    (void)close(file);
    return saved;
}

static void restore(int fd, int saved)
{
    ENSURE(dup2(saved, fd) == fd);
    (void)close(saved);
}

/* Runs a command on a line of words, split at spaces; fills out and err. */
static int run(int (*command)(int, char **), const char *line)
{
    static char words[1024];
    char *argv[WORDS_MAX];
    int argc = 0;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *at = words; *at;) {
        ENSURE(argc < WORDS_MAX);
        argv[argc++] = at;
        at += strcspn(at, " ");
        if (*at)
            *at++ = '\0';
    }
    (void)fflush(stdout);
    int saved_out = redirect(STDOUT_FILENO, "out"), saved_err = redirect(STDERR_FILENO, "err");
    int code = command(argc, argv);
    (void)fflush(stdout);
    restore(STDOUT_FILENO, saved_out);
    restore(STDERR_FILENO, saved_err);
    out = (Str){ out_bytes, scratch_read(scratch_path("out").text, out_bytes, OUTPUT_MAX) };
    err = (Str){ err_bytes, scratch_read(scratch_path("err").text, err_bytes, OUTPUT_MAX) };
    return code;
}

/* The same, with the test's configuration as --config. */
static int run_configured(int (*command)(int, char **), const char *rest)
{
    char line[1024];
    (void)snprintf(line, sizeof line, "--config %s%s%s", scratch_path("mcpd.jsonc").text,
                   *rest ? " " : "", rest);
    return run(command, line);
}

static void test_check(void)
{
    CHECK(run_configured(command_check, "") == EXIT_DONE);
    CHECK(str_ends(out, STR("mcpd.jsonc: ok\n")) && err.n == 0);
    CHECK(run(command_check, "--config /none/such") == EXIT_USAGE);
    CHECK_STR(err, STR("/none/such: No such file or directory\n"));
    CHECK(out.n == 0);
    CHECK(run(command_check, "--confg x") == EXIT_USAGE);
    CHECK_STR(err, STR("mcpd: unknown option --confg, did you mean --config?\n"));
    CHECK(run(command_check, "-- x") == EXIT_USAGE && run(command_check, "x") == EXIT_USAGE);
}

static const struct {
    const char *line;
    int code;
    const char *says;
} refused[] = {
    { "", EXIT_USAGE, "are needed" },
    { "--principal p --server fs", EXIT_USAGE, "are needed" },
    { "--principal p --principal q --server fs --policy x", EXIT_USAGE,
      "--principal is given twice" },
    { "--principal= --server fs --policy x", EXIT_USAGE, "--principal needs a value" },
    { "--principal p --server fs --policy", EXIT_USAGE, "--policy needs a value" },
    { "--principal p\x01 --server fs --policy x", EXIT_USAGE, "control characters" },
    { "--principal \xFF --server fs --policy x", EXIT_USAGE, "UTF-8" },
    { "--principal p --server fs --policy x --label \x1b[2J", EXIT_USAGE, "--label" },
    { "--principal p --server other --policy x", EXIT_USAGE, "server \"other\" is not in" },
    { "--principal q --server fs --policy x", EXIT_USAGE, "principal \"q\" is not in" },
    { "--principal p --server fs --server fs --policy x", EXIT_USAGE, "given twice" },
    { "--principal p --server fs --policy /none/x.polb", EXIT_FAILED, "no such file" },
    { "--principal p --server fs --policy /dev/null", EXIT_FAILED, "policy /dev/null: " },
    { "--principal p --server fs --policy x --expires 0d", EXIT_USAGE, "--expires" },
    { "--principal p --server fs --policy x --expires 3651d", EXIT_USAGE, "--expires" },
    { "--principal p --server fs --policy x --expires 30", EXIT_USAGE, "--expires" },
    { "--principal p --server fs --policy x --expires d", EXIT_USAGE, "--expires" },
    { "--principal p --server fs --policy x --expires -1d", EXIT_USAGE, "--expires" },
    { "--principal p --server fs --policy x --expires 99999999999999999999h", EXIT_USAGE,
      "--expires" },
    { "--principal p --server fs --policy x --json", EXIT_USAGE, "unknown option --json" },
    { "--principal p --server fs --policy x -- y", EXIT_USAGE, "nothing may follow" },
    { "--principal p --server fs --policy x y", EXIT_USAGE, "unexpected argument" },
};

static bool check_child(pid_t child)
{
    int code = 1;
    return waitpid(child, &code, 0) == child && code == 0;
}

static void test_create_refused(void)
{
    for (size_t i = 0; i < COUNT(refused); i++) {
        /* Options are gathered in static memory, once a process: so a process for each. */
        pid_t child = fork();
        if (child == 0) {
            int code = run_configured(command_grant_create, refused[i].line);
            bool is_ok =
                code == refused[i].code && out.n == 0 && str_contains(err, str_of(refused[i].says));
            if (!is_ok)
                (void)fprintf(stderr, "exit %d: %.*s", code, STR_ARG(err));
            _exit(is_ok ? 0 : 1);
        }
        CHECK_ROW(check_child(child), "%s", refused[i].line);
    }
    CHECK(run_configured(command_grant_list, "--json") == EXIT_DONE);
    CHECK_STR(out, STR("[]\n"));
}

/* The smallest policy for server "fs": it has no rule, so it denies everything. */
static void write_bundle(const char *path)
{
    struct arena mem;
    struct bundle bundle;
    struct bundle_error error;
    struct buf bytes;
    arena_init(&mem, BUNDLE_BYTES);
    buf_init(&bytes, BUNDLE_BYTES);
    bundle_init(&bundle, &mem);
    struct b_server server = { .alias = bundle_text(&bundle, STR("fs")) };
    struct b_list none = { .index = B_NONE, .near = B_NONE };
    struct b_route route = { .dfa = B_NONE, .other = bundle_list(&bundle, NULL, &none) };
    for (int kind = 0; kind < KIND_COUNT; kind++)
        (void)bundle_add(&bundle, SECTION_ROUTES, &route);
    struct b_shape anything = { .flags = B_SHAPE_OPEN };
    (void)bundle_add(&bundle, SECTION_SHAPES, &anything);
    (void)bundle_add(&bundle, SECTION_SERVERS, &server);
    struct b_meta meta = { .name = bundle_text(&bundle, STR("fs-demo")), .version = 1 };
    ENSURE(bundle_finish(&bundle, &meta, &bytes, &error) == ST_OK);
    scratch_write(path, buf_str(&bytes));
    bundle_free(&bundle);
    buf_free(&bytes);
    arena_reset(&mem);
}

static void run_create(const char *more, int want)
{
    char line[1024];
    (void)snprintf(line, sizeof line, "--policy %s %s", scratch_path("fs.polb").text, more);
    CHECK_ROW(run_configured(command_grant_create, line) == want, "%s: %.*s", more, STR_ARG(err));
}

/* One process, as the options want it: a grant that works, by the token on standard output. */
static void create_in_child(void)
{
    struct store *store = NULL;
    const struct grant_row *row = NULL;
    run_create("--principal anna --server fs --label x --expires 45m", EXIT_DONE);
    CHECK(out.n == GRANT_TOKEN_BYTES + 1 && out.p[out.n - 1] == '\n');
    CHECK(str_starts(err, STR("grant g_")) && str_contains(err, STR(" for anna on fs, policy /")));
    CHECK(!str_contains(err, str_sub(out, 5, out.n - 1)));
    ENSURE(store_open_sqlite(scratch_path("mcpd.db").text, &store) == ST_OK);
    struct grant_cache *cache = grant_cache_open(store);
    CHECK(grant_find(cache, str_sub(out, 0, out.n - 1), &row) == GRANT_ACTIVE);
    CHECK(row && grant_covers(row, STR("fs")) && !grant_covers(row, STR("docs")));
    CHECK(row && row->expires_ms - row->created_ms <= 2700000 &&
          row->expires_ms - row->created_ms > 2640000);
    grant_cache_close(cache);
    store->ops->close(store);
}

static void create_uncovered(void)
{
    run_create("--principal p --server docs", EXIT_FAILED);
    CHECK(out.n == 0 && str_contains(err, STR("says nothing about server \"docs\"")));
}

/* A token that nobody got to see must not go on being good. */
static void create_unseen(void)
{
    int saved = dup(STDOUT_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    char *argv[8];
    struct scratch_path config = scratch_path("mcpd.jsonc"), policy = scratch_path("fs.polb");
    char words[8][SCRATCH_PATH_MAX] = { "--config", "",   "--principal", "p",
                                        "--server", "fs", "--policy",    "" };
    (void)snprintf(words[1], sizeof words[1], "%s", config.text);
    (void)snprintf(words[7], sizeof words[7], "%s", policy.text);
    for (size_t i = 0; i < COUNT(argv); i++)
        argv[i] = words[i];
    ENSURE(saved >= 0 && full >= 0 && dup2(full, STDOUT_FILENO) == STDOUT_FILENO);
    int saved_err = redirect(STDERR_FILENO, "err");
    int code = command_grant_create(COUNT(argv), argv);
    restore(STDERR_FILENO, saved_err);
    restore(STDOUT_FILENO, saved);
    CHECK(code == EXIT_FAILED);
    CHECK(run_configured(command_grant_list, "") == EXIT_DONE);
    CHECK(str_contains(out, STR(" revoked")));
    (void)close(full);
}

static bool passes_in_child(void (*test)(void))
{
    (void)fflush(stdout);
    pid_t child = fork();
    if (child != 0)
        return check_child(child);
    check_ok = true;
    test();
    _exit(check_ok ? 0 : 1);
}

static void test_create(void)
{
    write_bundle(scratch_path("fs.polb").text);
    CHECK(passes_in_child(create_uncovered));
    CHECK(passes_in_child(create_unseen));
    CHECK(passes_in_child(create_in_child));
    (void)unlink(scratch_path("mcpd.db").text);
}

static int64_t now_ms = INT64_C(1795489200123);

static int64_t fake_ms(void)
{
    return now_ms;
}

static void fake_entropy(void *bytes, size_t count)
{
    static unsigned char next;
    unsigned char *at = bytes;
    for (size_t i = 0; i < count; i++)
        at[i] = next;
    next++;
}

static void add_grant(Str principal, Str label, int64_t expires_ms)
{
    struct store *store = NULL;
    struct arena mem;
    struct grant_token token;
    struct grant_row row = { .principal = principal,
                             .servers = { STR_INIT("fs"), STR_INIT("docs") },
                             .server_count = expires_ms ? 2 : 1,
                             .policy = STR_INIT("/p.polb"),
                             .label = label,
                             .expires_ms = expires_ms };
    arena_init(&mem, 65536);
    ENSURE(store_open_sqlite(scratch_path("mcpd.db").text, &store) == ST_OK);
    ENSURE(grant_create(store, &mem, &row, &token) == ST_OK);
    store->ops->close(store);
    arena_reset(&mem);
}

static void test_list_and_revoke(void)
{
    static const struct world world = { fake_ms, fake_ms, fake_entropy };
    world_set(&world);
    add_grant(STR("ci-robot"), STR("nightly \"x\""), now_ms + 60000);
    now_ms += 1000;
    add_grant(STR("\xC3\xA5sa@x"), STR("a\x1b[2J\xC2\x9B"), 0);
    add_grant(STR("x"), STR(""), 0);
    now_ms += 60000;
    CHECK(run_configured(command_grant_revoke, "g_cccccccccccc") == EXIT_DONE);
    CHECK_STR(err, STR("grant g_cccccccccccc: revoked\n"));
    CHECK(run_configured(command_grant_revoke, "g_eeeeeeeeeeee") == EXIT_DONE);
    CHECK(out.n == 0);
    CHECK(run_configured(command_grant_revoke, "g_nobody") == EXIT_FAILED);
    CHECK_STR(err, STR("mcpd: grant g_nobody: not found\n"));
    CHECK(run_configured(command_grant_revoke, "") == EXIT_USAGE);
    CHECK(run_configured(command_grant_revoke, "a b") == EXIT_USAGE);
    CHECK(run_configured(command_grant_list, "") == EXIT_DONE);
    CHECK_STR(
        out,
        STR("ID              PRINCIPAL  SERVERS  POLICY   CREATED               EXPIRES"
            "               STATE    LABEL\n"
            "g_aaaaaaaaaaaa  ci-robot   fs,docs  /p.polb  2026-11-24T03:00:00Z  "
            "2026-11-24T03:01:00Z"
            "  expired  nightly \"x\"\n"
            "g_cccccccccccc  \xC3\xA5sa@x      fs       /p.polb  2026-11-24T03:00:01Z  never     "
            "            revoked  a?[2J??\n"
            "g_eeeeeeeeeeee  x          fs       /p.polb  2026-11-24T03:00:01Z  never          "
            "       revoked\n"));
    CHECK(run_configured(command_grant_list, "--json") == EXIT_DONE);
    CHECK(str_starts(out, STR("[{\"id\":\"g_aaaaaaaaaaaa\",\"principal\":\"ci-robot\",\"servers\":"
                              "[\"fs\",\"docs\"],\"policy\":\"/p.polb\",\"created\":"
                              "\"2026-11-24T03:00:00.123Z\",\"expires\":"
                              "\"2026-11-24T03:01:00.123Z\",\"revoked\":null,\"label\":"
                              "\"nightly \\\"x\\\"\",\"state\":\"expired\"},")));
    CHECK(str_contains(out, STR("\"expires\":null,\"revoked\":\"2026-11-24T03:01:01.123Z\"")));
    world_set(NULL);
}

static void test_store_refused(void)
{
    struct scratch_path path = scratch_path("mcpd.db");
    CHECK(chmod(path.text, 0644) == 0);
    CHECK(run_configured(command_grant_list, "") == EXIT_FAILED);
    CHECK(out.n == 0 && str_contains(err, STR("refused")));
    CHECK(chmod(path.text, 0600) == 0);
}

/* The page for operators has the tables that the program prints, to the byte. */
static void test_documented(void)
{
    static char page[256 * 1024];
    struct buf table;
    Str text = { page, scratch_read("docs/configuration.md", page, sizeof page) };
    if (text.n == 0)
        return; /* run from another folder than the project's */
    buf_init(&table, sizeof page);
    help_config(&table);
    CHECK(table.n > 1000 && str_contains(text, buf_str(&table)));
    buf_free(&table);
}

int main(void)
{
    log_set_level(LOG_ERROR);
    scratch_write(scratch_path("mcpd.jsonc").text,
                  STR("{ \"principals\": { \"p\": {}, \"anna\": {} }, \"servers\": { \"fs\": { "
                      "\"command\": [\"x\"] }, "
                      "\"docs\": { \"url\": \"https://x\" } } }"));
    RUN(test_check);
    RUN(test_create_refused);
    RUN(test_create);
    RUN(test_list_and_revoke);
    RUN(test_store_refused);
    RUN(test_documented);
    return check_finish();
}
