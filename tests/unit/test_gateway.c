/* SPDX-License-Identifier: Apache-2.0 */
/* test_gateway.c - the client's side: sessions, verdicts, what is forwarded and what is answered,
 * with a faked server behind it. Rows R*, S* and "row N" name defects seen elsewhere. */
#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "tests/unit/gateway_rig.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static void a_denied_call_reaches_nobody(void)
{
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    static const struct {
        const char *body, *text;
    } rows[] = {
        { CALL("1", "{\"name\":\"get_secret\"}"), "\"cause\":\"rule\"" },
        { CALL("1", "{\"name\":\"other\"}"), "\"cause\":\"default\"" },
        { CALL("1", "{\"name\":\"put\",\"arguments\":{\"n\":5}}"), "\"cause\":\"default\"" },
        { CALL("1", "{\"name\":\"put\",\"arguments\":{\"n\":9007199254740993}}"), "-32602" },
        { CALL("1", "{\"name\":\"get x\"}"), "\"cause\":\"unknown_tool\"" },
        { CALL("1", "{\"name\":\"\"}"), "\"cause\":\"unknown_tool\"" },
        { CALL("1", "{\"name\":5}"), "-32602" },
        { CALL("1", "{}"), "-32602" },
        { CALL("1", "{\"name\":\"get_x\",\"arguments\":[]}"), "-32602" },
        { CALL("1", "{\"name\":\"get_x\",\"arguments\":null}"), "-32602" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}", "-32602" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"resources/subscribe\"}", "-32602" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tasks/result\"}", "-32601" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"Tools/call\"}", "-32601" },
        { "[" GET_X("1") "]", "-32600" },
        { "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}", "-32600" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct call *call = say(&rig, &rig.dev, session.session, rows[i].body, &got);
        CHECK_ROW(!call && got.count == 1 && got_has(&got, rows[i].text), "row %zu: %s", i,
                  got.body);
    }
    CHECK(sent_count == 0);
    CHECK(audit_lines(&rig, "\"cause\":\"not_governed\"") == 2);
    CHECK(audit_lines(&rig, "\"method\":\"tools/call\"") == 6);
    rig_close(&rig);
}

static void a_denial_says_why(void)
{
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    (void)say(&rig, &rig.dev, session.session, CALL("7", "{\"name\":\"get_secret\"}"), &got);
    CHECK(got.status == 200 && got_has(&got, "\"id\":7") && got_has(&got, "\"isError\":true"));
    CHECK(got_has(&got, "Denied by policy \\\"rig\\\": never \\\"this\\\" [rig.pol:7]"));
    CHECK(got_has(&got, "\"source\":\"rig.pol:7\"") && !got_has(&got, "resultType"));
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    CHECK(got.status == 200 && got_has(&got, "\"resultType\":\"complete\""));
    rig_close(&rig);
}

/* No line in the log: no call. */
static void an_unrecorded_call_is_not_made(void)
{
    struct rig rig;
    struct got got;
    rig_open_with(&rig, &rig_limits, "/dev/full");
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got_has(&got, "-32603") && got_has(&got, "recorded") && sent_count == 0);
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    CHECK(got_has(&got, "-32603") && sent_count == 0);
    (void)say_modern(&rig, &rig.dev, "prompts/list", NULL, "", &got);
    CHECK(got_has(&got, "-32603"));
    rig_close(&rig);
}

static void a_policy_that_never_loaded_denies(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    rig.dev.policy = STR("/nonexistent.polb");
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got_has(&got, "\"isError\":true") && got_has(&got, "not loaded"));
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    CHECK(got_has(&got, "-32603") && sent_count == 0);
    CHECK(audit_lines(&rig, "\"verdict\":\"deny\"") == 2);
    rig_close(&rig);
}

static void a_bad_new_policy_leaves_the_old_one(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    CHECK(got_has(&got, "never"));
    scratch_write(rig.policy.text, STR("not a bundle"));
    gateway_reload(rig.gateway);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    CHECK(got_has(&got, "never"));
    write_policy(&rig, "policy \"rig\" version 2;\nserver \"web\";\ndefault deny;\n"
                       "deny tool \"get_secret\" reason \"the second one\";\n");
    gateway_reload(rig.gateway);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    CHECK(got_has(&got, "the second one"));
    rig_close(&rig);
}

