/* SPDX-License-Identifier: Apache-2.0 */
/* test_oauth_read.c - documents and redirects of servers that may be hostile: metadata, token and
 * registration answers, callbacks. */
#include "runtime/oauth/callback.h"
#include "runtime/oauth/metadata.h"
#include "runtime/oauth/token_answer.h"
#include "tests/unit/check.h"

enum { ARENA_BYTES = 8 << 20 };

static struct arena mem;

static void test_resource_metadata(void)
{
    static const struct {
        const char *text;
        enum status want;
    } rows[] = {
        { "{\"resource\":\"https://a.test/mcp\",\"authorization_servers\":[\"https://as.test\"]}",
          ST_OK },
        { "{\"resource\":\"https://a.test\",\"authorization_servers\":[\"https://as.test\"],"
          "\"scopes_supported\":null,\"later\":{\"x\":[1]}}",
          ST_OK },
        { "{\"resource\":\"https://b.test/mcp\",\"authorization_servers\":[\"https://as.test\"]}",
          ST_DENIED },
        { "{\"resource\":\"mcp\",\"authorization_servers\":[\"https://as.test\"]}", ST_DENIED },
        { "{\"resource\":\"https://a.test/mcp\",\"authorization_servers\":[]}", ST_INVALID },
        { "{\"resource\":\"https://a.test/mcp\"}", ST_INVALID },
        { "{\"resource\":1,\"authorization_servers\":[\"https://as.test\"]}", ST_INVALID },
        { "{\"authorization_servers\":[\"https://as.test\"]}", ST_INVALID },
        { "{\"resource\":\"https://a.test/mcp\",\"authorization_servers\":[1]}", ST_INVALID },
        { "{\"resource\":\"https://a.test/mcp\",\"authorization_servers\":\"https://as.test\"}",
          ST_INVALID },
        { "{\"resource\":\"https://b.test\",\"resource\":\"https://a.test\","
          "\"authorization_servers\":[\"https://as.test\"]}",
          ST_INVALID },
        { "[]", ST_INVALID },
        { "", ST_INVALID },
        { "{}x", ST_INVALID },
    };
    struct web_url server;
    ENSURE(web_url_read(STR("https://a.test/mcp"), &mem, &server));
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct resource_metadata got;
        const char *why = NULL;
        enum status status =
            resource_metadata_read(str_of(rows[i].text), &server, &mem, &got, &why);
        CHECK_ROW(status == rows[i].want, "%s", rows[i].text);
        CHECK_ROW(status == ST_OK || why, "%s has a reason", rows[i].text);
    }
}

#define ENDS                                                                                       \
    "\"authorization_endpoint\":\"https://as.test/a\",\"token_endpoint\":\"https://as.test/t\""

static enum status read_issuer(const char *text, bool is_development, struct issuer_metadata *got)
{
    const char *why = NULL;
    struct issuer_question question = { STR("https://as.test"), is_development };
    enum status status = issuer_metadata_read(str_of(text), &question, &mem, got, &why);
    ENSURE(status == ST_OK || why);
    return status;
}

static void test_issuer_metadata(void)
{
    struct issuer_metadata got;
    CHECK(read_issuer("{\"issuer\":\"https://as.test\"," ENDS "}", false, &got) == ST_OK);
    CHECK(!got.has_s256 && !got.sends_iss && !got.reads_cimd && !got.registration_endpoint.p);
    CHECK(got.auth_mask == 1u << CLIENT_SECRET_BASIC);
    CHECK(read_issuer("{\"issuer\":\"https://as.test\"," ENDS
                      ",\"code_challenge_methods_supported\":[\"plain\",\"S256\"]"
                      ",\"token_endpoint_auth_methods_supported\":[\"none\",\"tls\","
                      "\"private_key_jwt\"]"
                      ",\"authorization_response_iss_parameter_supported\":true"
                      ",\"client_id_metadata_document_supported\":true"
                      ",\"registration_endpoint\":\"https://as.test/r\""
                      ",\"scopes_supported\":[\"openid\",\"not a scope\",\"offline_access\"]}",
                      false, &got) == ST_OK);
    CHECK(got.has_s256 && got.sends_iss && got.reads_cimd && got.scopes.count == 2);
    CHECK(got.auth_mask == (1u << CLIENT_NONE | 1u << CLIENT_PRIVATE_KEY_JWT));
    CHECK_STR(got.registration_endpoint, STR("https://as.test/r"));
}

