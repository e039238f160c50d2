/* SPDX-License-Identifier: Apache-2.0 */
/* test_upstream.c - the server's side: eras found out, sessions lost and made anew, processes
 * that die, and servers that say what nobody asked for. Rows S1, S3, S8, S9 and rows 22-26, 30. */
#include "tests/unit/gateway_rig.h"

#include <time.h>

/* A call of a modern client to a modern server that is out as sent[1]. */
static void begin_modern(struct rig *rig, struct got *got)
{
    rig_open(rig);
    (void)say_modern(rig, &rig->dev, "tools/call", "get_x", "\"name\":\"get_x\"", got);
    be_modern(rig, 0);
    CHECK(sent_count == 2 && got->count == 0);
}

#define RESULT(id, text) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"content\":\"" text "\"}}"
#define ERROR(id, code)                                                                            \
    "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"error\":{\"code\":" code ",\"message\":\"no\"}}"
#define EVENT(data) "data: " data "\n\n"

static const struct {
    const char *name;
    int status;
    const char *type, *text, *want;
} answers[] = {
    { "good", 200, "application/json", RESULT("ID", "yes"), "\"content\":\"yes\"" },
    { "S9 another id", 200, "application/json", RESULT("1", "no"), "-32603" },
    { "row 22 id as text", 200, "application/json", RESULT("\"ID\"", "no"), "-32603" },
    { "row 22 id as fraction", 200, "application/json", RESULT("ID.0", "no"), "-32603" },
    { "no id", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"result\":{}}", "-32603" },
    { "row 24 array", 200, "application/json", "[" RESULT("ID", "no") "]", "-32603" },
    { "a request", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":ID,\"method\":\"ping\"}",
      "-32603" },
    { "duplicate key", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"a\":1,\"a\":2}}", "-32603" },
    { "extra member", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{},\"more\":1}", "-32603" },
    { "result null", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":null}",
      "no object" },
    { "result list", 200, "application/json", "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":[]}",
      "no object" },
    { "unknown kind", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"resultType\":\"task\"}}", "kind of result" },
    { "kind is no text", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"resultType\":1}}", "kind of result" },
    { "asks back", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"resultType\":\"input_required\"}}",
      "asks for input" },
    { "error", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-1,\"message\":\"m\\n\",\"data\":9}}",
      "\"error\":{\"code\":-1,\"message\":\"m\\n\",\"data\":9}" },
    { "error with our data", 200, "application/json",
      "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-1,\"message\":\"m\",\"data\":"
      "{\"a\":1,\"mcpd/decision\":\"no\"}}}",
      "\"data\":{\"a\":1}}" },
    { "error in a 400", 400, "application/json", ERROR("ID", "-32602"), "\"code\":-32602" },
    { "error in a 404", 404, "application/json", ERROR("ID", "-32601"), "\"code\":-32601" },
    { "capability", 400, "application/json", ERROR("ID", "-32021"), "\"code\":-32021" },
    { "no resource", 200, "application/json", ERROR("ID", "-32002"), "\"code\":-32602" },
    { "reserved code", 200, "application/json", ERROR("ID", "-32099"), "\"code\":-32603" },
    { "row 30 error in a 401", 401, "application/json", ERROR("ID", "-5"), "authorization" },
    { "row 30 error in a 403", 403, "application/json", ERROR("ID", "-5"), "authorization" },
    { "error for nobody in a 400", 400, "application/json", ERROR("null", "-5"), "refused" },
    { "error for another in a 400", 400, "application/json", ERROR("1", "-5"), "refused" },
    { "error of a session in a 400", 400, "application/json", ERROR("ID", "-32001"), "refused" },
    { "result in a 400", 400, "application/json", RESULT("ID", "no"), "refused" },
    { "cut", 200, "application/json", "{\"jsonrpc\":\"2.0\"", "-32603" },
    { "nothing", 200, "application/json", "", "-32603" },
    { "row 24 another type", 200, "text/html", RESULT("ID", "no"), "-32603" },
    { "row 24 no type", 200, NULL, RESULT("ID", "no"), "-32603" },
    { "row 24 202", 202, "application/json", RESULT("ID", "no"), "-32603" },
    { "row 26 redirect", 307, "application/json", RESULT("ID", "no"), "redirect" },
    { "row 30 401", 401, "application/json", RESULT("ID", "no"), "authorization" },
    { "500", 500, "application/json", RESULT("ID", "no"), "-32603" },
    { "stream", 200, "text/event-stream", EVENT(RESULT("ID", "yes")), "\"content\":\"yes\"" },
    { "S9 two answers", 200, "text/event-stream",
      EVENT(RESULT("ID", "yes")) EVENT(RESULT("ID", "no")), "\"content\":\"yes\"" },
    { "S9 another's first", 200, "text/event-stream",
      EVENT(RESULT("1", "no")) EVENT(RESULT("ID", "yes")), "\"content\":\"yes\"" },
    { "row 23 other event", 200, "text/event-stream",
      "event: x\n" EVENT(RESULT("ID", "no")) EVENT(RESULT("ID", "yes")), "\"content\":\"yes\"" },
    { "a notification first", 200, "text/event-stream",
      EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"}")
          EVENT(RESULT("ID", "yes")),
      "\"content\":\"yes\"" },
    { "row 23 no last line", 200, "text/event-stream", "data: " RESULT("ID", "no") "\n",
      "without an answer" },
    { "bad event", 200, "text/event-stream", EVENT("{") EVENT(RESULT("ID", "no")), "-32603" },
};