/* How many lines of the log, from here until log_heard, hold the text. */
static int log_hear(const struct scratch_path *path)
{
    int before = dup(STDERR_FILENO);
    int file = open(path->text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ENSURE(before >= 0 && file >= 0 && dup2(file, STDERR_FILENO) >= 0);
    (void)close(file);
    log_set_level(LOG_INFO);
    return before;
}

static size_t log_heard(const struct scratch_path *path, int before, const char *text)
{
    static char bytes[TEXT_MAX];
    size_t count = 0;
    ENSURE(dup2(before, STDERR_FILENO) >= 0);
    (void)close(before);
    log_set_level(LOG_OFF);
    bytes[scratch_read(path->text, bytes, sizeof bytes - 1)] = '\0';
    for (const char *at = bytes; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* A file that is gone is news once, however often it is looked for. */
static void a_missing_policy_is_logged_once(void)
{
    struct rig rig;
    struct got got;
    struct scratch_path log = scratch_path("log");
    rig_open(&rig);
    struct caller stray = rig.dev;
    stray.policy = STR("/nonexistent.polb");
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    int before = log_hear(&log);
    (void)say_modern(&rig, &stray, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    (void)remove(rig.policy.text);
    for (int i = 0; i < 5; i++)
        gateway_reload(rig.gateway);
    CHECK(log_heard(&log, before, "policy file is gone") == 2);
    write_policy(&rig, policy_text);
    gateway_reload(rig.gateway);
    (void)remove(rig.policy.text);
    before = log_hear(&log);
    for (int i = 0; i < 5; i++)
        gateway_reload(rig.gateway);
    CHECK(log_heard(&log, before, "policy file is gone") == 1); /* it had come back */
    rig_close(&rig);
}

/* The one size limit that a transport without a length in front can't enforce before. */
static void a_body_over_the_limit_is_too_large(void)
{
    struct rig rig;
    struct got got;
    struct gateway_limits limits = rig_limits;
    limits.max_body_bytes = 64;
    rig_open_with(&rig, &limits, NULL);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got.status == 413 && got_has(&got, "longer than the limit"));
    rig_close(&rig);
}

/* R5, row 14, row 20: judged bytes are forwarded bytes, and nothing else of the message is. */
static void what_is_forwarded(void)
{
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    struct call *call =
        say(&rig, &rig.dev, session.session,
            CALL("\"my-id\"", "{\"task\":{\"ttl\":1},\"name\":\"\\u0070ut\",\"_meta\":{"
                              "\"progressToken\":\"my-token\",\"x\":1},\"extra\":1,"
                              "\"arguments\":{ \"n\" : 6.50,\"s\":\"\\u00e9\",\"big\":1E2}}"),
            &got);
    CHECK(call && got.count == 0);
    be_legacy(&rig, 0, "up-1");
    CHECK(sent_has(3, "\"params\":{\"name\":\"put\",\"arguments\":"
                      "{ \"n\" : 6.50,\"s\":\"\\u00e9\",\"big\":1E2},"
                      "\"_meta\":{\"progressToken\":"));
    CHECK(sent_has(3, "Mcp-Session-Id: up-1\n") && sent_has(3, "MCP-Protocol-Version: 2025-11-25"));
    CHECK(!sent_has(3, "my-") && !sent_has(3, "task") && !sent_has(3, session.session));
    CHECK(audit_lines(&rig, "\"argument_keys\":[\"big\",\"n\",\"s\"]") == 1);
    answer_json(3, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[ 1.0 ],\"x\":null,"
                   "\"_meta\":{\"mcpd/decision\":{\"verdict\":\"allow\"},\"k\":1}}}");
    CHECK_STR(str_of(got.body), STR("{\"jsonrpc\":\"2.0\",\"id\":\"my-id\",\"result\":{\"content\":"
                                    "[ 1.0 ],\"x\":null,\"_meta\":{\"k\":1}}}"));
    CHECK(got.count == 1 && got.status == 200 && got.session[0] == '\0');
    rig_close(&rig);
}

static void absent_arguments_stay_absent(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_modern(&rig, 0);
    CHECK(!sent_has(1, "\"arguments\""));
    CHECK(sent_has(1, "\"io.modelcontextprotocol/clientCapabilities\":{}") &&
          !sent_has(1, "sampling"));
    CHECK(sent_has(1, "Mcp-Method: tools/call\n") && sent_has(1, "Mcp-Name: get_x\n") &&
          sent_has(1, "MCP-Protocol-Version: 2026-07-28\n"));
    rig_close(&rig);
}

static const char tools_page[] =
    "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"_meta\":{\"k\":[1]},\"ttlMs\":9,"
    "\"cacheScope\":\"public\",\"tools\":["
    "{\"name\":\"get_b\",\"x\":{ \"keep\":1}},{\"name\":\"hidden\"},{\"name\":\"get_secret\"},"
    "{\"name\":\"put\"},{\"name\":\"get b\"},{\"nome\":1},7,{\"name\":\"get_b\",\"second\":1}]"
    ",\"nextCursor\":\"c\\\"1\",\"resultType\":\"complete\"}}";

/* S4, S5, D5: filtered by the same program, the rest verbatim, never to be shared. */
static void the_list_is_this_grants(void)
{
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    (void)say(&rig, &rig.dev, session.session,
              "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}", &got);
    be_legacy(&rig, 0, NULL);
    answer_json(3, tools_page);
    turn(&rig);
    CHECK(sent_has(4, "\"params\":{\"cursor\":\"c\\\"1\"}"));
    answer_json(4, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[{\"name\":\"get_a\"}],"
                   "\"y\":1}}");
    CHECK_STR(str_of(got.body),
              STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"_meta\":{\"k\":[1]},\"tools\":["
                  "{\"name\":\"get_b\",\"x\":{ \"keep\":1}},{\"name\":\"put\"},"
                  "{\"name\":\"get_a\"}]}}"));
    CHECK(audit_lines(&rig, "\"method\":\"tools/list\"") == 1);
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    answer_json(5, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[]}}");
    CHECK(got_has(&got, "\"tools\":[],\"resultType\":\"complete\",\"ttlMs\":0,"
                        "\"cacheScope\":\"private\""));
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "\"cursor\":\"x\"", &got);
    CHECK(got_has(&got, "-32602") && sent_count == 6);
    rig_close(&rig);
}

static void a_list_without_end_is_refused(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    be_modern(&rig, 0);
    while (got.count == 0 && sent_count < SENT_MAX) {
        size_t last = sent_count - 1;
        answer_json(last, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[],"
                          "\"nextCursor\":\"again\"}}");
        turn(&rig);
    }
    CHECK(got.count == 1 && got_has(&got, "too many pages"));
    CHECK(sent_count == 1 + rig_limits.max_list_pages);
    rig_close(&rig);
}

static void wait_ms(struct rig *rig, int ms)
{
    for (int64_t until = world_mono_ms() + ms; world_mono_ms() < until;) {
        struct timespec pause = { .tv_nsec = 5000000 };
        (void)nanosleep(&pause, NULL);
        turn(rig);
    }
}

/* Each page comes in time, all together don't: one deadline for the whole, also while a page is
 * waited for. */
static void a_list_has_one_deadline(void)
{
    for (int is_silent = 0; is_silent < 2; is_silent++) {
        struct rig rig;
        struct got got;
        struct gateway_limits limits = rig_limits;
        limits.list_timeout_ms = 200;
        rig_open_with(&rig, &limits, NULL);
        int64_t start = world_mono_ms();
        (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
        be_modern(&rig, 0);
        while (got.count == 0 && world_mono_ms() < start + 2000) {
            if (!is_silent)
                answer_json(sent_count - 1, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":"
                                            "{\"tools\":[],\"nextCursor\":\"again\"}}");
            wait_ms(&rig, 30);
        }
        CHECK(got.count == 1 && got_has(&got, "in time"));
        CHECK(world_mono_ms() < start + 1000);
        rig_close(&rig);
    }
}

/* Every result of the stateless era names the server, and only we say which. */
static void results_name_the_server(void)
{
    static const char ours[] = "\"io.modelcontextprotocol/serverInfo\":{\"name\":\"mcpd/web\"";
    static const char theirs[] =
        "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[],\"content\":[],\"_meta\":{\"k\":1,"
        "\"mcpd/decision\":{},\"io.modelcontextprotocol/serverInfo\":{\"name\":\"evil\"}}}}";
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "server/discover", NULL, "", &got);
    CHECK(got_has(&got, ours));
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_secret", "\"name\":\"get_secret\"", &got);
    CHECK(got_has(&got, ours) && got_has(&got, "mcpd/decision"));
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_modern(&rig, 0);
    answer_json(1, theirs);
    CHECK(got_has(&got, ours) && got_has(&got, "\"k\":1") && !got_has(&got, "evil"));
    CHECK(!got_has(&got, "mcpd/decision"));
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    answer_json(2, theirs);
    CHECK(got_has(&got, ours) && got_has(&got, "\"k\":1") && !got_has(&got, "evil"));
    greet(&rig, &rig.dev, &session);
    (void)say(&rig, &rig.dev, session.session, GET_X("1"), &got);
    answer_json(3, theirs);
    CHECK(got_has(&got, "\"_meta\":{\"k\":1}") && !got_has(&got, "serverInfo"));
    rig_close(&rig);
}

/* Row 28, S8: a session is good for its grant and its server only. */
static void sessions_are_bound(void)
{
    struct rig rig;
    struct got session, got;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    CHECK(got_has(&session, "\"protocolVersion\":\"2025-06-18\""));
    const char *ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    (void)say(&rig, &rig.dev, session.session, ping, &got);
    CHECK(got.status == 200 && got_has(&got, "\"result\":{}"));
    (void)say(&rig, &rig.ops, session.session, ping, &got);
    CHECK(got.status == 404);
    struct caller elsewhere = rig.dev;
    elsewhere.server = gateway_server(rig.gateway, STR("cmd"));
    (void)say(&rig, &elsewhere, session.session, ping, &got);
    CHECK(got.status == 404);
    (void)say(&rig, &rig.dev, NULL, ping, &got);
    CHECK(got.status == 400);
    CHECK(!gateway_end_session(rig.gateway, &rig.ops, str_of(session.session)));
    CHECK(gateway_end_session(rig.gateway, &rig.dev, str_of(session.session)));
    (void)say(&rig, &rig.dev, session.session, ping, &got);
    CHECK(got.status == 404);
    rig_close(&rig);
}

static void the_oldest_session_makes_room(void)
{
    struct gateway_limits limits = rig_limits;
    limits.max_sessions_per_grant = 2;
    struct rig rig;
    struct got session[3], other, got;
    rig_open_with(&rig, &limits, NULL);
    greet(&rig, &rig.ops, &other);
    for (size_t i = 0; i < COUNT(session); i++)
        greet(&rig, &rig.dev, &session[i]);
    const char *ping = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}";
    int alive = 0;
    for (size_t i = 0; i < COUNT(session); i++) {
        (void)say(&rig, &rig.dev, session[i].session, ping, &got);
        alive += got.status == 200;
    }
    CHECK(alive == 2 && got.status == 200);
    (void)say(&rig, &rig.ops, other.session, ping, &got);
    CHECK(got.status == 200);
    rig_close(&rig);
}

