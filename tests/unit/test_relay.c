/* SPDX-License-Identifier: Apache-2.0 */
/* test_relay.c - what servers say before they answer: to the right client, under its own token, as
 * the policy allows, and no faster than it is read. */
#include "tests/unit/gateway_rig.h"

#define EVENT(json) "event: message\ndata: " json "\n\n"
#define PROGRESS(token, value)                                                                     \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"                                             \
    "progress\",\"params\":{\"progressToken\":" token ",\"progress\":" value "}}"
#define LOG(level, data)                                                                           \
    "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"" level     \
    "\",\"data\":\"" data "\",\"x\":1}}"
#define DONE "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"content\":[]}}"
#define TOKEN_X(id)                                                                                \
    CALL(id, "{\"name\":\"get_x\",\"arguments\":{},\"_meta\":{\"progressToken\":\"t\\u00e9\"}}")

static const char logging_policy[] = "policy \"rig\" version 1;\nserver \"web\";\nserver \"cmd\";\n"
                                     "default deny;\nallow tool \"get_*\";\nallow logging;\n";

static void begin_stream(size_t i)
{
    answer_head(i, 200, "text/event-stream", NULL);
}

/* Events of the i-th request's stream; "ID" is its id. */
static void stream(struct rig *rig, size_t i, const char *text)
{
    struct buf bytes;
    buf_init(&bytes, TEXT_MAX);
    for (const char *at = text; *at; at++) {
        if (strncmp(at, "ID", 2) == 0) {
            buf_add(&bytes, sent_id(i));
            at++;
        } else {
            buf_add_char(&bytes, *at);
        }
    }
    if (!sent[i].is_over)
        sent[i].events.on_data(sent[i].user, buf_str(&bytes));
    buf_free(&bytes);
    turn(rig);
}

static void use_policy(struct rig *rig, const char *text)
{
    write_policy(rig, text);
    gateway_reload(rig->gateway);
}

/* A session of dev's and its server, of the legacy era; requests count from 3. */
static void open_legacy(struct rig *rig, struct got *session)
{
    struct got got;
    rig_open(rig);
    greet(rig, &rig->dev, session);
    (void)say(rig, &rig->dev, session->session, GET_X("99"), &got);
    be_legacy(rig, 0, "up");
    answer_json(3, DONE);
    CHECK(got.count == 1);
}

static void progress_has_the_clients_token(void)
{
    struct rig rig;
    struct got session, got;
    open_legacy(&rig, &session);
    (void)say(&rig, &rig.dev, session.session, TOKEN_X("1"), &got);
    CHECK(sent_has(4, "\"_meta\":{\"progressToken\":"));
    CHECK(!sent_has(4, "\"t\\u00e9\""));
    begin_stream(4);
    stream(&rig, 4, EVENT(PROGRESS("ID", "1")));
    CHECK(got.event_count == 1 && got.count == 0);
    CHECK(got_event(&got, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
                          "{\"progressToken\":\"t\\u00e9\",\"progress\":1}}"));
    /* What does not rise, is no number, or is about another token is not passed on. */
    stream(&rig, 4, EVENT(PROGRESS("ID", "1")) EVENT(PROGRESS("ID", "0.5")));
    stream(&rig, 4, EVENT(PROGRESS("ID", "\"2\"")) EVENT(PROGRESS("ID", "null")));
    stream(&rig, 4, EVENT(PROGRESS("\"ID\"", "3")) EVENT(PROGRESS("\"t\\u00e9\"", "3")));
    stream(&rig, 4, EVENT(PROGRESS("1", "3")) EVENT(PROGRESS("ID0", "3")));
    CHECK(got.event_count == 1);
    stream(&rig, 4, EVENT(PROGRESS("ID", "1.5")) EVENT(DONE));
    CHECK(got.event_count == 2 && got.count == 1 && got_has(&got, "\"id\":1,\"result\""));
    rig_close(&rig);
}

