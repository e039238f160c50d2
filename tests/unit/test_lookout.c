/* SPDX-License-Identifier: Apache-2.0 */
/* test_lookout.c - calls of pinned tools: what waits, what is asked for, and that nothing goes out
 * in a turn that it was not judged in. S10 and protocol.md's trap 29. */
#include "runtime/gateway/lookout.h"
#include "tests/unit/gateway_rig.h"

static const char snapshot[] = "{\"tools\":[{\"name\":\"get_x\",\"description\":\"gets x\","
                               "\"inputSchema\":{\"type\":\"object\"}}]}";
#define TOOL_X                                                                                     \
    "{\"name\":\"get_x\",\"description\":\"gets x\",\"inputSchema\":{\"type\":\"object\"}}"
#define LIST(tools, more)                                                                          \
    "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"resultType\":\"complete\",\"tools\":[" tools     \
    "]" more "}}"
#define DONE   "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[]}}"
#define CALL_X "tools/call", "get_x", "\"name\":\"get_x\",\"arguments\":{}"

static void open_pinned(struct rig *rig, const struct gateway_limits *limits)
{
    struct scratch_path tools = scratch_path("rig.tools.json");
    rig_open_with(rig, limits, NULL);
    scratch_write(tools.text, str_of(snapshot));
    write_policy(rig, "policy \"rig\" version 1;\n"
                      "server \"web\" tools \"rig.tools.json\";\n"
                      "allow tool \"get_x\";\n");
}

