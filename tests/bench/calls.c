/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - calls as an agent makes them: mostly reading, then issues, branches, files, mail.
 *
 * A template's "$x" is replaced by one of the values behind that letter; most of them are what the
 * policy lets through, some are what it is there to stop. A text argument ("$x") or else the trace
 * state of the envelope fills the message up to its size.
 */
#include "tests/bench/calls.h"

enum { VALUES_MAX = 8, MESSAGE_LIMIT = 4096 };

struct template
{
    const char *tool;
    const char *arguments;
};

#define REPO "\"owner\":\"$o\",\"repo\":\"$r\""

static const struct template templates[] = {
    { "list_issues", "{" REPO ",\"state\":\"open\",\"page\":$n}" },
    { "list_issues", "{" REPO ",\"perPage\":50}" },
    { "list_pulls", "{" REPO ",\"state\":\"open\"}" },
    { "list_commits", "{" REPO ",\"page\":2}" },
    { "get_issue", "{" REPO ",\"number\":$n}" },
    { "get_issue", "{" REPO ",\"number\":$n}" },
    { "get_pull_diff", "{" REPO ",\"number\":$n}" },
    { "get_file", "{" REPO ",\"path\":\"$p\",\"ref\":\"main\"}" },
    { "get_file", "{" REPO ",\"path\":\"$p\"}" },
    { "get_run_logs", "{" REPO ",\"number\":$n}" },
    { "search_code", "{\"query\":\"$s\",\"page\":1,\"perPage\":30}" },
    { "search_issues", "{\"query\":\"$s\",\"sort\":\"updated\",\"order\":\"desc\"}" },
    { "create_issue", "{" REPO ",\"title\":\"$t\",\"body\":\"$x\",\"labels\":[\"bug\",\"ui\"]}" },
    { "update_issue", "{" REPO ",\"number\":$n,\"title\":\"$t\",\"body\":\"$x\"}" },
    { "add_issue_comment", "{" REPO ",\"number\":$n,\"body\":\"$x\"}" },
    { "close_issue", "{" REPO ",\"number\":$n,\"reason\":\"completed\"}" },
    { "add_issue_labels", "{" REPO ",\"number\":$n,\"labels\":[\"bug\",\"$k\"]}" },
    { "assign_issue", "{" REPO ",\"number\":$n,\"assignees\":[\"dev-1\",\"dev-2\"]}" },
    { "create_pull", "{" REPO ",\"head\":\"$b\",\"base\":\"main\",\"title\":\"$t\"}" },
    { "review_pull", "{" REPO ",\"number\":$n,\"event\":\"$e\"}" },
    { "merge_pull", "{" REPO ",\"number\":$n,\"method\":\"$j\"}" },
    { "create_branch", "{" REPO ",\"branch\":\"$b\",\"from\":\"main\"}" },
    { "delete_branch", "{" REPO ",\"branch\":\"$b\"}" },
    { "create_or_update_file", "{" REPO ",\"branch\":\"$b\",\"path\":\"$p\",\"content\":\"$x\","
                               "\"message\":\"$t\"}" },
    { "create_release", "{" REPO ",\"tag\":\"$v\",\"title\":\"$t\"}" },
    { "run_workflow", "{" REPO ",\"workflow\":\"$w\",\"ref\":\"$b\"}" },
    { "read_file", "{\"path\":\"$f\"}" },
    { "read_file", "{\"path\":\"$f\",\"head\":200}" },
    { "list_directory", "{\"path\":\"$f\"}" },
    { "write_file", "{\"path\":\"$d\",\"content\":\"$x\"}" },
    { "edit_file", "{\"path\":\"$d\",\"edits\":[{\"oldText\":\"$t\",\"newText\":\"$t.\"}]}" },
    { "move_file", "{\"source\":\"$f\",\"destination\":\"$d\"}" },
    { "query", "{\"sql\":\"$q\",\"database\":\"staging\",\"limit\":100}" },
    { "query", "{\"sql\":\"$q\",\"limit\":$n}" },
    { "update_rows", "{\"table\":\"$k\",\"where\":\"id = $n\",\"database\":\"staging\"}" },
    { "fetch", "{\"url\":\"$u\"}" },
    { "fetch", "{\"url\":\"$u\",\"method\":\"GET\",\"maxBytes\":100000}" },
    { "send_email", "{\"to\":\"$m\",\"subject\":\"$t\",\"body\":\"$x\"}" },
    { "post_message", "{\"channel\":\"$c\",\"text\":\"$x\"}" },
    { "create_refund", "{\"payment\":\"pay_82H1\",\"amount\":$a,\"currency\":\"$y\"}" },
};

