/* SPDX-License-Identifier: Apache-2.0 */
/* relay.c - notifications of servers to clients.
 *
 * Nothing is passed on that is not known: a notification that is not in these tables, or lacks what
 * it must have, is dropped. Which client it is for is never read from the message alone: a call is
 * found by our own token or by the stream it came on, a session by the upstream's principal.
 */
#include "runtime/gateway/relay.h"

#include "runtime/gateway/ask.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/revision.h"
#include "runtime/gateway/subscription.h"

#include <math.h>
#include <stdlib.h>

enum {
    TOKEN_BYTES_MAX = 256, /* of a client's progress token, as JSON */
    NUMBER_BYTES_MAX = 40, /* of a progress value that is compared */
};

static const Str levels[] = {
    STR_INIT("debug"), STR_INIT("info"),     STR_INIT("notice"), STR_INIT("warning"),
    STR_INIT("error"), STR_INIT("critical"), STR_INIT("alert"),  STR_INIT("emergency"),
};

int relay_level(Str word)
{
    for (size_t i = 0; i < COUNT(levels); i++)
        if (str_eq(levels[i], word))
            return (int)i;
    return LOG_LEVEL_NONE;
}

Str relay_level_word(int level)
{
    return level < 0 ? STR("") : levels[level];
}

/* Could the policy allow this caller a message of that kind and name? Empty: of any name. */
static bool is_possible(struct gateway *gateway, const struct caller *caller,
                        enum message_kind kind, Str name)
{
    struct vm *vm = policies_get(gateway->policies, caller->policy);
    struct vm_question question = { .server = server_alias(caller->server),
                                    .kind = kind,
                                    .principal = &caller->principal };
    if (!vm)
        return false;
    return name.n ? vm_may_allow(vm, &question, name) : vm_may_allow_some(vm, &question, name);
}

/* A token is a string or an integer; anything else is as good as none. */
static Str read_token(const struct json_doc *doc, uint32_t meta)
{
    uint32_t at = json_member(doc, meta, STR("progressToken"));
    const struct json_node *node = at == JSON_NONE ? NULL : json_at(doc, at);
    bool is_token = node && (node->type == JSON_STRING ||
                             (node->type == JSON_NUMBER && (node->flags & JSON_INTEGER) &&
                              !(node->flags & JSON_UNSAFE_NUMBER)));
    Str raw = is_token ? json_raw(doc, at) : STR("");
    return raw.n <= TOKEN_BYTES_MAX ? raw : STR("");
}

void relay_read_meta(struct call *call, const struct request *request)
{
    const struct json_doc *doc = &request->doc;
    uint32_t meta = request->message.meta;
    call->log_level = LOG_LEVEL_NONE;
    call->progress = -HUGE_VAL;
    if (meta == JSON_NONE || !call->event)
        return;
    call->progress_token = arena_copy(&call->mem, read_token(doc, meta));
    if (call->era != ERA_MODERN ||
        !is_possible(call->gateway, &call->caller, KIND_LOGGING, STR("")))
        return;
    call->log_level = relay_level(json_member_string(doc, meta, META_LOG_LEVEL));
}

static void write_member(struct buf *out, const struct json_doc *doc, uint32_t params, Str key)
{
    uint32_t at = json_member(doc, params, key);
    if (at == JSON_NONE)
        return;
    jsonrpc_write_key(out, key);
    json_write_value(out, doc, at);
}

/* A notification of that method with these members of params. */
static void write_notification(struct buf *out, Str method, const struct buf *params)
{
    jsonrpc_write_notification(out, method, buf_str(params));
    out->is_full = out->is_full || params->is_full;
}

/* ------------------------------- progress -------------------------------- */

/* False: not a number that rises. */
static bool take_progress(struct call *call, const struct json_doc *doc, uint32_t params)
{
    char text[NUMBER_BYTES_MAX + 1];
    uint32_t at = json_member(doc, params, STR("progress"));
    if (at == JSON_NONE || json_at(doc, at)->type != JSON_NUMBER)
        return false;
    Str digits = json_text(json_at(doc, at));
    if (digits.n > NUMBER_BYTES_MAX)
        return false;
    memcpy(text, digits.p, digits.n);
    text[digits.n] = '\0';
    double value = strtod(text, NULL);
    bool rises = isfinite(value) && value > call->progress;
    if (rises)
        call->progress = value;
    return rises;
}

static void say_progress(struct call *call, const struct json_doc *doc, uint32_t params)
{
    struct buf members, text;
    if (!call->progress_token.n || !take_progress(call, doc, params))
        return;
    buf_init(&members, call->gateway->limits.max_result_bytes);
    buf_init(&text, (size_t)call->gateway->limits.max_result_bytes + REPLY_FRAME_MAX);
    buf_add(&members, STR("{\"progressToken\":"));
    buf_add(&members, call->progress_token);
    write_member(&members, doc, params, STR("progress"));
    write_member(&members, doc, params, STR("total"));
    write_member(&members, doc, params, STR("message"));
    buf_add_char(&members, '}');
    write_notification(&text, STR("notifications/progress"), &members);
    if (!text.is_full)
        call_say(call, buf_str(&text));
    buf_free(&members);
    buf_free(&text);
}

/* -------------------------------- logging -------------------------------- */