/* Without a token none is asked for, and what comes all the same is dropped. */
static void no_token_no_progress(void)
{
    struct rig rig;
    struct got session, got;
    open_legacy(&rig, &session);
    (void)say(&rig, &rig.dev, session.session, GET_X("1"), &got);
    CHECK(!sent_has(4, "_meta"));
    begin_stream(4);
    stream(&rig, 4, EVENT(PROGRESS("ID", "1")) EVENT(DONE));
    CHECK(got.event_count == 0 && got.count == 1);
    (void)say(&rig, &rig.dev, session.session,
              CALL("2", "{\"name\":\"get_x\",\"_meta\":{\"progressToken\":1.5}}"), &got);
    CHECK(!sent_has(5, "_meta"));
    rig_close(&rig);
}

/* A server that names the token of another call on a call's stream is not heard. */
static void streams_do_not_mix(void)
{
    struct rig rig;
    struct got session, a, b;
    char other[256];
    open_legacy(&rig, &session);
    (void)say(&rig, &rig.dev, session.session, TOKEN_X("1"), &a);
    (void)say(&rig, &rig.dev, session.session, TOKEN_X("2"), &b);
    begin_stream(4);
    begin_stream(5);
    (void)snprintf(other, sizeof other, EVENT(PROGRESS("%.*s", "7")), STR_ARG(sent_id(4)));
    stream(&rig, 5, other);
    CHECK(a.event_count == 0 && b.event_count == 0);
    stream(&rig, 4, other);
    CHECK(a.event_count == 1 && b.event_count == 0);
    rig_close(&rig);
}

static void logging_is_the_policys(void)
{
    struct rig rig;
    struct got session, got, level;
    open_legacy(&rig, &session);
    (void)say(&rig, &rig.dev, session.session, GET_X("1"), &got);
    begin_stream(4);
    stream(&rig, 4, EVENT(LOG("info", "one")));
    CHECK(got.event_count == 0); /* the rig's policy says nothing of logging */
    use_policy(&rig, logging_policy);
    stream(&rig, 4, EVENT(LOG("info", "two")) EVENT(LOG("loud", "three")));
    CHECK(got.event_count == 1);
    CHECK(got_event(&got, "\"params\":{\"level\":\"info\",\"data\":\"two\"}}"));
    (void)say(&rig, &rig.dev, session.session,
              "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"logging/setLevel\",\"params\":{\"level\":"
              "\"loud\"}}",
              &level);
    CHECK(got_has(&level, "-32602"));
    rig_close(&rig);
}

static void levels_are_kept(void)
{
    struct rig rig;
    struct got session, got, level;
    open_legacy(&rig, &session);
    use_policy(&rig, logging_policy);
    (void)say(&rig, &rig.dev, session.session,
              "{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"logging/setLevel\",\"params\":{\"level\":"
              "\"warning\"}}",
              &level);
    CHECK(sent_has(4, "logging/setLevel"));
    answer_json(4, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}");
    CHECK(level.count == 1);
    (void)say(&rig, &rig.dev, session.session, GET_X("1"), &got);
    begin_stream(5);
    stream(&rig, 5, EVENT(LOG("notice", "a")) EVENT(LOG("warning", "b")) EVENT(LOG("alert", "c")));
    CHECK(got.event_count == 2 && !got_event(&got, "notice"));
    rig_close(&rig);
}

static void the_stateless_era_asks_each_time(void)
{
    struct rig rig;
    struct got got;
    rig_open(&rig);
    use_policy(&rig, logging_policy);
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    be_modern(&rig, 0);
    CHECK(!sent_has(1, "logLevel"));
    begin_stream(1);
    stream(&rig, 1, EVENT(LOG("alert", "a")));
    CHECK(got.event_count == 0);
    more_meta = ",\"io.modelcontextprotocol/logLevel\":\"error\",\"progressToken\":9";
    (void)say_modern(&rig, &rig.dev, "tools/call", "get_x", "\"name\":\"get_x\"", &got);
    more_meta = "";
    CHECK(sent_has(2, "\"io.modelcontextprotocol/logLevel\":\"error\""));
    begin_stream(2);
    stream(&rig, 2, EVENT(LOG("warning", "a")) EVENT(LOG("error", "b")));
    stream(&rig, 2, EVENT(PROGRESS("ID", "1")));
    CHECK(got.event_count == 2 && got_event(&got, "\"progressToken\":9"));
    rig_close(&rig);
}