static void ids_in_flight_differ(void)
{
    struct rig rig;
    struct got session, first, second, third;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    CHECK(say(&rig, &rig.dev, session.session, GET_X("5"), &first) != NULL);
    CHECK(say(&rig, &rig.dev, session.session, GET_X("5"), &second) == NULL);
    CHECK(got_has(&second, "-32600"));
    CHECK(say(&rig, &rig.dev, session.session, GET_X("\"5\""), &third) != NULL);
    rig_close(&rig);
    CHECK(first.count == 1 && third.count == 1);
}

static void a_cancelled_call_is_cancelled(void)
{
    struct rig rig;
    struct got session, got, note;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session);
    (void)say(&rig, &rig.dev, session.session, GET_X("5"), &got);
    be_legacy(&rig, 0, "s");
    const char *cancel = "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                         "\"params\":{\"requestId\":5}}";
    (void)say(&rig, &rig.dev, session.session, cancel, &note);
    CHECK(note.status == 202 && got.count == 1 && got.body[0] == '\0');
    CHECK(sent[3].is_cancelled && sent_has(4, "notifications/cancelled"));
    Str id = sent_id(3);
    CHECK(str_contains(sent_body(4), id));
    (void)say(&rig, &rig.dev, session.session, cancel, &note);
    CHECK(note.status == 202 && got.count == 1);
    rig_close(&rig);
}