static void answers_that_are_accepted_or_not(void)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct rig rig;
        struct got got;
        begin_modern(&rig, &got);
        answer_typed(1, answers[i].status, answers[i].type, answers[i].text, NULL);
        turn(&rig);
        CHECK_ROW(got.count == 1 && got_has(&got, answers[i].want), "%s: %s", answers[i].name,
                  got.body);
        CHECK_ROW(!got_has(&got, "\"content\":\"no\"") && !got_has(&got, "mcpd/decision"),
                  "%s: passed on", answers[i].name);
        rig_close(&rig);
        CHECK_ROW(got.count == 1, "%s: %d replies", answers[i].name, got.count);
    }
}

#define MARKED_LIST(mark)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[{\"name\":\"get_x\",\"inputSchema\":"   \
    "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"x-mcp-header\":\"" mark     \
    "\"}}}}]}}"

/* A server that wants headers that we knew nothing of: its list is fetched, the call goes again
 * with them, and not a third time. */
static void a_call_refused_for_its_headers(void)
{
    for (int again = 0; again < 2; again++) {
        struct rig rig;
        struct got got;
        rig_open(&rig);
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x",
                         "\"name\":\"get_x\",\"arguments\":{\"a\":\"v\\u00e9\"}", &got);
        be_modern(&rig, 0);
        CHECK(!sent_has(1, "Mcp-Param-"));
        answer_typed(1, 400, "application/json", ERROR("ID", "-32020"), NULL);
        turn(&rig);
        CHECK(sent_has(2, "tools/list") && got.count == 0);
        answer_json(2, MARKED_LIST("A"));
        turn(&rig);
        CHECK(sent_count == 4 && sent_has(3, "Mcp-Param-A: =?base64?dsOp?=") && got.count == 0);
        if (again)
            answer_typed(3, 400, "application/json", ERROR("ID", "-32020"), NULL);
        else
            answer_json(3, RESULT("ID", "yes"));
        turn(&rig);
        CHECK(got.count == 1 && got_has(&got, again ? "-32603" : "\"yes\"") && sent_count == 4);
        rig_close(&rig);
    }
}