static void nothing_goes_out_before_the_list(void)
{
    struct rig rig;
    struct got a, b;
    open_pinned(&rig, &rig_limits);
    CHECK(say_modern(&rig, &rig.dev, CALL_X, &a));
    be_modern(&rig, 0);
    CHECK(sent_count == 2 && sent_has(1, "tools/list"));
    CHECK(say_modern(&rig, &rig.dev, CALL_X, &b) && sent_count == 2);
    CHECK(audit_lines(&rig, "tools/call") == 0); /* undecided is not on record */
    answer_json(1, LIST("{\"name\":\"other\"}", ",\"nextCursor\":\"\""));
    turn(&rig);
    CHECK(sent_count == 3 && sent_has(2, "\"cursor\":\"\"") && a.count == 0);
    answer_json(2, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(sent_count == 5 && sent_has(3, "get_x") && sent_has(4, "get_x"));
    CHECK(audit_lines(&rig, "\"verdict\":\"allow\"") == 2);
    answer_json(3, DONE);
    answer_json(4, DONE);
    CHECK(a.count == 1 && b.count == 1 && got_has(&a, "content"));
    (void)say_modern(&rig, &rig.dev, CALL_X, &a);
    CHECK(sent_count == 6 && sent_has(5, "tools/call")); /* known: no list more */
    rig_close(&rig);
}

/* Whatever a list says or however it fails: the call ends, once, and denied. */
static void lists_that_do_not_say_it(void)
{
    static const struct {
        const char *answer, *cause;
    } rows[] = {
        { LIST("", ""), "unlisted_tool" },
        { LIST("{\"name\":\"get_x\"}", ""), "changed_tool" },
        { LIST(TOOL_X ",{\"name\":\"get_x\"}", ""), "changed_tool" },
        { LIST("{\"name\":\"get_x \"}", ""), "unlisted_tool" },
        { LIST("5,{},null", ""), "unlisted_tool" },
        { LIST(TOOL_X, ",\"nextCursor\":5"), "unchecked_tool" },
        { "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}", "unchecked_tool" },
        { "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":{}}}", "unchecked_tool" },
        { "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32601,\"message\":\"no\"}}",
          "unchecked_tool" },
        { "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"tools\":[],\"tools\":[]}}",
          "unchecked_tool" },
        { "rubbish", "unchecked_tool" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        struct got got;
        open_pinned(&rig, &rig_limits);
        (void)say_modern(&rig, &rig.dev, CALL_X, &got);
        be_modern(&rig, 0);
        answer_json(1, rows[i].answer);
        turn(&rig);
        CHECK_ROW(got.count == 1 && got_has(&got, "\"isError\":true") &&
                      got_has(&got, rows[i].cause) && sent_count == 2,
                  "row %zu: %s", i, got.body);
        CHECK(audit_lines(&rig, rows[i].cause) == 1);
        (void)say_modern(&rig, &rig.dev, CALL_X, &got);
        CHECK_ROW(got.count == 1 && sent_count == 2, "row %zu: denied at once", i);
        rig_close(&rig);
    }
}

static void a_server_that_cannot_be_reached(void)
{
    struct rig rig;
    struct got got;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    answer_status(0, 503);
    turn(&rig);
    CHECK(got.count == 1 && got_has(&got, "unchecked_tool"));
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    be_modern(&rig, 1); /* not the server's list: no rest */
    answer_json(2, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(sent_count == 4 && sent_has(3, "get_x"));
    rig_close(&rig);
}

/* A client's own list is as good, and leaves a changed tool out. */
static void a_list_that_passes_through(void)
{
    struct rig rig;
    struct got got;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    be_modern(&rig, 0);
    answer_json(1, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(got_has(&got, TOOL_X));
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    CHECK(sent_count == 3 && sent_has(2, "tools/call"));
    (void)say_modern(&rig, &rig.dev, "tools/list", NULL, "", &got);
    answer_json(3, LIST("{\"name\":\"get_x\"}", ""));
    turn(&rig);
    CHECK(got.count == 1 && got_has(&got, "\"tools\":[]"));
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    CHECK(got.count == 1 && got_has(&got, "changed_tool") && sent_count == 4);
    CHECK(audit_lines(&rig, "\"event\":\"tool_changed\"") == 1);
    (void)say_modern(&rig, &rig.ops, CALL_X,
                     &got); /* another principal has an upstream of its own */
    CHECK(sent_count == 5 && sent_has(4, "tools/list"));
    rig_close(&rig);
}

/* The session that the call was judged in is gone before it ran: it is judged again in the new one,
 * by the new one's list. */
static void a_call_that_moves_is_judged_again(bool is_changed)
{
    struct rig rig;
    struct got got;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    be_legacy(&rig, 0, "s1");
    answer_json(3, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(sent_has(4, "tools/call"));
    answer_status(4, 404);
    turn(&rig);
    CHECK(sent_has(5, "\"initialize\""));
    answer_typed(5, 200, "application/json",
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":\"2025-11-25\","
                 "\"capabilities\":{},\"serverInfo\":{\"name\":\"s\",\"version\":\"1\"}}}",
                 "s2");
    turn(&rig);
    answer_status(6, 202);
    turn(&rig);
    CHECK(sent_count == 8 && sent_has(7, "tools/list"));
    answer_json(7, is_changed ? LIST("{\"name\":\"get_x\"}", "") : LIST(TOOL_X, ""));
    turn(&rig);
    if (is_changed) {
        CHECK(got.count == 1 && got_has(&got, "changed_tool") && sent_count == 8);
    } else {
        CHECK(sent_count == 9 && sent_has(8, "tools/call") && sent_has(8, "\"arguments\":{}"));
        answer_json(8, DONE);
        CHECK(got.count == 1 && got_has(&got, "content"));
    }
    rig_close(&rig);
}

static void a_call_that_moves(void)
{
    a_call_that_moves_is_judged_again(false);
    a_call_that_moves_is_judged_again(true);
}

#define CHANGED_EVENT                                                                              \
    "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}\n\n"

static void say_changed(size_t i)
{
    answer_head(i, 200, "text/event-stream", NULL);
    sent[i].events.on_data(sent[i].user, STR(CHANGED_EVENT));
}

static void answer_event(size_t i, const char *result)
{
    char text[TEXT_MAX];
    int n = snprintf(text, sizeof text, "data: {\"jsonrpc\":\"2.0\",\"id\":%.*s,\"result\":%s}\n\n",
                     STR_ARG(sent_id(i)), result);
    sent[i].events.on_data(sent[i].user, (Str){ text, (size_t)n });
}

/* A server that never stops changing its list gets three chances, not the call. */
static void a_list_that_never_holds(void)
{
    struct rig rig;
    struct got got;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    be_modern(&rig, 0);
    for (size_t i = 1; i <= LOOKOUT_ROUNDS_MAX; i++) {
        CHECK(sent_count == i + 1 && sent_has(i, "tools/list"));
        say_changed(i);
        answer_event(i, "{\"tools\":[" TOOL_X "]}");
        turn(&rig);
    }
    CHECK(got.count == 1 && got_has(&got, "unchecked_tool") && got_has(&got, "faster"));
    CHECK(sent_count == 1 + LOOKOUT_ROUNDS_MAX);
    rig_close(&rig);
}

/* Said on another call's stream: the next call waits for a new list. */
static void a_change_that_is_told(void)
{
    struct rig rig;
    struct got a, b;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, CALL_X, &a);
    be_modern(&rig, 0);
    answer_json(1, LIST(TOOL_X, ""));
    turn(&rig);
    say_changed(2);
    (void)say_modern(&rig, &rig.dev, CALL_X, &b);
    CHECK(sent_count == 4 && sent_has(3, "tools/list"));
    answer_event(2, "{\"content\":[]}");
    CHECK(a.count == 1 && got_has(&a, "content")); /* what is out is not called back */
    answer_json(3, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(sent_count == 5 && sent_has(4, "tools/call"));
    rig_close(&rig);
}

static void clients_that_leave_while_waiting(void)
{
    struct rig rig;
    struct got a, b, session;
    open_pinned(&rig, &rig_limits);
    call_abandon(say_modern(&rig, &rig.dev, CALL_X, &a));
    greet(&rig, &rig.dev, &session);
    (void)say(&rig, &rig.dev, session.session, GET_X("7"), &b);
    (void)say_modern(&rig, &rig.dev, CALL_X, &a);
    be_modern(&rig, 0);
    struct got none;
    (void)say(&rig, &rig.dev, session.session,
              "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":"
              "{\"requestId\":7}}",
              &none);
    CHECK(b.count == 1 && b.status == 202);
    answer_json(1, LIST(TOOL_X, ""));
    turn(&rig);
    CHECK(sent_count == 3 && audit_lines(&rig, "\"method\":\"tools/call\"") == 1);
    rig_close(&rig);
}

static void a_gateway_that_stops_while_calls_wait(void)
{
    struct rig rig;
    struct got got;
    open_pinned(&rig, &rig_limits);
    (void)say_modern(&rig, &rig.dev, CALL_X, &got);
    be_modern(&rig, 0);
    rig_close(&rig);
    CHECK(got.count == 1 && got_has(&got, "stopping"));
}

int main(void)
{
    RUN(nothing_goes_out_before_the_list);
    RUN(lists_that_do_not_say_it);
    RUN(a_server_that_cannot_be_reached);
    RUN(a_list_that_passes_through);
    RUN(a_call_that_moves);
    RUN(a_list_that_never_holds);
    RUN(a_change_that_is_told);
    RUN(clients_that_leave_while_waiting);
    RUN(a_gateway_that_stops_while_calls_wait);
    return check_finish();
}