static void an_abandoned_call_is_cancelled(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    struct call *call =
        say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_modern(&rig, 0);
    CHECK(call && sent_count == 2);
    call_abandon(call);
    turn(&rig);
    CHECK(sent[1].is_cancelled && sent_count == 2 && got.count == 0);
    rig_close(&rig);
    CHECK(got.count == 0);
}

/* To a legacy server of a legacy client, whose disconnect is no wish of its. */
static void an_abandoned_call_of_the_legacy_era_goes_on(void)
{
    for (int is_answered = 0; is_answered < 2; is_answered++) {
        struct rig rig;
        struct got session, got, other;
        rig_open(&rig);
        greet(&rig, &rig.dev, &session);
        struct call *call = say(&rig, &rig.dev, session.session, GET_X("7"), &got);
        be_legacy(&rig, 0, "s");
        CHECK(call && sent_count == 4);
        call_abandon(call);
        turn(&rig);
        CHECK(!sent[3].is_cancelled && sent_count == 4 && !gateway_is_idle(rig.gateway));
        if (is_answered)
            answer_json(3, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}");
        else
            (void)say(&rig, &rig.dev, session.session,
                      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
                      "{\"requestId\":7}}",
                      &other);
        CHECK(sent[3].is_cancelled == !is_answered && gateway_is_idle(rig.gateway));
        rig_close(&rig);
        CHECK(got.count == 0);
    }
}

