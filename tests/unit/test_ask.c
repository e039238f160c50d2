/* SPDX-License-Identifier: Apache-2.0 */
/* test_ask.c - what servers ask of clients: offered only where the client and the policy could,
 * judged each time, put to the one session it is for, answered once. */
#include "tests/unit/gateway_rig.h"

#define EVENT(json) "event: message\ndata: " json "\n\n"
#define ASK(id, method, params)                                                                    \
    EVENT("{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\",\"params\":" params "}")
#define FORM "{\"message\":\"who?\",\"requestedSchema\":{\"type\":\"object\"},\"_meta\":{\"x\":1}}"
#define ABLE(capabilities)                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"     \
    "\"2025-11-25\",\"capabilities\":" capabilities ",\"clientInfo\":{\"name\":\"t\",\"version\":" \
    "\"1\"}}}"
#define ALL "{\"sampling\":{\"tools\":{}},\"elicitation\":{\"form\":{},\"url\":{}},\"roots\":{}}"

static const char asking_policy[] =
    "policy \"rig\" version 1;\nserver \"web\";\nserver \"cmd\";\ndefault deny;\n"
    "allow tool \"get_*\";\nallow elicitation \"form\" when not(args.message contains "
    "\"password\");\n"
    "deny sampling when args.maxTokens > 1000 reason \"too long\";\nallow sampling;\n";

/* A session with those capabilities, one call of it on its way, its server of the legacy era; the
 * call is request number 3, and its stream has begun. */
static void open_session(struct rig *rig, const char *initialize, struct got *session,
                         struct got *got)
{
    rig_open(rig);
    write_policy(rig, asking_policy);
    gateway_reload(rig->gateway);
    (void)say(rig, &rig->dev, NULL, initialize, session);
    CHECK(session->status == 200);
    (void)say(rig, &rig->dev, session->session, GET_X("1"), got);
    be_legacy(rig, 0, "up");
    answer_head(3, 200, "text/event-stream", NULL);
}

static void hear(struct rig *rig, size_t i, const char *text)
{
    sent[i].events.on_data(sent[i].user, str_of(text));
    turn(rig);
}

static void capabilities_meet_the_policy(void)
{
    static const struct {
        const char *initialize, *offered;
    } rows[] = {
        { ABLE("{}"), "\"capabilities\":{}," },
        { ABLE("{\"roots\":{}}"), "\"capabilities\":{}," },
        { ABLE("{\"elicitation\":{}}"), "\"capabilities\":{\"elicitation\":{\"form\":{}}}," },
        { ABLE("{\"elicitation\":{\"url\":{}}}"), "\"capabilities\":{}," },
        { ABLE("{\"sampling\":{}}"), "\"capabilities\":{\"sampling\":{}}," },
        { ABLE("{\"sampling\":true,\"elicitation\":[]}"), "\"capabilities\":{" },
        { ABLE(ALL),
          "\"capabilities\":{\"sampling\":{\"tools\":{}},\"elicitation\":{\"form\":{}}}," },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        struct got session, got;
        open_session(&rig, rows[i].initialize, &session, &got);
        CHECK_ROW(sent_has(1, rows[i].offered), "row %zu", i);
        rig_close(&rig);
    }
}

static void a_question_and_its_answer(void)
{
    struct rig rig;
    struct got session, got, reply;
    open_session(&rig, ABLE(ALL), &session, &got);
    hear(&rig, 3, ASK("\"q-1\"", "elicitation/create", FORM));
    CHECK(got.event_count == 1 && sent_count == 4);
    CHECK(got_event(&got,
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"elicitation/create\",\"params\":"
                    "{\"message\":\"who?\",\"requestedSchema\":{\"type\":\"object\"}}}"));
    CHECK(audit_lines(&rig, "\"method\":\"elicitation/create\"") == 1);
    /* Of another session, another grant, another id, another type: not an answer. */
    struct got other, foreign;
    (void)say(&rig, &rig.dev, NULL, ABLE(ALL), &other);
    (void)say(&rig, &rig.ops, NULL, ABLE(ALL), &foreign);
#define ANSWER(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"result\":{\"action\":\"accept\"}}"
    (void)say(&rig, &rig.dev, other.session, ANSWER("1"), &reply);
    CHECK(reply.status == 400);
    (void)say(&rig, &rig.ops, session.session, ANSWER("1"), &reply);
    CHECK(reply.status == 404);
    (void)say(&rig, &rig.ops, foreign.session, ANSWER("1"), &reply);
    CHECK(reply.status == 400);
    (void)say(&rig, &rig.dev, session.session, ANSWER("2"), &reply);
    CHECK(reply.status == 400);
    (void)say(&rig, &rig.dev, session.session, ANSWER("\"1\""), &reply);
    CHECK(reply.status == 400 && sent_count == 4);
    (void)say(&rig, &rig.dev, session.session, ANSWER("1"), &reply);
    CHECK(reply.status == 202 && reply.body[0] == '\0' && sent_count == 5);
    CHECK(sent_has(4, "{\"jsonrpc\":\"2.0\",\"id\":\"q-1\",\"result\":{\"action\":\"accept\"}}"));
    CHECK(sent_has(4, "Mcp-Session-Id: up"));
    (void)say(&rig, &rig.dev, session.session, ANSWER("1"), &reply); /* once */
    CHECK(reply.status == 400 && sent_count == 5);
    rig_close(&rig);
}

