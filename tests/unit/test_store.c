/* SPDX-License-Identifier: Apache-2.0 */
/* test_store.c - what every store must keep (a suite that runs on each database), and
 * what the SQLite store adds: permissions, schemas, crashes, several processes. */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/store/store.h"
#include "tests/unit/check.h"
#include "tests/unit/scratch.h"
#include "tests/unit/stores.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ARENA_BYTES = 8 * 1024 * 1024 };

/* A store that no test has used yet. */
static struct store *open_fresh(char name[STORE_NAME_BYTES])
{
    stores_new_name(name);
    return stores_open(name);
}

static struct grant_row make_row(int number)
{
    static char ids[8][24];
    char *id = ids[number % 8];
    int n = snprintf(id, sizeof ids[0], "g_%012d", number);
    struct grant_row row = { .id = { id, (size_t)n },
                             .principal = STR_INIT("ci-robot"),
                             .servers = { STR_INIT("fs"), STR_INIT("docs") },
                             .server_count = 2,
                             .policy = STR_INIT("/etc/mcp/fs.polb"),
                             .label = STR_INIT("nightly"),
                             .created_ms = 1000 + number,
                             .expires_ms = 5000 };
    memset(row.hash, 0xA5, sizeof row.hash);
    memcpy(row.hash, &number, sizeof number);
    return row;
}

static bool same_row(const struct grant_row *a, const struct grant_row *b)
{
    bool same = str_eq(a->id, b->id) && memcmp(a->hash, b->hash, sizeof a->hash) == 0 &&
                str_eq(a->principal, b->principal) && a->server_count == b->server_count &&
                str_eq(a->policy, b->policy) && str_eq(a->label, b->label) &&
                a->created_ms == b->created_ms && a->expires_ms == b->expires_ms &&
                a->revoked_ms == b->revoked_ms;
    for (size_t i = 0; same && i < a->server_count; i++)
        same = str_eq(a->servers[i], b->servers[i]);
    return same;
}

static enum status find(struct store *store, const struct grant_row *want, struct arena *mem,
                        struct grant_row *row)
{
    return store->ops->grant_by_hash(store, want->hash, mem, row);
}

static void test_round_trip(void)
{
    char name[STORE_NAME_BYTES], aliases[GRANT_SERVERS_MAX][8];
    struct arena mem;
    struct grant_row row = make_row(1), got;
    struct store *store = open_fresh(name);
    arena_init(&mem, ARENA_BYTES);
    row.label = STR("\xF0\x9F\xA6\x8A label with 'quotes' and \"more\"\n");
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    CHECK(find(store, &row, &mem, &got) == ST_OK && same_row(&row, &got));

    struct grant_row wide = make_row(2);
    wide.label = STR("");
    wide.expires_ms = 0;
    wide.server_count = GRANT_SERVERS_MAX;
    for (size_t i = 0; i < GRANT_SERVERS_MAX; i++) {
        int n = snprintf(aliases[i], sizeof aliases[i], "s%zu", GRANT_SERVERS_MAX - i);
        wide.servers[i] = (Str){ aliases[i], (size_t)n };
    }
    CHECK(store->ops->grant_add(store, &wide) == ST_OK);
    CHECK(find(store, &wide, &mem, &got) == ST_OK && same_row(&wide, &got));
    store->ops->close(store);

    CHECK(stores_try(name, &store) == ST_OK); /* it survives */
    CHECK(find(store, &row, &mem, &got) == ST_OK && same_row(&row, &got));
    row.hash[31] ^= 1;
    CHECK(find(store, &row, &mem, &got) == ST_NOT_FOUND);
    store->ops->close(store);
    arena_reset(&mem);
}

static void test_conflicts(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem;
    struct grant_row *rows = NULL, first = make_row(1), same_id = make_row(2), same_hash;
    size_t count = 0;
    struct store *store = open_fresh(name);
    arena_init(&mem, ARENA_BYTES);
    same_id.id = first.id;
    same_hash = make_row(3);
    memcpy(same_hash.hash, first.hash, sizeof first.hash);
    CHECK(store->ops->grant_add(store, &first) == ST_OK);
    CHECK(store->ops->grant_add(store, &same_id) == ST_CONFLICT);
    CHECK(store->ops->grant_add(store, &same_hash) == ST_CONFLICT);
    CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_OK && count == 1);
    CHECK(count == 1 && same_row(&rows[0], &first));
    store->ops->close(store);
    arena_reset(&mem);
}