static void test_issuer_refused(void)
{
    static const struct {
        const char *text;
        enum status want;
    } rows[] = {
        { "{\"issuer\":\"https://as.test/\"," ENDS "}", ST_DENIED },
        { "{\"issuer\":\"https://AS.test\"," ENDS "}", ST_DENIED },
        { "{\"issuer\":\"https://as.test:443\"," ENDS "}", ST_DENIED },
        { "{\"issuer\":\"https://evil.test\"," ENDS "}", ST_DENIED },
        { "{\"issuer\":\"https://as.test\\u0000\"," ENDS "}", ST_INVALID },
        { "{" ENDS "}", ST_DENIED },
        { "{\"issuer\":1," ENDS "}", ST_INVALID },
        { "{\"issuer\":\"https://as.test\"}", ST_INVALID },
        { "{\"issuer\":\"https://as.test\",\"token_endpoint\":\"http://as.test/t\"}", ST_DENIED },
        { "{\"issuer\":\"https://as.test\",\"token_endpoint\":\"http://127.0.0.1/t\"}", ST_DENIED },
        { "{\"issuer\":\"https://as.test\",\"token_endpoint\":\"https://u@as.test/t\"}",
          ST_DENIED },
        { "{\"issuer\":\"https://as.test\",\"token_endpoint\":\"\"}", ST_DENIED },
        { "{\"issuer\":\"https://as.test\"," ENDS
          ",\"revocation_endpoint\":\"javascript:alert(1)\"}",
          ST_DENIED },
        { "{\"issuer\":\"https://as.test\"," ENDS ",\"code_challenge_methods_supported\":\"S256\"}",
          ST_INVALID },
        { "{\"issuer\":\"https://as.test\"," ENDS
          ",\"authorization_response_iss_parameter_supported\":\"true\"}",
          ST_INVALID },
        { "{\"issuer\":\"https://as.test\"," ENDS ",\"token_endpoint\":\"https://evil.test\"}",
          ST_INVALID },
    };
    struct issuer_metadata got;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(read_issuer(rows[i].text, false, &got) == rows[i].want, "%s", rows[i].text);
    CHECK(read_issuer("{\"issuer\":\"https://as.test\",\"token_endpoint\":\"http://[::1]:1/t\"}",
                      true, &got) == ST_OK);
}

