/* SPDX-License-Identifier: Apache-2.0 */
/* ask.c - questions of servers on their way to a client, and the answers back.
 *
 * A question that can't be put is refused at once, in our words: no server is left waiting for what
 * nobody will say. It never leaves without its line in the audit log.
 */
#include "runtime/gateway/ask.h"

#include "runtime/base/world.h"
#include "runtime/gateway/decide.h"
#include "runtime/gateway/denial.h"

#include <stdlib.h>

enum {
    DENIAL_BYTES_MAX = 256 * 1024, /* of a whole denial, its texts escaped */
    ID_BYTES_MAX = 64,             /* of an id of ours, as a message has it */
};

struct ask {
    struct ask *next; /* in session->asks */
    uint64_t number;  /* the id that the client answers with */
    struct jsonrpc_id id;
    char id_text[JSONRPC_ID_MAX]; /* of id, the server's */
    int64_t until_ms;
};

/* Members of params that travel. */
static const struct {
    Str method;
    Str members[10]; /* empty: no more */
} known[] = {
    { STR_INIT("sampling/createMessage"),
      { STR_INIT("messages"), STR_INIT("modelPreferences"), STR_INIT("systemPrompt"),
        STR_INIT("includeContext"), STR_INIT("temperature"), STR_INIT("maxTokens"),
        STR_INIT("stopSequences"), STR_INIT("metadata"), STR_INIT("tools"),
        STR_INIT("toolChoice") } },
    { STR_INIT("elicitation/create"),
      { STR_INIT("mode"), STR_INIT("message"), STR_INIT("requestedSchema"), STR_INIT("url"),
        STR_INIT("elicitationId") } },
    { STR_INIT("roots/list"), { { .p = NULL, .n = 0 } } },
};

static bool has(const struct json_doc *doc, uint32_t object, Str key)
{
    return object != JSON_NONE && json_member(doc, object, key) != JSON_NONE;
}

uint32_t offers_allowed(struct gateway *gateway, const struct caller *caller, uint32_t declared)
{
    static const struct {
        uint32_t offers;
        enum message_kind kind;
        Str name; /* empty: any */
    } rows[] = {
        { OFFER_SAMPLING | OFFER_SAMPLING_TOOLS, KIND_SAMPLING, STR_INIT("") },
        { OFFER_FORM, KIND_ELICITATION, STR_INIT("form") },
        { OFFER_URL, KIND_ELICITATION, STR_INIT("url") },
        { OFFER_ROOTS, KIND_ROOTS, STR_INIT("") },
    };
    struct vm *vm = declared ? policies_get(gateway->policies, caller->policy) : NULL;
    uint32_t allowed = 0;
    for (size_t i = 0; i < COUNT(rows) && vm; i++) {
        struct vm_question question = { .server = server_alias(caller->server),
                                        .kind = rows[i].kind,
                                        .principal = &caller->principal };
        bool is_possible = rows[i].name.n ? vm_may_allow(vm, &question, rows[i].name)
                                          : vm_may_allow_some(vm, &question, STR(""));
        allowed |= is_possible ? rows[i].offers : 0;
    }
    return declared & allowed;
}

/* ------------------------------- questions ------------------------------- */

/* The offer that the question needs; 0: there is no such thing to ask. */
static uint32_t needed(const struct asked *asked, const struct json_doc *doc)
{
    switch (asked->method->kind) {
    case KIND_SAMPLING:
        return has(doc, asked->arguments, STR("tools")) ? OFFER_SAMPLING_TOOLS : OFFER_SAMPLING;
    case KIND_ELICITATION:
        return str_eq(asked->name, STR("form"))  ? OFFER_FORM
               : str_eq(asked->name, STR("url")) ? OFFER_URL
                                                 : 0;
    case KIND_ROOTS: return OFFER_ROOTS;
    case KIND_TOOL:
    case KIND_RESOURCE:
    case KIND_PROMPT:
    case KIND_COMPLETION:
    case KIND_LOGGING:
    case KIND_COUNT: break;
    }
    return 0;
}

/* False: it is no question that this upstream may put. */
static bool read_question(const struct upstream *upstream, const struct json_doc *doc,
                          const struct jsonrpc_message *message, struct asked *out)
{
    *out = (struct asked){ .method = kind_method_find(message->method),
                           .doc = doc,
                           .arguments = message->params,
                           .standing = { .kind = STANDING_FREE } };
    if (!out->method || out->method->way != WAY_TO_CLIENT)
        return false;
    if (out->method->name == PLACE_MODE)
        out->name = has(doc, message->params, STR("mode"))
                        ? json_member_string(doc, message->params, STR("mode"))
                        : STR("form");
    uint32_t offer = needed(out, doc);
    return offer && (upstream_key_of(upstream).offers & offer) == offer;
}