static void test_refused_rows(void)
{
    static char long_text[GRANT_TEXT_MAX + 1];
    char name[STORE_NAME_BYTES];
    struct grant_row bad[9];
    struct store *store = open_fresh(name);
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < COUNT(bad); i++)
        bad[i] = make_row((int)i);
    bad[0].id = STR("");
    bad[1].principal = STR("a\0b");
    bad[2].policy = STR("\xFF");
    bad[3].label = (Str){ long_text, sizeof long_text };
    bad[4].server_count = 0;
    bad[5].server_count = GRANT_SERVERS_MAX + 1;
    bad[6].servers[1] = STR("");
    bad[7].expires_ms = -1;
    bad[8].principal = STR("");
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(store->ops->grant_add(store, &bad[i]) == ST_INVALID, "row %zu", i);
    struct grant_row longest = make_row(20);
    longest.label = (Str){ long_text, GRANT_TEXT_MAX };
    CHECK(store->ops->grant_add(store, &longest) == ST_OK);
    store->ops->close(store);
}

static void test_list_order_and_limit(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem, tiny;
    struct grant_row *rows = NULL;
    size_t count = 9;
    struct store *store = open_fresh(name);
    arena_init(&mem, ARENA_BYTES);
    arena_init(&tiny, 512);
    CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_OK && count == 0);
    static const int order[] = { 3, 1, 5, 2, 4 };
    for (size_t i = 0; i < COUNT(order); i++) {
        struct grant_row row = make_row(order[i]);
        CHECK(store->ops->grant_add(store, &row) == ST_OK);
    }
    CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_OK && count == 5);
    for (size_t i = 0; i < count; i++)
        CHECK_ROW(rows[i].created_ms == 1001 + (int64_t)i && rows[i].server_count == 2, "%zu", i);
    CHECK(store->ops->grant_list(store, &tiny, &rows, &count) == ST_LIMIT);
    /* The failed listing left no transaction behind. */
    struct grant_row row = make_row(6), got;
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    arena_reset(&tiny);
    arena_init(&tiny, 8);
    CHECK(find(store, &row, &tiny, &got) == ST_LIMIT);
    store->ops->close(store);
    arena_reset(&mem);
    arena_reset(&tiny);
}

static void test_revoke(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem;
    struct grant_row row = make_row(1), got = row;
    struct grant_row epoch = make_row(2);
    struct store *store = open_fresh(name);
    arena_init(&mem, ARENA_BYTES);
    CHECK(store->ops->grant_revoke(store, row.id, 7) == ST_NOT_FOUND);
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    CHECK(store->ops->grant_revoke(store, STR("g_0"), 7) == ST_NOT_FOUND);
    CHECK(store->ops->grant_revoke(store, STR("' OR 1=1 --"), 7) == ST_NOT_FOUND);
    CHECK(find(store, &row, &mem, &got) == ST_OK && got.revoked_ms == 0);
    CHECK(store->ops->grant_revoke(store, row.id, 7) == ST_OK);
    CHECK(store->ops->grant_revoke(store, row.id, 9) == ST_OK);
    CHECK(find(store, &row, &mem, &got) == ST_OK && got.revoked_ms == 7);
    CHECK(store->ops->grant_add(store, &epoch) == ST_OK);
    CHECK(store->ops->grant_revoke(store, epoch.id, 0) == ST_OK); /* a wrong clock still revokes */
    CHECK(find(store, &epoch, &mem, &got) == ST_OK && got.revoked_ms != 0);
    store->ops->close(store);
    arena_reset(&mem);
}

/* Between processes, PostgreSQL's news takes a moment: store.h says how long. */
static bool hears_of(struct store *store, int64_t before, int64_t *after)
{
    int64_t until_ms = world_mono_ms() + (stores_are_pg() ? PG_TRUST_MS : 0);
    do {
        CHECK(store->ops->version(store, after) == ST_OK);
    } while (before == *after && world_mono_ms() <= until_ms);
    return before != *after;
}