static void test_token_answers(void)
{
    static const struct {
        int status;
        const char *text;
        enum oauth_outcome outcome;
        enum oauth_error error;
    } rows[] = {
        { 200, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", OUTCOME_GRANTED, 0 },
        { 200, "{\"access_token\":\"a\",\"token_type\":\"bearer\",\"refresh_token\":null}",
          OUTCOME_GRANTED, 0 },
        { 200, "{\"access_token\":\"a\"}", OUTCOME_MALFORMED, 0 },
        { 200, "{\"access_token\":\"a\",\"token_type\":\"DPoP\"}", OUTCOME_MALFORMED, 0 },
        { 200, "{\"access_token\":\"a\\r\\nX: y\",\"token_type\":\"Bearer\"}", OUTCOME_MALFORMED,
          0 },
        { 200, "{\"access_token\":\"a\\u0000b\",\"token_type\":\"Bearer\"}", OUTCOME_MALFORMED, 0 },
        { 200, "{\"access_token\":\"a\",\"access_token\":\"b\",\"token_type\":\"Bearer\"}",
          OUTCOME_MALFORMED, 0 },
        { 200, "{\"access_token\":\"\",\"token_type\":\"Bearer\"}", OUTCOME_MALFORMED, 0 },
        { 200, "access_token=a&token_type=bearer", OUTCOME_MALFORMED, 0 },
        { 200, "{\"error\":\"bad_verification_code\"}", OUTCOME_REFUSED, OAUTH_OTHER },
        { 200, "{\"error\":\"invalid_grant\",\"access_token\":\"a\",\"token_type\":\"Bearer\"}",
          OUTCOME_REFUSED, OAUTH_INVALID_GRANT },
        { 400, "{\"error\":\"invalid_grant\"}", OUTCOME_REFUSED, OAUTH_INVALID_GRANT },
        { 401, "{\"error\":\"invalid_client\"}", OUTCOME_REFUSED, OAUTH_INVALID_CLIENT },
        { 400, "<html>", OUTCOME_REFUSED, OAUTH_OTHER },
        { 302, "{\"access_token\":\"a\",\"token_type\":\"Bearer\"}", OUTCOME_REFUSED, OAUTH_OTHER },
        { 429, "{\"error\":\"slow_down\"}", OUTCOME_TRANSIENT, OAUTH_OTHER },
        { 503, "", OUTCOME_TRANSIENT, OAUTH_OTHER },
        { 500, "{\"error\":\"invalid_grant\"}", OUTCOME_TRANSIENT, OAUTH_INVALID_GRANT },
        { 400, "{\"error\":\"temporarily_unavailable\"}", OUTCOME_TRANSIENT,
          OAUTH_TEMPORARILY_UNAVAILABLE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token_answer got;
        token_answer_read(rows[i].status, str_of(rows[i].text), ' ', &mem, &got);
        CHECK_ROW(got.outcome == rows[i].outcome && got.error == rows[i].error, "%d %s",
                  rows[i].status, rows[i].text);
        CHECK_ROW(got.outcome == OUTCOME_GRANTED || !got.access_token.p, "%s", rows[i].text);
    }
}

/* What isn't needed never costs a token that may be the only one. */
static void test_token_details(void)
{
    static const struct {
        const char *more;
        int64_t life_s;
        bool has_refresh, has_scopes;
    } rows[] = {
        { "\"expires_in\":3600,\"refresh_token\":\"r\",\"scope\":\"a b\"", 3600, true, true },
        { "\"expires_in\":\"3600\"", 3600, false, false },
        { "\"expires_in\":0", 0, false, false },
        { "\"expires_in\":-1", 0, false, false },
        { "\"expires_in\":3600.5", 0, false, false },
        { "\"expires_in\":1e3", 0, false, false },
        { "\"expires_in\":true", 0, false, false },
        { "\"expires_in\":99999999999999", TOKEN_LIFE_MAX_S, false, false },
        { "\"refresh_token\":\"a b\"", 0, false, false },
        { "\"refresh_token\":7", 0, false, false },
        { "\"scope\":\"\"", 0, false, true },
        { "\"scope\":[\"a\"]", 0, false, false },
        { "\"scope\":\"a\\\\ b\"", 0, false, false },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct token_answer got;
        Str text = arena_printf(&mem, "{\"access_token\":\"a\",\"token_type\":\"Bearer\",%s}",
                                rows[i].more);
        token_answer_read(200, text, ' ', &mem, &got);
        CHECK_ROW(got.outcome == OUTCOME_GRANTED && got.life_s == rows[i].life_s &&
                      (got.refresh_token.n > 0) == rows[i].has_refresh &&
                      got.has_scopes == rows[i].has_scopes,
                  "%s", rows[i].more);
    }
    struct token_answer commas;
    token_answer_read(200,
                      STR("{\"access_token\":\"a\",\"token_type\":\"Bearer\","
                          "\"scope\":\"repo, user,,gist\"}"),
                      ',', &mem, &commas);
    CHECK(commas.scopes.count == 3 && str_eq(commas.scopes.items[1], STR("user")));
}

static void test_registrations(void)
{
    struct registration_answer got;
    registration_answer_read(201,
                             STR("{\"client_id\":\"c\",\"client_secret\":\"s\","
                                 "\"client_secret_expires_at\":12,"
                                 "\"token_endpoint_auth_method\":\"client_secret_post\"}"),
                             &mem, &got);
    CHECK(got.outcome == OUTCOME_GRANTED && got.client.expires_s == 12 && got.client.has_method &&
          got.client.method == CLIENT_SECRET_POST);
    registration_answer_read(201, STR("{\"client_id\":\"c\"}"), &mem, &got);
    CHECK(got.outcome == OUTCOME_GRANTED && !got.client.has_method && !got.client.client_secret.n);
    static const char *const bad[] = {
        "{}",
        "{\"client_id\":\"\"}",
        "{\"client_id\":1}",
        "{\"client_id\":\"a\\nb\"}",
        "{\"client_id\":\"a\",\"client_secret\":7}",
        "{\"client_id\":\"a\",\"token_endpoint_auth_method\":\"mystery\"}",
        "not json",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        registration_answer_read(201, str_of(bad[i]), &mem, &got);
        CHECK_ROW(got.outcome == OUTCOME_MALFORMED && !got.client.client_id.p, "%s", bad[i]);
    }
    registration_answer_read(400, STR("{\"error\":\"invalid_redirect_uri\"}"), &mem, &got);
    CHECK(got.outcome == OUTCOME_REFUSED && got.error == OAUTH_INVALID_REDIRECT_URI);
}

static void test_callbacks(void)
{
    static const struct {
        const char *query;
        bool sends_iss;
        enum callback_verdict want;
    } rows[] = {
        { "state=s&code=c", false, CALLBACK_CODE },
        { "code=c&state=s&session_state=x", false, CALLBACK_CODE },
        { "state=s&code=c", true, CALLBACK_NO_ISS },
        { "state=s&code=c&iss=https%3A%2F%2Fas.test", true, CALLBACK_CODE },
        { "state=s&code=c&iss=https%3A%2F%2Fas.test", false, CALLBACK_CODE },
        { "state=s&code=c&iss=https%3A%2F%2Fas.test%2F", true, CALLBACK_WRONG_ISS },
        { "state=s&code=c&iss=https%3A%2F%2FAS.test", false, CALLBACK_WRONG_ISS },
        { "state=s&code=c&iss=", false, CALLBACK_WRONG_ISS },
        { "state=s&error=access_denied", false, CALLBACK_ERROR },
        { "state=s&error=access_denied", true, CALLBACK_NO_ISS },
        { "state=s&error=x&iss=https://evil.test", true, CALLBACK_WRONG_ISS },
        { "state=s", false, CALLBACK_INCOMPLETE },
        { "state=s&code=", false, CALLBACK_INCOMPLETE },
        { "state=s&code=c&error=x", false, CALLBACK_INCOMPLETE },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct callback got;
        struct callback_expectation expected = { STR("https://as.test"), rows[i].sends_iss };
        if (CHECK_ROW(callback_read(str_of(rows[i].query), &mem, &got) == ST_OK, "%s",
                      rows[i].query))
            CHECK_ROW(callback_judge(&got, &expected) == rows[i].want, "%s", rows[i].query);
    }
}

static void test_callbacks_refused(void)
{
    static const Str rows[] = {
        STR_INIT(""),
        STR_INIT("code=c"),
        STR_INIT("state=&code=c"),
        STR_INIT("state=s&state=s&code=c"),
        STR_INIT("state=s&code=c&code=d"),
        STR_INIT("state=s&code=c&iss=a&%69ss=b"),
        STR_INIT("state=s&code=%"),
        STR_INIT("state=s&code=%0"),
        STR_INIT("state=s&code=%00"),
        STR_INIT("state=s&code=\0"),
        STR_INIT("state=s&code=%ff"),
    };
    static char longest[CALLBACK_BYTES_MAX + 1];
    struct callback got;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(callback_read(rows[i], &mem, &got) == ST_INVALID, "row %zu", i);
    memset(longest, '&', sizeof longest);
    memcpy(longest, "state=s", 7);
    CHECK(callback_read((Str){ longest, CALLBACK_BYTES_MAX }, &mem, &got) == ST_OK);
    CHECK(callback_read((Str){ longest, CALLBACK_BYTES_MAX + 1 }, &mem, &got) == ST_LIMIT);
}

int main(void)
{
    arena_init(&mem, ARENA_BYTES);
    RUN(test_resource_metadata);
    RUN(test_issuer_metadata);
    RUN(test_issuer_refused);
    RUN(test_token_answers);
    RUN(test_token_details);
    RUN(test_registrations);
    RUN(test_callbacks);
    RUN(test_callbacks_refused);
    arena_reset(&mem);
    return check_finish();
}