static void write_question(struct buf *out, uint64_t number, const struct asked *asked,
                           const struct decision *decision)
{
    const struct json_doc *doc = decision->rewritten ? decision->rewritten : asked->doc;
    uint32_t object = decision->rewritten ? 0 : asked->arguments;
    bool has_object = decision->rewritten || object != JSON_NONE;
    struct buf params;
    buf_init(&params, out->limit);
    buf_add_char(&params, '{');
    for (size_t i = 0; i < COUNT(known) && has_object; i++) {
        if (!str_eq(known[i].method, asked->method->method))
            continue;
        for (size_t k = 0; k < COUNT(known[i].members) && known[i].members[k].n; k++) {
            uint32_t at = json_member(doc, object, known[i].members[k]);
            if (at == JSON_NONE)
                continue;
            jsonrpc_write_key(&params, known[i].members[k]);
            json_write_value(&params, doc, at);
        }
    }
    buf_add_char(&params, '}');
    jsonrpc_write_request(out, number, asked->method->method, buf_str(&params));
    out->is_full = out->is_full || params.is_full;
    buf_free(&params);
}

static size_t count_asks(const struct session *session)
{
    size_t count = 0;
    for (const struct ask *ask = session->asks; ask; ask = ask->next)
        count++;
    return count;
}

static struct ask *ask_new(struct gateway *gateway, struct session *session, struct jsonrpc_id id)
{
    struct ask *ask = count_asks(session) < ASKS_MAX ? calloc(1, sizeof *ask) : NULL;
    if (!ask)
        return NULL;
    ENSURE(id.text.n <= sizeof ask->id_text);
    memcpy(ask->id_text, id.text.p, id.text.n);
    ask->id = id;
    ask->id.text = (Str){ .p = ask->id_text, .n = id.text.n };
    ask->number = ++session->ask_count;
    ask->until_ms = world_mono_ms() + gateway->limits.ask_timeout_ms;
    ask->next = session->asks;
    session->asks = ask;
    return ask;
}

/* On the call's own stream, else on the session's. False: there is none. */
static bool put(struct call *call, struct session *session, Str text)
{
    if (call && call->event)
        call_say(call, text);
    else if (session->say)
        session->say(session, text);
    else
        return false;
    return true;
}

static void refuse(struct upstream *upstream, struct jsonrpc_id id, int64_t code, const char *why)
{
    struct buf out;
    buf_init(&out, REPLY_FRAME_MAX);
    jsonrpc_write_error(&out, id, code, str_of(why), (Str){ 0 });
    upstream_respond(upstream, buf_str(&out));
    buf_free(&out);
}

static void deny(struct upstream *upstream, struct jsonrpc_id id,
                 const struct verdict_text *verdict)
{
    struct buf out;
    buf_init(&out, DENIAL_BYTES_MAX);
    denial_write_error(&out, id, verdict);
    if (!out.is_full)
        upstream_respond(upstream, buf_str(&out));
    buf_free(&out);
}

struct question {
    struct gateway *gateway;
    struct upstream *upstream;
    struct session *session;
    struct call *call; /* that it is about; NULL: not known */
    struct jsonrpc_id id;
};

static void forward(const struct question *question, const struct asked *asked,
                    const struct decision *decision)
{
    struct gateway *gateway = question->gateway;
    struct session *session = question->session;
    struct ask *ask = ask_new(gateway, session, question->id);
    struct buf text;
    bool is_put = false;
    if (ask) {
        buf_init(&text, (size_t)gateway->limits.max_result_bytes + REPLY_FRAME_MAX);
        write_question(&text, ask->number, asked, decision);
        is_put = !text.is_full && put(question->call, session, buf_str(&text));
        buf_free(&text);
    }
    if (is_put) {
        upstream_give_time(question->upstream, gateway->limits.ask_timeout_ms);
        return;
    }
    if (ask) {
        session->asks = ask->next; /* it was put in front */
        free(ask);
    }
    refuse(question->upstream, question->id, JSONRPC_INTERNAL_ERROR,
           "the client can't be asked now");
}

struct search {
    Str id;
    struct session *found;
};

static void match(void *user, struct session *session)
{
    struct search *search = user;
    if (str_eq((Str){ .p = session->id, .n = SESSION_ID_TEXT }, search->id))
        search->found = session;
}

/* Whose upstream it is. */
static struct session *session_of(struct gateway *gateway, const struct upstream *upstream)
{
    struct upstream_key key = upstream_key_of(upstream);
    struct search search = { .id = key.session };
    if (!key.session.n)
        return NULL;
    if (gateway->local)
        return gateway->local;
    sessions_each(gateway->sessions, match, &search);
    return search.found;
}