static void test_two_connections(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem;
    struct grant_row row = make_row(1), got = row;
    struct store *a = open_fresh(name), *b = NULL;
    int64_t before = 0, after = 0;
    arena_init(&mem, ARENA_BYTES);
    CHECK(stores_try(name, &b) == ST_OK);
    CHECK(a->ops->version(a, &before) == ST_OK && a->ops->version(a, &after) == ST_OK);
    CHECK(before == after);
    CHECK(b->ops->grant_add(b, &row) == ST_OK);
    CHECK(hears_of(a, before, &after));
    CHECK(find(a, &row, &mem, &got) == ST_OK && same_row(&row, &got));
    before = after;
    CHECK(b->ops->grant_revoke(b, row.id, 77) == ST_OK);
    CHECK(hears_of(a, before, &after));
    CHECK(find(a, &row, &mem, &got) == ST_OK && got.revoked_ms == 77);
    before = after;
    struct grant_row own = make_row(2);
    CHECK(a->ops->grant_add(a, &own) == ST_OK);
    CHECK(hears_of(a, before, &after));
    a->ops->close(a);
    CHECK(find(b, &own, &mem, &got) == ST_OK); /* a's closing took no lock or file from b */
    CHECK(b->ops->grant_revoke(b, own.id, 78) == ST_OK);
    b->ops->close(b);
    arena_reset(&mem);
}

/* A child that adds grants as fast as it can, telling each number once it is reported as done. */
static void write_until_killed(const char *name, int pipe_fd)
{
    struct store *store = NULL;
    if (stores_try(name, &store) != ST_OK)
        _exit(1);
    for (int i = 0;; i++) {
        struct grant_row row = make_row(i);
        if (store->ops->grant_add(store, &row) != ST_OK)
            _exit(2);
        if (write(pipe_fd, &i, sizeof i) != (ssize_t)sizeof i)
            _exit(3);
    }
}

static int kill_after(pid_t child, int pipe_fd, int rounds)
{
    int last = -1, number = 0;
    while (read(pipe_fd, &number, sizeof number) == (ssize_t)sizeof number) {
        last = number;
        if (number == rounds)
            (void)kill(child, SIGKILL);
    }
    (void)waitpid(child, NULL, 0);
    return last;
}

static void test_killed_writer(void)
{
    for (int round = 0; round < 6; round++) {
        char name[STORE_NAME_BYTES];
        int pipes[2] = { -1, -1 };
        struct arena mem;
        struct store *store = open_fresh(name);
        arena_init(&mem, ARENA_BYTES);
        store->ops->close(store);
        ENSURE(pipe2(pipes, O_CLOEXEC) == 0);
        pid_t child = fork();
        if (child == 0)
            write_until_killed(name, pipes[1]);
        (void)close(pipes[1]);
        int last = kill_after(child, pipes[0], 3 + round * 7);
        (void)close(pipes[0]);
        CHECK(last >= 3);
        CHECK(stores_try(name, &store) == ST_OK);
        for (int i = 0; i <= last; i++) {
            struct grant_row row = make_row(i), got;
            CHECK_ROW(find(store, &row, &mem, &got) == ST_OK && same_row(&row, &got),
                      "grant %d of %d is lost", i, last);
        }
        store->ops->close(store);
        arena_reset(&mem);
    }
}

/* From here on: SQLite alone. */

static void exec_sql(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    ENSURE(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) ==
           SQLITE_OK);
    ENSURE(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK);
    ENSURE(sqlite3_close(db) == SQLITE_OK);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (unsigned)(info.st_mode & 07777) : 0;
}

static void test_permissions(void)
{
    static const mode_t umasks[] = { 0, 022, 0777 };
    struct store *store = NULL;
    for (size_t i = 0; i < COUNT(umasks); i++) {
        struct scratch_path path = scratch_path("mode"), wal = scratch_path("mode-wal");
        struct scratch_path shm = scratch_path("mode-shm");
        mode_t before = umask(umasks[i]);
        enum status status = store_open_sqlite(path.text, &store);
        (void)umask(before);
        CHECK(status == ST_OK);
        CHECK(mode_of(path.text) == 0600);
        CHECK(mode_of(wal.text) == 0600 && mode_of(shm.text) == 0600);
        store->ops->close(store);
        (void)unlink(path.text);
    }
    static const mode_t open_modes[] = { 0640, 0604, 0620, 0601 };
    struct scratch_path path = scratch_path("open");
    CHECK(store_open_sqlite(path.text, &store) == ST_OK);
    store->ops->close(store);
    for (size_t i = 0; i < COUNT(open_modes); i++) {
        CHECK(chmod(path.text, open_modes[i]) == 0);
        CHECK(store_open_sqlite(path.text, &store) == ST_DENIED);
    }
    struct scratch_path missing = scratch_path("no-such-folder/db");
    CHECK(store_open_sqlite(missing.text, &store) == ST_IO);
    CHECK(store_open_sqlite("/dev/null", &store) == ST_INVALID);
}