/* Writes the notification; false when it is none. */
static bool write_log(struct buf *out, const struct gateway *gateway, const struct json_doc *doc,
                      uint32_t params)
{
    struct buf members;
    if (json_member(doc, params, STR("data")) == JSON_NONE)
        return false;
    buf_init(&members, gateway->limits.max_result_bytes);
    buf_add_char(&members, '{');
    write_member(&members, doc, params, STR("level"));
    write_member(&members, doc, params, STR("logger"));
    write_member(&members, doc, params, STR("data"));
    buf_add_char(&members, '}');
    write_notification(out, STR("notifications/message"), &members);
    buf_free(&members);
    return !out->is_full;
}

static void say_log(struct call *call, const struct json_doc *doc, uint32_t params)
{
    struct buf text;
    int level = relay_level(json_member_string(doc, params, STR("level")));
    const struct session *session = call->session;
    int wanted = session ? session->log_level : call->log_level;
    bool is_wanted = call->era == ERA_LEGACY || wanted != LOG_LEVEL_NONE;
    if (level == LOG_LEVEL_NONE || !is_wanted || level < wanted ||
        !is_possible(call->gateway, &call->caller, KIND_LOGGING, STR("")))
        return;
    buf_init(&text, (size_t)call->gateway->limits.max_result_bytes + REPLY_FRAME_MAX);
    if (write_log(&text, call->gateway, doc, params))
        call_say(call, buf_str(&text));
    buf_free(&text);
}

void relay_said(void *user, const struct json_doc *doc, const struct jsonrpc_message *message)
{
    struct call *call = user;
    if (!call->event || message->params == JSON_NONE)
        return;
    if (str_eq(message->method, STR("notifications/progress")))
        say_progress(call, doc, message->params);
    else if (str_eq(message->method, STR("notifications/message")))
        say_log(call, doc, message->params);
}

/* ------------------------- what is about no call ------------------------- */

static const struct {
    Str method;
    enum message_kind kind;
} lists[] = {
    { STR_INIT("notifications/tools/list_changed"), KIND_TOOL },
    { STR_INIT("notifications/prompts/list_changed"), KIND_PROMPT },
    { STR_INIT("notifications/resources/list_changed"), KIND_RESOURCE },
};

struct heard {
    struct gateway *gateway;
    const struct json_doc *doc;
    const struct jsonrpc_message *message;
    struct upstream_key key; /* whose upstream says it */
    const struct server *server;
};

static void say(struct session *session, const struct buf *text)
{
    if (session->say)
        session->say(session, buf_str(text));
}

static void hear_log(const struct heard *heard, struct session *session)
{
    struct buf text;
    uint32_t params = heard->message->params;
    if (params == JSON_NONE)
        return;
    int level = relay_level(json_member_string(heard->doc, params, STR("level")));
    if (level == LOG_LEVEL_NONE || level < session->log_level ||
        !is_possible(heard->gateway, &session->caller, KIND_LOGGING, STR("")))
        return;
    buf_init(&text, (size_t)heard->gateway->limits.max_result_bytes + REPLY_FRAME_MAX);
    if (write_log(&text, heard->gateway, heard->doc, params))
        say(session, &text);
    buf_free(&text);
}

static void hear_list(const struct heard *heard, struct session *session, size_t which)
{
    struct buf text;
    if (!is_possible(heard->gateway, &session->caller, lists[which].kind, STR("")))
        return;
    buf_init(&text, REPLY_FRAME_MAX);
    jsonrpc_write_notification(&text, lists[which].method, (Str){ 0 });
    say(session, &text);
    buf_free(&text);
}

static void hear_update(const struct heard *heard, struct session *session)
{
    struct buf params, text;
    if (heard->message->params == JSON_NONE)
        return;
    Str uri = json_member_string(heard->doc, heard->message->params, STR("uri"));
    if (!subscription_has(session, uri) ||
        !is_possible(heard->gateway, &session->caller, KIND_RESOURCE, uri))
        return;
    buf_init(&params, REPLY_FRAME_MAX);
    buf_init(&text, (size_t)2 * REPLY_FRAME_MAX);
    buf_add(&params, STR("{\"uri\":"));
    json_write_string(&params, uri);
    buf_add_char(&params, '}');
    write_notification(&text, STR("notifications/resources/updated"), &params);
    if (!text.is_full)
        say(session, &text);
    buf_free(&params);
    buf_free(&text);
}

static void hear(void *user, struct session *session)
{
    const struct heard *heard = user;
    Str method = heard->message->method;
    struct upstream_key key = caller_key(&session->caller);
    if (session->caller.server != heard->server || !str_eq(key.principal, heard->key.principal) ||
        !str_eq(key.session, heard->key.session))
        return;
    if (str_eq(method, STR("notifications/cancelled")))
        ask_withdrawn(session, heard->doc, heard->message);
    if (str_eq(method, STR("notifications/message")))
        hear_log(heard, session);
    if (str_eq(method, STR("notifications/resources/updated")))
        hear_update(heard, session);
    for (size_t i = 0; i < COUNT(lists); i++)
        if (str_eq(method, lists[i].method))
            hear_list(heard, session, i);
}

void relay_heard(void *user, struct upstream *upstream, const struct json_doc *doc,
                 const struct jsonrpc_message *message)
{
    struct gateway *gateway = user;
    struct heard heard = { .gateway = gateway,
                           .doc = doc,
                           .message = message,
                           .key = upstream_key_of(upstream),
                           .server = upstream_server(upstream) };
    sessions_each(gateway->sessions, hear, &heard);
    if (gateway->local)
        hear(&heard, gateway->local);
}