/* What a server's error is to clients of either era: status and code. */
static void errors_have_the_status_of_the_clients_era(void)
{
    static const struct {
        const char *text, *code;
        int modern, legacy;
        const char *legacy_code;
    } rows[] = {
        { ERROR("ID", "-32601"), "-32601", 404, 200, "-32601" },
        { ERROR("ID", "-32021"), "-32021", 400, 200, "-32603" },
        { ERROR("ID", "-32602"), "-32602", 200, 200, "-32602" },
        { ERROR("ID", "-32002"), "-32602", 200, 200, "-32002" },
        { "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32602,\"message\":\"m\",\"data\":{"
          "\"uri\":"
          "\"x\"}}}",
          "-32602", 200, 200, "-32602" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        struct got got, session;
        begin_modern(&rig, &got);
        answer_json(1, rows[i].text);
        CHECK_ROW(got.status == rows[i].modern && got_has(&got, rows[i].code), "%zu: %d %s", i,
                  got.status, got.body);
        greet(&rig, &rig.dev, &session);
        (void)say(&rig, &rig.dev, session.session, GET_X("1"), &got);
        answer_json(2, rows[i].text);
        CHECK_ROW(got.status == rows[i].legacy && got_has(&got, rows[i].legacy_code), "%zu: %d %s",
                  i, got.status, got.body);
        rig_close(&rig);
    }
}

/* -32022 to a call: the server is asked anew what it speaks, and the call goes on from there. */
static void a_server_that_changes_its_version(void)
{
    struct rig rig;
    struct got got;
    begin_modern(&rig, &got);
    answer_typed(1, 400, "application/json",
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32022,\"message\":\"no\","
                 "\"data\":{\"supported\":[\"2025-11-25\"]}}}",
                 NULL);
    turn(&rig);
    be_legacy(&rig, 2, "s");
    CHECK(sent_has(5, "get_x") && got.count == 0);
    answer_json(5, RESULT("ID", "yes"));
    CHECK(got.count == 1 && got_has(&got, "\"yes\""));
    rig_close(&rig);
}

static void wait_a_moment(struct rig *rig)
{
    for (int i = 0; i < 10; i++) {
        (void)nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
        turn(rig);
    }
}

/* How a stream that ended early is taken up again: what the first one said, what is asked for then,
 * what comes, and what the client gets. */
static const struct {
    const char *name, *first, *asked;
    int status;
    const char *type, *want;
} resumed[] = {
    { "the answer", "retry: 100\nid: e1\ndata: \n\n", "Last-Event-ID: e1\n", 200,
      "text/event-stream", "\"yes\"" },
    { "the last id", "id: e1\nretry: 100\ndata: \n\nid: e2\ndata:\n\n", "Last-Event-ID: e2\n", 200,
      "text/event-stream", "\"yes\"" },
    { "no id", "retry: 100\ndata: \n\n", NULL, 0, NULL, "without an answer" },
    { "an id with a control byte", "retry: 100\nid: e\001\ndata: \n\n", NULL, 0, NULL,
      "without an answer" },
    { "not there", "retry: 100\nid: e1\ndata: \n\n", "Last-Event-ID: e1\n", 404, NULL,
      "does not go on" },
    { "not allowed", "retry: 100\nid: e1\ndata: \n\n", "Last-Event-ID: e1\n", 405, NULL,
      "does not go on" },
    { "no stream", "retry: 100\nid: e1\ndata: \n\n", "Last-Event-ID: e1\n", 200, "application/json",
      "-32603" },
};

static void streams_are_taken_up_again(void)
{
    for (size_t i = 0; i < COUNT(resumed); i++) {
        struct rig rig;
        struct got got;
        rig_open(&rig);
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
        be_legacy(&rig, 0, "s");
        answer_typed(3, 200, "text/event-stream", resumed[i].first, NULL);
        turn(&rig);
        CHECK_ROW(sent_count == 4, "%s: at once", resumed[i].name);
        wait_a_moment(&rig);
        CHECK_ROW(sent_count == (resumed[i].asked ? 5 : 4), "%s", resumed[i].name);
        if (resumed[i].asked && sent_count == 5) {
            CHECK_ROW(strcmp(sent[4].method, "GET") == 0 && !sent[4].body[0] &&
                          sent_has(4, resumed[i].asked) && sent_has(4, "Mcp-Session-Id: s") &&
                          sent_has(4, "Accept: text/event-stream\n"),
                      "%s: %s", resumed[i].name, sent[4].headers);
            char events[512];
            (void)snprintf(events, sizeof events,
                           "data: {\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":{"
                           "\"content\":\"yes\"}}\n\n",
                           STR_ARG(sent_id(3)));
            answer_typed(4, resumed[i].status, resumed[i].type, events, NULL);
        }
        turn(&rig);
        CHECK_ROW(got.count == 1 && got_has(&got, resumed[i].want), "%s: %s", resumed[i].name,
                  got.body);
        rig_close(&rig);
    }
}

/* In the stateless era nothing is taken up, and a client that leaves ends the wait for it. */
static void streams_are_left_alone(void)
{
    struct rig rig;
    struct got got;
    begin_modern(&rig, &got);
    answer_typed(1, 200, "text/event-stream", "retry: 100\nid: e1\ndata: \n\n", NULL);
    wait_a_moment(&rig);
    CHECK(got.count == 1 && got_has(&got, "without an answer") && sent_count == 2);
    rig_close(&rig);
    rig_open(&rig);
    struct call *call =
        say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_legacy(&rig, 0, "s");
    answer_typed(3, 200, "text/event-stream", "retry: 100\nid: e1\ndata: \n\n", NULL);
    turn(&rig);
    call_abandon(call);
    wait_a_moment(&rig);
    CHECK(sent_count == 5 && sent_has(4, "notifications/cancelled") && got.count == 0);
    rig_close(&rig);
}

/* S8, row 28: nothing upstream is shared between principals. */
static void principals_do_not_share(void)
{
    struct rig rig;
    struct got dev, ops, session_dev, session_ops;
    rig_open(&rig);
    greet(&rig, &rig.dev, &session_dev);
    greet(&rig, &rig.ops, &session_ops);
    (void)say(&rig, &rig.dev, session_dev.session, GET_X("1"), &dev);
    be_legacy(&rig, 0, "of-dev");
    (void)say(&rig, &rig.ops, session_ops.session, GET_X("1"), &ops);
    CHECK(sent_has(4, "\"initialize\"") && !sent_has(4, "of-dev")); /* the era is known by now */
    answer_typed(4, 200, "application/json",
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-03-26\"}}",
                 "of-ops");
    turn(&rig);
    answer_status(5, 202);
    turn(&rig);
    CHECK(sent_has(3, "of-dev") && sent_has(6, "of-ops"));
    CHECK(sent_has(6, "MCP-Protocol-Version: 2025-03-26"));
    answer_json(6, RESULT("ID", "ops"));
    answer_json(3, RESULT("ID", "dev"));
    CHECK(got_has(&dev, "\"dev\"") && got_has(&ops, "\"ops\""));
    rig_close(&rig);
}

/* S1: a session that the server forgot is made anew, once. */
static void a_lost_session_is_made_anew(void)
{
    for (int again = 0; again < 2; again++) {
        struct rig rig;
        struct got got;
        rig_open(&rig);
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
        be_legacy(&rig, 0, "first");
        CHECK(sent_has(3, "Mcp-Session-Id: first"));
        answer_status(3, 404);
        turn(&rig);
        CHECK(sent_has(4, "\"initialize\"") && !sent_has(4, "first"));
        answer_typed(
            4, 200, "application/json",
            "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-11-25\"}}",
            "second");
        turn(&rig);
        answer_status(5, 202);
        turn(&rig);
        CHECK(sent_has(6, "Mcp-Session-Id: second") && sent_has(6, "get_x") && got.count == 0);
        if (again)
            answer_status(6, 404);
        else
            answer_json(6, RESULT("ID", "after"));
        turn(&rig);
        CHECK(got.count == 1 && got_has(&got, again ? "-32603" : "\"after\""));
        CHECK(sent_count == 7);
        rig_close(&rig);
    }
}

/* Whose 404 comes while the new session is being made goes again in it, too. */
static void a_session_is_lost_for_all_at_once(void)
{
    struct rig rig;
    struct got first, second;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &first);
    be_legacy(&rig, 0, "old");
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_y", "\"name\":\"get_y\"", &second);
    answer_status(3, 404);
    turn(&rig);
    CHECK(sent_has(5, "\"initialize\""));
    answer_status(4, 404);
    turn(&rig);
    answer_typed(5, 200, "application/json",
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-11-25\"}}",
                 "new");
    turn(&rig);
    answer_status(6, 202);
    turn(&rig);
    CHECK(sent_count == 9 && sent_has(7, "get_x") && sent_has(8, "get_y"));
    CHECK(first.count == 0 && second.count == 0);
    rig_close(&rig);
}