static void test_foreign_files(void)
{
    struct store *store = NULL;
    struct scratch_path path = scratch_path("newer");
    char was[64], is[64];
    CHECK(store_open_sqlite(path.text, &store) == ST_OK);
    store->ops->close(store);
    exec_sql(path.text, "PRAGMA user_version = 999");
    CHECK(store_open_sqlite(path.text, &store) == ST_UNSUPPORTED);
    exec_sql(path.text, "PRAGMA user_version = -1");
    CHECK(store_open_sqlite(path.text, &store) == ST_UNSUPPORTED);

    path = scratch_path("foreign");
    scratch_write(path.text, STR(""));
    exec_sql(path.text, "CREATE TABLE t (x)");
    CHECK(store_open_sqlite(path.text, &store) == ST_INVALID);

    path = scratch_path("text");
    scratch_write(path.text, STR("this is no database, and it is longer than nothing\n"));
    CHECK(store_open_sqlite(path.text, &store) == ST_INVALID);
    size_t n = scratch_read(path.text, is, sizeof is);
    (void)snprintf(was, sizeof was, "this is no database, and it is longer than nothing\n");
    CHECK_STR(((Str){ is, n }), str_of(was));
}

static void test_moved_file(void)
{
    struct store *store = NULL;
    int64_t version = 0;
    struct scratch_path path = scratch_path("here"), away = scratch_path("away");
    CHECK(store_open_sqlite(path.text, &store) == ST_OK);
    CHECK(store->ops->version(store, &version) == ST_OK);
    CHECK(rename(path.text, away.text) == 0);
    CHECK(store->ops->version(store, &version) == ST_IO);
    scratch_write(path.text, STR(""));
    CHECK(store->ops->version(store, &version) == ST_IO);
    store->ops->close(store);
}

/* A writer killed between BEGIN and COMMIT: its row is gone, and it blocks nobody. */
static void test_killed_in_transaction(void)
{
    struct scratch_path path = scratch_path("halfway");
    struct store *store = NULL;
    struct arena mem;
    struct grant_row row = make_row(1), got, *rows = NULL;
    size_t count = 0;
    int pipes[2] = { -1, -1 };
    arena_init(&mem, ARENA_BYTES);
    CHECK(store_open_sqlite(path.text, &store) == ST_OK);
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    store->ops->close(store);
    ENSURE(pipe2(pipes, O_CLOEXEC) == 0);
    pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;
        bool is_ok = sqlite3_open(path.text, &db) == SQLITE_OK &&
                     sqlite3_exec(db,
                                  "PRAGMA cache_size = 1; BEGIN IMMEDIATE; UPDATE grants SET "
                                  "revoked_ms = 5, label = hex(zeroblob(100000))",
                                  NULL, NULL, NULL) == SQLITE_OK;
        (void)!write(pipes[1], is_ok ? "y" : "n", 1);
        for (;;)
            (void)pause();
    }
    char answer = 0;
    CHECK(read(pipes[0], &answer, 1) == 1 && answer == 'y');
    (void)kill(child, SIGKILL);
    (void)waitpid(child, NULL, 0);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    CHECK(store_open_sqlite(path.text, &store) == ST_OK);
    CHECK(find(store, &row, &mem, &got) == ST_OK && same_row(&row, &got));
    struct grant_row next = make_row(2);
    CHECK(store->ops->grant_add(store, &next) == ST_OK);
    CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_OK && count == 2);
    store->ops->close(store);
    arena_reset(&mem);
}