static void calls_of_a_grant_are_counted(void)
{
    struct gateway_limits limits = rig_limits;
    limits.max_calls_per_grant = 2;
    struct rig rig;
    static struct got got[4];
    rig_open_with(&rig, &limits, NULL);
    for (size_t i = 0; i < 3; i++)
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got[i]);
    CHECK(got[0].count == 0 && got[1].count == 0 && got_has(&got[2], "too many"));
    CHECK(say_modern(&rig, &rig.ops, "tools/call", "get_x", "\"name\":\"get_x\"", &got[3]));
    rig_close(&rig);
}

/* Row 10 and 1.2: mixtures are refused. */
static void eras_do_not_mix(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "initialize", NULL, "", &got);
    CHECK(got.status == 404 && got_has(&got, "-32601"));
    (void)say_modern(&rig, &rig.dev, "ping", NULL, "", &got);
    CHECK(got.status == 404);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_y", "\"name\":\"get_x\"", &got);
    CHECK(got.status == 400 && got_has(&got, "-32020"));
    (void)say_modern(&rig, &rig.dev, "tools/call", "=?base64?Z2V0X3g=?=", "\"name\":\"get_x\"",
                     &got);
    CHECK(got.count == 0 && sent_count == 1);
    (void)say_modern(&rig, &rig.dev, "server/discover", NULL, "", &got);
    CHECK(got_has(&got, "\"supportedVersions\":[\"2026-07-28\"]") && got_has(&got, "mcpd/web"));
    rig_close(&rig);
}

static void base64_names_are_exact(void)
{
    static const struct {
        Str value;
        bool means;
    } rows[] = {
        { STR_INIT("echo"), true },
        { STR_INIT("=?base64?ZWNobw==?="), true },
        { STR_INIT("=?base64?ZWNobw?="), false },
        { STR_INIT("=?BASE64?ZWNobw==?="), false },
        { STR_INIT("=?base64?ZWNo bw==?="), false },
        { STR_INIT("=?base64?ZWNobx==?="), false },
        { STR_INIT("=?base64?\?="), false },
        { STR_INIT("=?base64?="), false },
        { STR_INIT(""), false },
        { STR_INIT("Echo"), false },
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(mcp_header_means(rows[i].value, STR("echo")) == rows[i].means, "row %zu", i);
    CHECK(mcp_header_means(STR("=?base64?\?="), (Str){ 0 }));
}

int main(void)
{
    RUN(a_denied_call_reaches_nobody);
    RUN(a_denial_says_why);
    RUN(an_unrecorded_call_is_not_made);
    RUN(a_policy_that_never_loaded_denies);
    RUN(a_bad_new_policy_leaves_the_old_one);
    RUN(a_missing_policy_is_logged_once);
    RUN(a_body_over_the_limit_is_too_large);
    RUN(what_is_forwarded);
    RUN(absent_arguments_stay_absent);
    RUN(the_list_is_this_grants);
    RUN(a_list_without_end_is_refused);
    RUN(a_list_has_one_deadline);
    RUN(results_name_the_server);
    RUN(sessions_are_bound);
    RUN(the_oldest_session_makes_room);
    RUN(ids_in_flight_differ);
    RUN(a_cancelled_call_is_cancelled);
    RUN(an_abandoned_call_is_cancelled);
    RUN(an_abandoned_call_of_the_legacy_era_goes_on);
    RUN(calls_of_a_grant_are_counted);
    RUN(eras_do_not_mix);
    RUN(base64_names_are_exact);
    return check_finish();
}