static void session_ids_of_a_server_are_checked(void)
{
    static const char *const bad[] = { "a b", "a\tb", "\xC3\xA9", "a\x7F" };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct rig rig;
        struct got got;
        rig_open(&rig);
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
        be_legacy(&rig, 0, bad[i]);
        CHECK_ROW(sent_count == 4 && !sent_has(3, "Mcp-Session-Id"), "row %zu", i);
        rig_close(&rig);
    }
}

/* What an answer to server/discover says: a status and a body, and what is sent next. */
static void eras_are_found_out(void)
{
    static const struct {
        int status;
        const char *text, *next; /* NULL: nothing, the call fails */
    } rows[] = {
        { 200,
          "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"supportedVersions\":[\"2031-01-01\"]}}",
          "\"initialize\"" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}", "\"initialize\"" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32601,\"message\":\"m\"}}",
          "\"initialize\"" },
        { 200, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32000,\"message\":\"m\"}}",
          "\"initialize\"" },
        { 400,
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32022,\"message\":\"m\","
          "\"data\":{\"supported\":[\"2026-07-28\"]}}}",
          "tools/call" },
        { 400,
          "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32022,\"message\":\"m\","
          "\"data\":{\"supported\":[\"2031-01-01\"]}}}",
          "\"initialize\"" },
        { 400, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32021,\"message\":\"m\"}}",
          "tools/call" },
        { 400, "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32000,\"message\":\"m\"}}",
          "\"initialize\"" },
        { 400, "not json", "\"initialize\"" },
        { 404, "", "\"initialize\"" },
        { 405, "", "\"initialize\"" },
        { 401, "", NULL },
        { 403, "", NULL },
        { 429, "", NULL },
        { 503, "", NULL },
        { 302, "", NULL },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        struct got got;
        rig_open(&rig);
        (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
        answer_typed(0, rows[i].status, "application/json", rows[i].text, NULL);
        turn(&rig);
        if (rows[i].next)
            CHECK_ROW(sent_count == 2 && sent_has(1, rows[i].next), "row %zu", i);
        else
            CHECK_ROW(sent_count == 1 && got_has(&got, "-32603"), "row %zu: %s", i, got.body);
        rig_close(&rig);
    }
}