/* What a client does not read is not read from the server either. */
static void a_slow_client_pauses_the_server(void)
{
    struct rig rig;
    struct got session, got;
    open_legacy(&rig, &session);
    struct call *call = say(&rig, &rig.dev, session.session, TOKEN_X("1"), &got);
    begin_stream(4);
    got.is_behind = true;
    stream(&rig, 4, EVENT(PROGRESS("ID", "1")));
    CHECK(sent[4].is_paused);
    got.is_behind = false;
    call_caught_up(call);
    CHECK(!sent[4].is_paused);
    stream(&rig, 4, EVENT(DONE));
    CHECK(got.count == 1);
    rig_close(&rig);
}

static void a_slow_client_pauses_a_child(void)
{
    struct rig rig;
    struct got session, a, b;
    rig_open(&rig);
    rig.dev.server = gateway_server(rig.gateway, STR("cmd"));
    greet(&rig, &rig.dev, &session);
    struct call *one = say(&rig, &rig.dev, session.session, TOKEN_X("1"), &a);
    struct child *child = &children[0];
    child_answer(child,
                 "{\"jsonrpc\":\"2.0\",\"id\":ID,\"error\":{\"code\":-32601,\"message\":\"\"}}");
    turn(&rig);
    child_answer(child, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{\"protocolVersion\":"
                        "\"2025-11-25\",\"capabilities\":{},\"serverInfo\":{}}}");
    turn(&rig);
    struct call *two = say(&rig, &rig.dev, session.session, TOKEN_X("2"), &b);
    const char *token = strstr(child->lines, "\"progressToken\":");
    ENSURE(token);
    char lines[2][256];
    for (size_t i = 0; i < 2; i++) {
        token += strlen("\"progressToken\":");
        (void)snprintf(lines[i], sizeof lines[i], PROGRESS("%.*s", "1"),
                       (int)strspn(token, "0123456789"), token);
        if (i == 0)
            token = strstr(token, "\"progressToken\":");
        ENSURE(token);
    }
    a.is_behind = b.is_behind = true;
    child->events.on_line(child->user, str_of(lines[0]));
    CHECK(child->is_paused && a.event_count == 1 && b.event_count == 0);
    child->events.on_line(child->user, str_of(lines[1]));
    CHECK(b.event_count == 1);
    call_caught_up(one);
    CHECK(child->is_paused); /* for the other's sake */
    call_caught_up(two);
    CHECK(!child->is_paused);
    a.is_behind = true;
    child->events.on_line(child->user, str_of(lines[0])); /* does not rise */
    CHECK(a.event_count == 1 && !child->is_paused);
    rig_close(&rig);
}

#define SUBSCRIBE(id, uri)                                                                         \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"method\":\"resources/subscribe\",\"params\":{\"uri\":\"" uri "\",\"x\":1}}"
#define UNSUBSCRIBE(id, uri)                                                                       \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"method\":\"resources/unsubscribe\",\"params\":{\"uri\":\"" uri "\"}}"
#define UPDATED(uri)                                                                               \
    EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/"                             \
          "updated\",\"params\":{\"uri\":\"" uri "\",\"x\":1}}")

static char said[TEXT_MAX];

static void on_said(struct session *session, Str text)
{
    size_t n = strlen(said);
    ENSURE(n + text.n + 2 < sizeof said);
    (void)snprintf(said + n, sizeof said - n, "%s%.*s\n", (const char *)session->user,
                   STR_ARG(text));
}

/* What is about no call is said to the session, under that name. */
static void listen_as(struct rig *rig, const struct caller *caller, const struct got *got,
                      char *name)
{
    struct session *session = gateway_session(rig->gateway, caller, str_of(got->session));
    ENSURE(session);
    session->say = on_said;
    session->user = name;
}