/* By letter; the row's end is the first NULL. */
static const char *const values[26][VALUES_MAX] = {
    ['a' - 'a'] = { "12.50", "49.99", "20", "250.00" },
    ['b' - 'a'] = { "feature/login-form", "fix/null-check", "chore/bump-2-1", "feature/search",
                    "main", "release/2.1" },
    ['c' - 'a'] = { "eng", "support", "releases", "board" },
    ['d' - 'a'] = { "/srv/work/drafts/plan.md", "/srv/work/drafts/notes/a.txt",
                    "/srv/work/drafts/../../etc/passwd", "/srv/work/src/main.c" },
    ['e' - 'a'] = { "COMMENT", "REQUEST_CHANGES", "APPROVE" },
    ['f' - 'a'] = { "/srv/work/src/net/loop.c", "/srv/work/README.md",
                    "/srv/work/docs/api/calls.md", "/srv/work/.env", "/etc/shadow" },
    ['j' - 'a'] = { "squash", "squash", "merge" },
    ['k' - 'a'] = { "orders", "invoices", "tickets", "salaries" },
    ['m' - 'a'] = { "mira@acme.com", "support@acme.com", "someone@elsewhere.net" },
    ['o' - 'a'] = { "acme", "acme", "acme", "acme", "acme", "rivals" },
    ['p' - 'a'] = { "src/app/login.ts", "docs/setup.md", "lib/queue/worker.ts", "deploy/.env",
                    ".github/workflows/test.yml" },
    ['q' - 'a'] = { "select id, total from orders where customer = 17 order by id",
                    "select count(*) from tickets", "select name from products where stock < 5",
                    "select 1; drop table orders", "update orders set total = 0" },
    ['r' - 'a'] = { "web", "api", "docs", "mobile", "infra", "billing", "unlisted" },
    ['s' - 'a'] = { "login form error repo:acme/web", "path:src language:c retry",
                    "is:open label:bug author:dev-1",
                    "a very long query that somebody wrote to get all that there is in one go, "
                    "whatever it takes" },
    ['t' - 'a'] = { "Login form loses its state", "Retry with backoff", "Bump the parser",
                    "WIP something" },
    ['u' - 'a'] = { "https://docs.acme.com/guide/setup", "https://api.example.org/v1/items",
                    "https://www.example.com/", "http://169.254.169.254/latest/meta-data",
                    "https://elsewhere.net/x" },
    ['v' - 'a'] = { "v1.4.0", "v2.0.0-rc.1", "nightly" },
    ['w' - 'a'] = { "test.yml", "lint.yml", "deploy.yml" },
    ['y' - 'a'] = { "usd", "eur", "gbp" },
};

static const char filler[] =
    "When the form is sent twice the second answer wins and the page shows the first. Seen on "
    "two machines since Monday; a reload helps. Steps: open the page, press the button, wait, "
    "press it again. Expected: one request, one answer, and a message in between. ";

static const char leaked[] = "token ghp_Zk81mQ0vLw2xTb7 ";

uint32_t bench_random(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)((*state >> 32) % below);
}