void ask_take(void *user, struct upstream *upstream, void *call, const struct json_doc *doc,
              const struct jsonrpc_message *message)
{
    struct question question = { .gateway = user,
                                 .upstream = upstream,
                                 .session = session_of(user, upstream),
                                 .call = call,
                                 .id = message->id };
    struct asked asked;
    struct verdict_text verdict;
    if (!question.session || !read_question(upstream, doc, message, &asked)) {
        refuse(upstream, message->id, JSONRPC_METHOD_NOT_FOUND,
               "the gateway offers no such method");
        return;
    }
    const struct caller *caller = &question.session->caller;
    struct vm *vm = policies_get(question.gateway->policies, caller->policy);
    switch (decide_call(question.gateway->audit, vm, caller, &asked, &verdict)) {
    case DECIDED_ALLOW: forward(&question, &asked, &verdict.decision); break;
    case DECIDED_DENY: deny(upstream, message->id, &verdict); break;
    case DECIDED_WAIT: /* only tools wait */
    case DECIDED_UNRECORDED:
        refuse(upstream, message->id, JSONRPC_INTERNAL_ERROR, "the decision was not recorded");
        break;
    }
}

/* -------------------------------- answers -------------------------------- */

static struct upstream *upstream_of(const struct session *session)
{
    struct upstream_key key = caller_key(&session->caller);
    return upstream_find(session->caller.server, &key);
}

static void unlink_ask(struct session *session, struct ask *ask)
{
    struct ask **link = &session->asks;
    while (*link != ask)
        link = &(*link)->next;
    *link = ask->next;
}

static void write_answer(struct buf *out, const struct ask *ask, const struct json_doc *doc,
                         const struct jsonrpc_message *message)
{
    struct buf value;
    buf_init(&value, out->limit);
    if (message->kind == JSONRPC_ERROR) {
        jsonrpc_write_error(out, ask->id, message->error_code, message->error_message, STR(""));
    } else if (json_at(doc, message->result)->type != JSON_OBJECT) {
        jsonrpc_write_error(out, ask->id, JSONRPC_INTERNAL_ERROR,
                            STR("the client's answer is no object"), STR(""));
    } else {
        json_write_value(&value, doc, message->result);
        jsonrpc_write_result(out, ask->id, buf_str(&value));
    }
    out->is_full = out->is_full || value.is_full;
    buf_free(&value);
}

bool ask_answer(struct gateway *gateway, struct session *session, const struct json_doc *doc,
                const struct jsonrpc_message *message)
{
    uint64_t number;
    if (!message->id.is_present || message->id.is_string ||
        !str_to_u64(message->id.text, UINT64_MAX, &number))
        return false;
    struct ask *ask = session->asks;
    while (ask && ask->number != number)
        ask = ask->next;
    if (!ask)
        return false;
    unlink_ask(session, ask);
    struct upstream *upstream = upstream_of(session);
    struct buf out;
    buf_init(&out, (size_t)gateway->limits.max_body_bytes + REPLY_FRAME_MAX);
    write_answer(&out, ask, doc, message);
    if (upstream && !out.is_full) {
        upstream_respond(upstream, buf_str(&out));
        if (!session->asks)
            upstream_give_time(upstream, gateway->limits.upstream_timeout_ms);
    }
    buf_free(&out);
    free(ask);
    return true;
}

void ask_withdrawn(struct session *session, const struct json_doc *doc,
                   const struct jsonrpc_message *message)
{
    uint32_t at = message->params == JSON_NONE
                      ? JSON_NONE
                      : json_member(doc, message->params, STR("requestId"));
    if (at == JSON_NONE)
        return;
    const struct json_node *node = json_at(doc, at);
    struct jsonrpc_id id = { .is_present = true,
                             .is_string = node->type == JSON_STRING,
                             .text = json_text(node) };
    struct ask *ask = session->asks;
    while (ask && !jsonrpc_id_eq(ask->id, id))
        ask = ask->next;
    if (!ask || (node->type != JSON_STRING && node->type != JSON_NUMBER))
        return;
    struct buf params, text;
    buf_init(&params, ID_BYTES_MAX);
    buf_init(&text, REPLY_FRAME_MAX);
    buf_printf(&params, "{\"requestId\":%llu}", (unsigned long long)ask->number);
    jsonrpc_write_notification(&text, STR("notifications/cancelled"), buf_str(&params));
    if (session->say)
        session->say(session, buf_str(&text));
    buf_free(&params);
    buf_free(&text);
    unlink_ask(session, ask);
    free(ask);
}

void asks_sweep(struct gateway *gateway, struct session *session)
{
    (void)gateway;
    int64_t now = world_mono_ms();
    for (struct ask *ask = session->asks, *next; ask; ask = next) {
        next = ask->next;
        if (ask->until_ms > now)
            continue;
        struct upstream *upstream = upstream_of(session);
        if (upstream)
            refuse(upstream, ask->id, JSONRPC_INTERNAL_ERROR, "the client did not answer in time");
        unlink_ask(session, ask);
        free(ask);
    }
}

void asks_free(struct session *session)
{
    while (session->asks) {
        struct ask *ask = session->asks;
        session->asks = ask->next;
        free(ask);
    }
}