static void changes_reach_their_subscribers(void)
{
    static char one[] = "one ", two[] = "two ", foreign[] = "foreign ";
    struct rig rig;
    struct got a, b, c, got, stream_of;
    open_legacy(&rig, &a);
    use_policy(&rig,
               "policy \"rig\" version 1;\nserver \"web\";\ndefault deny;\nallow tool \"get_*\";\n"
               "allow resource \"file:///a/*\";\n");
    greet(&rig, &rig.dev, &b);
    greet(&rig, &rig.ops, &c);
    listen_as(&rig, &rig.dev, &a, one);
    listen_as(&rig, &rig.dev, &b, two);
    listen_as(&rig, &rig.ops, &c, foreign);
    said[0] = '\0';
    (void)say(&rig, &rig.dev, a.session, SUBSCRIBE("1", "file:///b/x"), &got);
    CHECK(got_has(&got, "4030") && sent_count == 4);
    (void)say(&rig, &rig.dev, a.session, SUBSCRIBE("2", "file:///a/x"), &got);
    CHECK(sent_has(4, "resources/subscribe") &&
          sent_has(4, "\"params\":{\"uri\":\"file:///a/x\"}"));
    answer_json(4, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}");
    CHECK(got.count == 1 && got_has(&got, "\"result\""));
    (void)say(&rig, &rig.dev, a.session, GET_X("3"), &stream_of);
    begin_stream(5);
    stream(&rig, 5, UPDATED("file:///a/x") UPDATED("file:///a/y") UPDATED("file:///b/x"));
    CHECK_STR(str_of(said),
              STR("one {\"jsonrpc\":\"2.0\",\"method\":\"notifications/resources/updated\","
                  "\"params\":{\"uri\":\"file:///a/x\"}}\n"));
    /* A second session has the same server: it goes on hearing when the first has heard enough. */
    (void)say(&rig, &rig.dev, b.session, SUBSCRIBE("1", "file:///a/x"), &got);
    answer_json(6, "{\"jsonrpc\":\"2.0\",\"id\":ID,\"result\":{}}");
    (void)say(&rig, &rig.dev, a.session, UNSUBSCRIBE("4", "file:///a/x"), &got);
    CHECK(got.count == 1 && sent_count == 7);
    said[0] = '\0';
    stream(&rig, 5, UPDATED("file:///a/x"));
    CHECK(strncmp(said, "two ", 4) == 0 && strstr(said, "one") == NULL);
    (void)say(&rig, &rig.dev, b.session, UNSUBSCRIBE("2", "file:///a/x"), &got);
    CHECK(sent_has(7, "resources/unsubscribe"));
    said[0] = '\0';
    stream(&rig, 5, UPDATED("file:///a/x"));
    CHECK(said[0] == '\0');
    rig_close(&rig);
}

static void lists_are_told_to_all_of_the_principal(void)
{
    static char one[] = "one ", two[] = "two ", foreign[] = "foreign ";
    struct rig rig;
    struct got a, b, c, stream_of;
    open_legacy(&rig, &a);
    greet(&rig, &rig.dev, &b);
    greet(&rig, &rig.ops, &c);
    listen_as(&rig, &rig.dev, &a, one);
    listen_as(&rig, &rig.dev, &b, two);
    listen_as(&rig, &rig.ops, &c, foreign);
    said[0] = '\0';
    (void)say(&rig, &rig.dev, a.session, GET_X("3"), &stream_of);
    begin_stream(4);
    stream(&rig, 4,
           EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/tools/list_changed\"}")
               EVENT("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/prompts/list_changed\"}"));
    CHECK(strstr(said, "one ") && strstr(said, "two ") && !strstr(said, "foreign"));
    CHECK(!strstr(said, "prompts")); /* the policy has none */
    CHECK(stream_of.event_count == 0);
    rig_close(&rig);
}

int main(void)
{
    RUN(progress_has_the_clients_token);
    RUN(no_token_no_progress);
    RUN(streams_do_not_mix);
    RUN(logging_is_the_policys);
    RUN(levels_are_kept);
    RUN(the_stateless_era_asks_each_time);
    RUN(a_slow_client_pauses_the_server);
    RUN(a_slow_client_pauses_a_child);
    RUN(changes_reach_their_subscribers);
    RUN(lists_are_told_to_all_of_the_principal);
    return check_finish();
}
