/* SPDX-License-Identifier: Apache-2.0 */
/* token_answer.c - three questions of every answer: is it final, is it a yes, and what was given.
 */
#include "runtime/oauth/token_answer.h"

#include "runtime/oauth/json_read.h"

static const struct {
    Str word;
    const char *text;
} errors[OAUTH_ERROR_COUNT] = {
#define OAUTH_ERROR(NAME, word, text) [OAUTH_##NAME] = { STR_INIT(word), (text) },
#include "runtime/oauth/oauth_error.def"
#undef OAUTH_ERROR
};

enum oauth_error oauth_error_read(Str word)
{
    for (size_t i = OAUTH_OTHER + 1; i < OAUTH_ERROR_COUNT; i++) {
        if (str_eq(word, errors[i].word))
            return (enum oauth_error)i;
    }
    return OAUTH_OTHER;
}

const char *oauth_error_text(enum oauth_error error)
{
    return error < OAUTH_ERROR_COUNT ? errors[error].text : errors[OAUTH_OTHER].text;
}

static bool is_transient_status(int status)
{
    return status == 408 || status == 425 || status == 429 || status >= 500;
}

static enum oauth_outcome refusal_outcome(int status, enum oauth_error error)
{
    bool is_transient = is_transient_status(status) || error == OAUTH_SERVER_ERROR ||
                        error == OAUTH_TEMPORARILY_UNAVAILABLE;
    return is_transient ? OUTCOME_TRANSIENT : OUTCOME_REFUSED;
}

/* The document, unless the answer is a refusal: then false, with outcome and error set. */
static bool open_answer(int status, Str text, struct arena *mem, struct json_doc *doc,
                        enum oauth_outcome *outcome, enum oauth_error *error)
{
    Str word = { NULL, 0 };
    bool is_success = status >= 200 && status < 300;
    bool is_json = oauth_json_read(text, ANSWER_BYTES_MAX, mem, doc) == ST_OK;
    bool has_word = is_json && read_string(doc, STR("error"), &word) && word.n;
    *error = has_word ? oauth_error_read(word) : OAUTH_OTHER;
    if (!is_success || has_word)
        *outcome = refusal_outcome(status, *error);
    else
        *outcome = is_json ? OUTCOME_GRANTED : OUTCOME_MALFORMED;
    return *outcome == OUTCOME_GRANTED;
}

/* VSCHAR without the space (RFC 6750's b64token is narrower; providers are not). */
static bool is_token(Str token)
{
    for (size_t i = 0; i < token.n; i++) {
        if (token.p[i] <= ' ' || token.p[i] > '~')
            return false;
    }
    return token.n > 0 && token.n <= TOKEN_BYTES_MAX;
}

static int64_t read_seconds(const struct json_doc *doc, Str key, int64_t max)
{
    uint64_t seconds;
    uint32_t index = json_member(doc, 0, key);
    if (index == JSON_NONE)
        return 0;
    const struct json_node *node = json_at(doc, index);
    bool is_number = node->type == JSON_NUMBER || node->type == JSON_STRING; /* some write "3600" */
    if (!is_number || !str_to_u64(json_text(node), INT64_MAX, &seconds))
        return 0;
    return seconds > (uint64_t)max ? max : (int64_t)seconds;
}

static bool read_token(const struct json_doc *doc, char separator, struct token_answer *out)
{
    Str type = { NULL, 0 }, scope = { NULL, 0 };
    if (!read_string(doc, STR("access_token"), &out->access_token) ||
        !is_token(out->access_token) || !read_string(doc, STR("token_type"), &type) ||
        !str_eq_nocase(type, STR("Bearer")))
        return false;
    if (!read_string(doc, STR("refresh_token"), &out->refresh_token) ||
        !is_token(out->refresh_token))
        out->refresh_token = (Str){ NULL, 0 };
    out->life_s = read_seconds(doc, STR("expires_in"), TOKEN_LIFE_MAX_S);
    out->has_scopes = read_string(doc, STR("scope"), &scope) && scope.p &&
                      scope_add_list(&out->scopes, scope, separator);
    if (!out->has_scopes)
        out->scopes.count = 0;
    return true;
}

void token_answer_read(int status, Str text, char separator, struct arena *mem,
                       struct token_answer *out)
{
    struct json_doc doc;
    *out = (struct token_answer){ .outcome = OUTCOME_MALFORMED };
    if (!open_answer(status, text, mem, &doc, &out->outcome, &out->error))
        return;
    if (!read_token(&doc, separator, out))
        *out = (struct token_answer){ .outcome = OUTCOME_MALFORMED };
}

static bool is_credential(Str text, size_t max)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    }
    return text.n <= max;
}

static bool read_client(const struct json_doc *doc, struct registration *out)
{
    Str method = { NULL, 0 };
    if (!read_string(doc, STR("client_id"), &out->client_id) || out->client_id.n == 0 ||
        !is_credential(out->client_id, CLIENT_ID_MAX) ||
        !read_string(doc, STR("client_secret"), &out->client_secret) ||
        !is_credential(out->client_secret, CLIENT_SECRET_MAX) ||
        !read_string(doc, STR("token_endpoint_auth_method"), &method))
        return false;
    out->expires_s = read_seconds(doc, STR("client_secret_expires_at"), INT64_MAX / 1000);
    out->has_method = method.p != NULL;
    return !out->has_method || client_auth_read(method, &out->method);
}

void registration_answer_read(int status, Str text, struct arena *mem,
                              struct registration_answer *out)
{
    struct json_doc doc;
    *out = (struct registration_answer){ .outcome = OUTCOME_MALFORMED };
    if (!open_answer(status, text, mem, &doc, &out->outcome, &out->error))
        return;
    if (!read_client(&doc, &out->client))
        *out = (struct registration_answer){ .outcome = OUTCOME_MALFORMED };
}