static void add_value(struct buf *out, char letter, uint64_t *random)
{
    if (letter == 'n') {
        buf_printf(out, "%u", 1 + bench_random(random, 1500));
        return;
    }
    const char *const *row = values[letter - 'a'];
    uint32_t count = 0;
    while (count < VALUES_MAX && row[count])
        count++;
    ENSURE(count > 0);
    buf_add(out, str_of(row[bench_random(random, count)]));
}

/* The arguments; *hole becomes where the text argument stands, if there is one. */
static void add_arguments(struct buf *out, const char *template, uint64_t *random, size_t *hole)
{
    for (const char *at = template; *at; at++) {
        if (*at != '$') {
            buf_add_char(out, *at);
        } else if (*++at == 'x') {
            *hole = out->n;
            if (bench_random(random, 8) == 0)
                buf_add(out, str_of(leaked));
        } else {
            add_value(out, *at, random);
        }
    }
}

static void fill(struct buf *out, size_t hole, struct buf *spare)
{
    size_t missing = out->n < CALL_BYTES ? CALL_BYTES - out->n : 0;
    buf_clear(spare);
    buf_add(spare, str_sub(buf_str(out), hole, out->n));
    out->n = hole;
    for (size_t part; missing; missing -= part) {
        part = missing < sizeof filler - 1 ? missing : sizeof filler - 1;
        buf_add(out, (Str){ .p = filler, .n = part });
    }
    buf_add(out, buf_str(spare));
}

static void write_message(struct buf *out, uint64_t *random, struct buf *spare)
{
    static const char envelope[] =
        ",\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
        "\"io.modelcontextprotocol/clientCapabilities\":{},"
        "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"bench\",\"version\":\"1\"}";
    const struct template *t = &templates[bench_random(random, COUNT(templates))];
    size_t hole = 0;
    buf_clear(out);
    buf_printf(out,
               "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"tools/call\","
               "\"params\":{\"name\":\"%s\",\"arguments\":",
               1 + bench_random(random, 100000), t->tool);
    add_arguments(out, t->arguments, random, &hole);
    buf_add(out, str_of(envelope));
    if (!hole) {
        buf_add(out, STR(",\"tracestate\":\""));
        hole = out->n;
        buf_add(out, STR("\""));
    }
    buf_add(out, STR("}}}"));
    fill(out, hole, spare);
}

static bool give_caller(struct arena *mem, enum growth growth, uint32_t copy, uint64_t *random,
                        struct bench_call *call)
{
    static const char *const roles[] = { "eng", "maintainers", "finance", "admins" };
    uint32_t server = growth == GROWTH_SERVERS ? copy : 0;
    uint32_t team = growth == GROWTH_TEAMS ? copy : 0;
    call->server = arena_printf(mem, "s%u", server);
    call->groups[0] = STR("everybody");
    call->groups[1] = str_of(roles[bench_random(random, COUNT(roles))]);
    call->groups[2] = arena_printf(mem, "team-%u", team);
    call->principal = (struct principal){ .id = STR("agent-7"),
                                          .groups = call->groups,
                                          .group_count = CALL_GROUPS };
    return call->server.p && call->groups[2].p;
}

bool calls_make(struct arena *mem, enum growth growth, uint32_t copies, size_t count,
                struct bench_call *out)
{
    uint64_t random = UINT64_C(0x9E3779B97F4A7C15), copy_random = UINT64_C(0xD1B54A32D192ED03);
    struct buf text, spare;
    bool is_whole = true;
    buf_init(&text, MESSAGE_LIMIT);
    buf_init(&spare, MESSAGE_LIMIT);
    for (size_t i = 0; i < count && is_whole; i++) {
        write_message(&text, &random, &spare);
        out[i].text = arena_copy(mem, buf_str(&text));
        is_whole = give_caller(mem, growth, bench_random(&copy_random, copies), &random, &out[i]) &&
                   out[i].text.p && !text.is_full && !spare.is_full;
    }
    buf_free(&text);
    buf_free(&spare);
    return is_whole;
}