static void questions_are_judged(void)
{
    static const struct {
        const char *initialize, *question, *answer;
    } rows[] = {
        { ABLE(ALL), ASK("7", "elicitation/create", "{\"message\":\"your password?\"}"),
          "\"id\":7,\"error\":{\"code\":4030" },
        { ABLE(ALL), ASK("7", "elicitation/create", "{\"mode\":\"url\",\"url\":\"https://x/\"}"),
          "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE(ALL), ASK("7", "elicitation/create", "{\"mode\":1}"),
          "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE(ALL), ASK("7", "roots/list", "{}"), "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE(ALL), ASK("7", "sampling/createMessage", "{\"messages\":[],\"maxTokens\":1001}"),
          "too long" },
        { ABLE("{\"sampling\":{}}"),
          ASK("7", "sampling/createMessage", "{\"messages\":[],\"maxTokens\":1,\"tools\":[]}"),
          "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE("{}"), ASK("7", "sampling/createMessage", "{\"messages\":[],\"maxTokens\":1}"),
          "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE(ALL), ASK("7", "tools/call", "{\"name\":\"get_x\"}"),
          "\"id\":7,\"error\":{\"code\":-32601" },
        { ABLE(ALL), ASK("7", "ping", "{}"), "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rig rig;
        struct got session, got;
        open_session(&rig, rows[i].initialize, &session, &got);
        hear(&rig, 3, rows[i].question);
        CHECK_ROW(got.event_count == 0 && sent_has(4, rows[i].answer), "row %zu: %s", i,
                  sent_count > 4 ? sent[4].body : "nothing");
        rig_close(&rig);
    }
}

/* Sessions that can be asked something have a server of their own; others share one. */
static void sessions_do_not_share_a_server(void)
{
    struct rig rig;
    struct got session, got, other, second;
    open_session(&rig, ABLE(ALL), &session, &got);
    (void)say(&rig, &rig.dev, NULL, ABLE(ALL), &other);
    (void)say(&rig, &rig.dev, other.session, GET_X("1"), &second);
    CHECK(sent_has(4, "\"initialize\""));
    CHECK(got.event_count == 0);
    rig_close(&rig);
}

static void questions_are_counted_and_taken_back(void)
{
    struct rig rig;
    struct got session, got, reply;
    char text[512];
    open_session(&rig, ABLE(ALL), &session, &got);
    for (int i = 0; i < 17; i++) {
        (void)snprintf(text, sizeof text, ASK("%d", "elicitation/create", FORM), i);
        hear(&rig, 3, text);
    }
    CHECK(got.event_count == 16 && sent_count == 5);
    CHECK(sent_has(4, "\"id\":16,\"error\":{\"code\":-32603"));
    hear(&rig, 3,
         EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
               "\"requestId\":3}}"));
    (void)say(&rig, &rig.dev, session.session, ANSWER("4"), &reply);
    CHECK(reply.status == 400);
    (void)say(&rig, &rig.dev, session.session, ANSWER("5"), &reply);
    CHECK(reply.status == 202 && sent_has(5, "\"id\":4,\"result\""));
    rig_close(&rig);
}

static void the_stateless_era_is_not_asked(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    write_policy(&rig, asking_policy);
    gateway_reload(rig.gateway);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_legacy(&rig, 0, "up");
    CHECK(sent_has(1, "\"capabilities\":{},"));
    answer_head(3, 200, "text/event-stream", NULL);
    hear(&rig, 3, ASK("7", "elicitation/create", FORM));
    CHECK(got.event_count == 0 && sent_has(4, "\"id\":7,\"error\":{\"code\":-32601"));
    rig_close(&rig);
}

int main(void)
{
    RUN(capabilities_meet_the_policy);
    RUN(a_question_and_its_answer);
    RUN(questions_are_judged);
    RUN(sessions_do_not_share_a_server);
    RUN(questions_are_counted_and_taken_back);
    RUN(the_stateless_era_is_not_asked);
    return check_finish();
}