/* Several processes that all find no file yet: one makes it, one migrates it, all can use it. */
static void test_opened_at_once(void)
{
    enum { PROCESSES = 6 };
    for (int round = 0; round < 5; round++) {
        char name[STORE_NAME_BYTES], where[STORE_URL_BYTES];
        pid_t children[PROCESSES];
        stores_new_name(name);
        stores_where(name, where);
        for (int i = 0; i < PROCESSES; i++) {
            children[i] = fork();
            if (children[i] != 0)
                continue;
            struct store *store = NULL;
            struct grant_row row = make_row(i);
            bool is_ok =
                store_open(where, &store) == ST_OK && store->ops->grant_add(store, &row) == ST_OK;
            _exit(is_ok ? 0 : 1);
        }
        for (int i = 0; i < PROCESSES; i++) {
            int code = 1;
            CHECK(waitpid(children[i], &code, 0) == children[i] && code == 0);
        }
        struct store *store = NULL;
        struct arena mem;
        struct grant_row *rows = NULL;
        size_t count = 0;
        arena_init(&mem, ARENA_BYTES);
        CHECK(store_open(where, &store) == ST_OK);
        CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_OK && count == PROCESSES);
        store->ops->close(store);
        arena_reset(&mem);
    }
}

/* Rows that break our rules, as only another program could have written them. */
static void test_tampered_rows(void)
{
    char name[STORE_NAME_BYTES];
    struct arena mem;
    struct grant_row row = make_row(1), got, *rows = NULL;
    size_t count = 0;
    struct store *store = open_fresh(name);
    arena_init(&mem, ARENA_BYTES);
    CHECK(store->ops->grant_add(store, &row) == ST_OK);
    stores_sql(name, "UPDATE grants SET principal = ''");
    CHECK(find(store, &row, &mem, &got) == ST_INVALID);
    if (!stores_are_pg()) { /* PostgreSQL can't hold it */
        stores_sql(name, "UPDATE grants SET principal = CAST(x'FF' AS TEXT)");
        CHECK(find(store, &row, &mem, &got) == ST_INVALID);
    }
    CHECK(store->ops->grant_list(store, &mem, &rows, &count) == ST_INVALID);
    stores_sql(name, "UPDATE grants SET principal = 'ok'; WITH RECURSIVE n(i) AS (SELECT 2 "
                     "UNION ALL SELECT i + 1 FROM n WHERE i < 70) INSERT INTO grant_servers "
                     "SELECT 1, i, 's' || i FROM n");
    CHECK(find(store, &row, &mem, &got) == ST_INVALID);
    stores_sql(name, "DELETE FROM grant_servers");
    CHECK(find(store, &row, &mem, &got) == ST_NOT_FOUND);
    store->ops->close(store);
    arena_reset(&mem);
}

/* The highest version counts, is there after a restart, and belongs to one name alone. */
static void test_policy_versions(void)
{
    char name[STORE_NAME_BYTES];
    struct store *store = open_fresh(name);
    uint32_t version = 7;
    CHECK(store->ops->policy_version(store, STR("p"), &version) == ST_OK && version == 0);
    CHECK(store->ops->policy_raise(store, STR("p"), 3) == ST_OK);
    CHECK(store->ops->policy_raise(store, STR("p"), 2) == ST_OK);
    CHECK(store->ops->policy_raise(store, STR("q"), UINT32_MAX) == ST_OK);
    store->ops->close(store);
    ENSURE(stores_try(name, &store) == ST_OK);
    CHECK(store->ops->policy_version(store, STR("p"), &version) == ST_OK && version == 3);
    CHECK(store->ops->policy_version(store, STR("q"), &version) == ST_OK && version == UINT32_MAX);
    CHECK(store->ops->policy_version(store, STR("P"), &version) == ST_OK && version == 0);
    CHECK(store->ops->policy_raise(store, STR(""), 1) == ST_INVALID);
    CHECK(store->ops->policy_raise(store, STR("a\0b"), 1) == ST_INVALID);
    CHECK(store->ops->policy_version(store, STR("\xFF"), &version) == ST_INVALID);
    store->ops->close(store);
}

int main(void)
{
    log_set_level(LOG_OFF); /* refusals are provoked on purpose here */
    RUN(test_round_trip);
    RUN(test_conflicts);
    RUN(test_refused_rows);
    RUN(test_list_order_and_limit);
    RUN(test_revoke);
    RUN(test_two_connections);
    RUN(test_killed_writer);
    RUN(test_policy_versions);
    RUN(test_opened_at_once);
    RUN(test_tampered_rows);
    if (stores_are_pg())
        return check_finish();
    RUN(test_permissions);
    RUN(test_foreign_files);
    RUN(test_moved_file);
    RUN(test_killed_in_transaction);
    return check_finish();
}