static void a_server_of_an_unknown_revision_is_refused(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    answer_status(0, 404);
    turn(&rig);
    answer_json(1, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"1999\"}}");
    turn(&rig);
    CHECK(sent_count == 2 && got_has(&got, "protocol version"));
    rig_close(&rig);
}

/* ---- stdio ---- */

static struct caller to_cmd(const struct rig *rig)
{
    struct caller caller = rig->dev;
    caller.server = gateway_server(rig->gateway, STR("cmd"));
    return caller;
}

#define GREETING "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-11-25\"}}"

/* Plays a legacy child up to the call, which is then written. */
static void begin_stdio(struct rig *rig, struct got *got, struct child **child)
{
    rig_open(rig);
    struct caller caller = to_cmd(rig);
    (void)say_modern(rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\",\"arguments\":\n{}",
                     got);
    CHECK(child_total == 1 && child_has(&children[0], "server/discover"));
    child_answer(&children[0],
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32601,\"message\":\"m\"}}");
    turn(rig);
    CHECK(child_has(&children[0], "\"initialize\""));
    child_answer(&children[0], GREETING);
    turn(rig);
    CHECK(child_has(&children[0], "notifications/initialized") &&
          child_has(&children[0], "tools/call"));
    *child = &children[0];
}

static void lines_that_are_no_answer(void)
{
    struct rig rig;
    struct got got;
    struct child *child;
    begin_stdio(&rig, &got, &child);
    child->events.on_line(child->user, STR("listening on port 80"));
    child->events.on_line(child->user, STR(""));
    child->events.on_line(child->user, STR("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}"));
    child->events.on_line(child->user, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"));
    child->events.on_line(
        child->user,
        STR("{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"sampling/createMessage\"}"));
    CHECK(got.count == 0 && child_has(child, "\"id\":\"q\",\"error\":{\"code\":-32601"));
    child_answer(child, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}");
    CHECK(got.count == 0);
    rig_close(&rig);
    CHECK(got.count == 1 && child->is_stopped);
}

static void an_answer_that_cannot_be_read_fails_at_once(void)
{
    struct rig rig;
    struct got got;
    struct child *child;
    begin_stdio(&rig, &got, &child);
    child->events.on_line(child->user, STR("{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":1}"));
    CHECK(got.count == 1 && got_has(&got, "-32603"));
    rig_close(&rig);
}

static void rest(struct rig *rig)
{
    for (int i = 0; i < 300 && child_total < 2; i++) {
        struct timespec ms = { .tv_nsec = 1000000 };
        (void)nanosleep(&ms, NULL);
        turn(rig);
    }
}

/* A call that the process may have seen fails; one that it never took out of its pipe is made
 * by the next process. */
static void a_process_that_dies(void)
{
    for (int was_read = 0; was_read < 2; was_read++) {
        struct rig rig;
        struct got got;
        struct child *child;
        begin_stdio(&rig, &got, &child);
        if (was_read)
            child->taken = child->queued;
        child->events.on_gone(child->user, "test");
        turn(&rig);
        CHECK(child->is_stopped && got.count == was_read);
        if (was_read)
            CHECK(got_has(&got, "-32603"));
        rest(&rig);
        CHECK(child_total == (size_t)(was_read ? 1 : 2));
        rig_close(&rig);
    }
}

/* Some servers exit when the first message is not initialize. */
static void a_probe_that_kills(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    struct caller caller = to_cmd(&rig);
    (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    children[0].events.on_gone(children[0].user, "test");
    turn(&rig);
    CHECK(child_total == 2 && children[0].is_stopped);
    CHECK(child_has(&children[1], "\"initialize\"") && !child_has(&children[1], "discover"));
    child_answer(&children[1], GREETING);
    turn(&rig);
    child_answer(&children[1], RESULT("ID", "yes"));
    CHECK(got_has(&got, "\"yes\"") && got_has(&got, "\"resultType\":\"complete\""));
    rig_close(&rig);
}

static void a_command_that_cannot_be_started(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    child_fails = true;
    struct caller caller = to_cmd(&rig);
    (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got.count == 1 && got_has(&got, "can't be started"));
    /* Nor does anybody wait while it rests; after that it is tried again. */
    for (int i = 0; i < 5; i++) {
        (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
        CHECK(got.count == 1 && got_has(&got, "no such program"));
    }
    child_fails = false;
    struct timespec pause = { .tv_nsec = 150000000 };
    (void)nanosleep(&pause, NULL);
    (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got.count == 0 && child_total == 1);
    rig_close(&rig);
}

/* A process that ends before it was ever ready is like a command that can't be started. */
static void a_server_that_never_gets_ready(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    struct caller caller = to_cmd(&rig);
    (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    children[0].events.on_gone(children[0].user, "test");
    turn(&rig);
    children[1].events.on_gone(children[1].user, "test");
    turn(&rig);
    CHECK(got.count == 1 && got_has(&got, "-32603"));
    (void)say_modern(&rig, &caller, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    CHECK(got.count == 1 && got_has(&got, "has ended") && child_total == 2);
    rig_close(&rig);
}

static void a_call_on_stdio_is_cancelled_by_a_message(void)
{
    struct rig rig;
    struct got got;
    struct child *child;
    begin_stdio(&rig, &got, &child);
    struct caller caller = to_cmd(&rig);
    struct got other;
    struct call *call =
        say_modern(&rig, &caller, "tools/call", "get_y", "\"name\":\"get_y\"", &other);
    call_abandon(call);
    turn(&rig);
    CHECK(child_has(child, "\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":"));
    CHECK(other.count == 0);
    rig_close(&rig);
}

/* Who calls and cancels in turn makes no pile of requests to a server that does not react. */
static void notifications_do_not_pile_up(void)
{
    enum { ROUNDS = 70 }; /* a few over the limit */
    struct rig rig;
    struct got got;
    size_t told = 0;
    rig_open(&rig);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_legacy(&rig, 0, "s");
    for (int i = 0; i < ROUNDS; i++) {
        struct call *call =
            say_modern(&rig, &rig.dev, "tools/call", "get_y", "\"name\":\"get_y\"", &got);
        call_abandon(call);
        turn(&rig);
    }
    for (size_t i = 0; i < sent_count; i++)
        told += sent_has(i, "notifications/cancelled");
    CHECK_ROW(told == 64, "%zu", told);
    rig_close(&rig);
}

int main(void)
{
    RUN(answers_that_are_accepted_or_not);
    RUN(a_call_refused_for_its_headers);
    RUN(errors_have_the_status_of_the_clients_era);
    RUN(a_server_that_changes_its_version);
    RUN(streams_are_taken_up_again);
    RUN(streams_are_left_alone);
    RUN(principals_do_not_share);
    RUN(a_lost_session_is_made_anew);
    RUN(a_session_is_lost_for_all_at_once);
    RUN(session_ids_of_a_server_are_checked);
    RUN(eras_are_found_out);
    RUN(a_server_of_an_unknown_revision_is_refused);
    RUN(lines_that_are_no_answer);
    RUN(an_answer_that_cannot_be_read_fails_at_once);
    RUN(a_process_that_dies);
    RUN(a_probe_that_kills);
    RUN(a_command_that_cannot_be_started);
    RUN(a_server_that_never_gets_ready);
    RUN(a_call_on_stdio_is_cancelled_by_a_message);
    RUN(notifications_do_not_pile_up);
    return check_finish();
}
