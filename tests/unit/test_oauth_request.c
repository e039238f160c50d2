/* SPDX-License-Identifier: Apache-2.0 */
/* test_oauth_request.c - what goes out: scopes, forms, PKCE, client authentication, requests. */
#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/json/json.h"
#include "runtime/oauth/form.h"
#include "runtime/oauth/pkce.h"
#include "runtime/oauth/request.h"
#include "tests/unit/check.h"

enum { ARENA_BYTES = 1 << 20, OUT_MAX = 64 * 1024 };

static struct arena mem;

static void test_scopes(void)
{
    struct scope_set a = { .count = 0 }, b = { .count = 0 };
    CHECK(scope_add_list(&a, STR(" read  write read"), ' ') && a.count == 2);
    CHECK(scope_add_list(&b, STR("write admin"), ' ') && !scope_covers(&a, &b));
    CHECK(scope_union(&a, &b) && a.count == 3 && scope_covers(&a, &b));
    static const Str bad[] = { STR_INIT("a\"b"), STR_INIT("a\\b"), STR_INIT("\x7f"),
                               STR_INIT("a\0b"), STR_INIT("\xc3\xa4") };
    for (size_t i = 0; i < COUNT(bad); i++)
        CHECK_ROW(!scope_add(&a, bad[i]), "row %zu", i);
    CHECK(!scope_add(&a, STR("")) && !scope_add(&a, STR("a b")));
    static char names[SCOPES_MAX][8];
    struct scope_set full = { .count = 0 };
    for (int i = 0; i < SCOPES_MAX; i++) {
        int n = snprintf(names[i], sizeof names[i], "s%d", i);
        CHECK(scope_add(&full, (Str){ names[i], (size_t)n }));
    }
    CHECK(!scope_add(&full, STR("more")) && scope_add(&full, STR("s0")));
}

static struct scope_set set_of(const char *text)
{
    struct scope_set set = { .count = 0 };
    ENSURE(scope_add_list(&set, str_of(text), ' '));
    return set;
}

static void test_scope_choice(void)
{
    static const struct {
        const char *configured, *challenged, *resource, *issuer, *held, *want;
    } rows[] = {
        { NULL, NULL, NULL, NULL, NULL, "" },
        { NULL, NULL, "a b", NULL, NULL, "a b" },
        { NULL, "c", "a b", NULL, NULL, "c" },
        { "d", "c", "a b", NULL, NULL, "d" },
        { NULL, "c", NULL, NULL, "a b", "a b c" },
        { NULL, "c", NULL, "x offline_access", NULL, "c offline_access" },
        { NULL, "c", NULL, "x", NULL, "c" },
        { NULL, NULL, NULL, "offline_access", NULL, "" },
        { "d", NULL, NULL, "offline_access", NULL, "d" },
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *texts[] = { rows[i].configured, rows[i].challenged, rows[i].resource,
                                rows[i].issuer, rows[i].held };
        struct scope_set sets[COUNT(texts)], got;
        const struct scope_set *given[COUNT(texts)];
        for (size_t j = 0; j < COUNT(texts); j++) {
            sets[j] = set_of(texts[j] ? texts[j] : "");
            given[j] = texts[j] ? &sets[j] : NULL;
        }
        struct scope_facts facts = { given[0], given[1], given[2], given[3], given[4] };
        struct buf text;
        buf_init(&text, OUT_MAX);
        CHECK(scope_choose(&facts, &got));
        scope_write(&text, &got, ' ');
        CHECK_STR(buf_str(&text), str_of(rows[i].want));
        buf_free(&text);
    }
}

/* Any bytes but NUL survive a form when they are UTF-8. */
static void test_forms(void)
{
    struct buf out;
    struct form_field field;
    buf_init(&out, OUT_MAX);
    form_add(&out, STR("a b"), STR("x&y=z+%\xc3\xa4"));
    form_add(&out, STR("*-._"), STR(""));
    CHECK_STR(buf_str(&out), STR("a+b=x%26y%3Dz%2B%25%C3%A4&*-._="));
    Str rest = buf_str(&out);
    CHECK(form_next(&rest, &mem, &field) == FORM_FIELD);
    CHECK_STR(field.name, STR("a b"));
    CHECK_STR(field.value, STR("x&y=z+%\xc3\xa4"));
    CHECK(form_next(&rest, &mem, &field) == FORM_FIELD && field.value.n == 0);
    CHECK(form_next(&rest, &mem, &field) == FORM_END);
    buf_free(&out);
}

static void test_pkce(void)
{
    struct oauth_random a, b;
    pkce_challenge(STR("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), &a); /* RFC 7636, B */
    CHECK_STR(oauth_random_str(&a), STR("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
    oauth_random_make(&a);
    oauth_random_make(&b);
    CHECK(memcmp(a.text, b.text, sizeof a.text) != 0 && strlen(a.text) == OAUTH_RANDOM_CHARS);
}

/* Applies a method; form and header as "form|header". */
static Str applied(enum client_auth_method method, const struct client *client)
{
    struct buf form, header;
    buf_init(&form, OUT_MAX);
    buf_init(&header, OUT_MAX);
    enum status status = client_auth_apply(method, client, STR("https://as"), &form, &header);
    Str text = status == ST_OK ? arena_printf(&mem, "%.*s|%.*s", STR_ARG(buf_str(&form)),
                                              STR_ARG(buf_str(&header)))
                               : STR("refused");
    buf_free(&form);
    buf_free(&header);
    return text;
}

static void test_client_auth(void)
{
    struct client client = { .id = STR_INIT("a:b c"), .secret = STR_INIT("p%+\"") };
    struct client public = { .id = STR_INIT("pub") };
    CHECK_STR(applied(CLIENT_SECRET_POST, &client), STR("client_id=a%3Ab+c&client_secret=p%25%2B"
                                                        "%22|"));
    /* base64("a%3Ab+c:p%25%2B%22") */
    CHECK_STR(applied(CLIENT_SECRET_BASIC, &client), STR("|Basic YSUzQWIrYzpwJTI1JTJCJTIy"));
    CHECK_STR(applied(CLIENT_NONE, &public), STR("client_id=pub|"));
    CHECK_STR(applied(CLIENT_NONE, &client), STR("refused")); /* never without its secret */
    CHECK_STR(applied(CLIENT_SECRET_POST, &public), STR("refused"));
    CHECK_STR(applied(CLIENT_PRIVATE_KEY_JWT, &public), STR("refused"));
    public.id = STR("a\nb");
    CHECK_STR(applied(CLIENT_NONE, &public), STR("refused"));
    public.id = STR("");
    CHECK_STR(applied(CLIENT_NONE, &public), STR("refused"));
}

static void test_client_auth_choice(void)
{
    enum client_auth_method got;
    struct client secret = { .id = STR_INIT("c"), .secret = STR_INIT("s") };
    struct client public = { .id = STR_INIT("c") };
    unsigned basic = 1u << CLIENT_SECRET_BASIC, post = 1u << CLIENT_SECRET_POST;
    unsigned none = 1u << CLIENT_NONE, jwt = 1u << CLIENT_PRIVATE_KEY_JWT;
    CHECK(client_auth_choose(&secret, basic | post | none, &got) && got == CLIENT_SECRET_BASIC);
    CHECK(client_auth_choose(&secret, post | none, &got) && got == CLIENT_SECRET_POST);
    CHECK(!client_auth_choose(&secret, none | jwt, &got));
    CHECK(client_auth_choose(&public, basic | none, &got) && got == CLIENT_NONE);
    CHECK(!client_auth_choose(&public, basic, &got) && !client_auth_choose(&public, 0, &got));
    CHECK(client_auth_read(STR("private_key_jwt"), &got) && got == CLIENT_PRIVATE_KEY_JWT);
    CHECK(!client_auth_read(STR("None"), &got) && !client_auth_read(STR(""), &got));
}

/* The part of a JWT between two dots, decoded as JSON. */
static bool decode_part(Str part, struct json_doc *doc)
{
    unsigned char *bytes = arena_alloc(&mem, 1, 1, part.n + 1);
    size_t n = 0;
    ENSURE(bytes);
    return base64url_decode(part, bytes, part.n, &n) &&
           json_parse((Str){ (const char *)bytes, n }, &json_limits_default, &mem, doc, NULL) ==
               JSON_ERR_NONE;
}

static Str assertion_of(Str form)
{
    struct form_field field;
    while (form_next(&form, &mem, &field) == FORM_FIELD) {
        if (str_eq(field.name, STR("client_assertion")))
            return field.value;
    }
    return STR("");
}

static void test_private_key_jwt(void)
{
    struct ecdsa_key *key = NULL;
    struct json_doc head, claims;
    ENSURE(ecdsa_generate(&key) == ST_OK);
    struct client client = { .id = STR_INIT("c\"1"), .key = key, .key_id = STR_INIT("k1") };
    Str form = applied(CLIENT_PRIVATE_KEY_JWT, &client);
    form = str_cut(&form, '|');
    Str jwt = assertion_of(form), rest = jwt;
    Str first = str_cut(&rest, '.'), second = str_cut(&rest, '.');
    CHECK(rest.n == BASE64URL_SIZE(ECDSA_RAW_BYTES));
    if (!CHECK(decode_part(first, &head) && decode_part(second, &claims)))
        return;
    CHECK_STR(json_member_string(&head, 0, STR("alg")), STR("ES256"));
    CHECK_STR(json_member_string(&head, 0, STR("kid")), STR("k1"));
    CHECK_STR(json_member_string(&claims, 0, STR("iss")), STR("c\"1"));
    CHECK_STR(json_member_string(&claims, 0, STR("sub")), STR("c\"1"));
    CHECK_STR(json_member_string(&claims, 0, STR("aud")), STR("https://as"));
    CHECK(json_member_string(&claims, 0, STR("jti")).n == OAUTH_RANDOM_CHARS);
    CHECK(json_member(&claims, 0, STR("exp")) != JSON_NONE);
    Str again = applied(CLIENT_PRIVATE_KEY_JWT, &client);
    CHECK(!str_eq(assertion_of(str_cut(&again, '|')), jwt));
    ecdsa_free(key);
}

/* r and s with and without leading zeros; what DER doesn't allow. */
static void test_raw_signatures(void)
{
    static const struct {
        Str der;
        bool is_ok;
    } rows[] = {
        { STR_INIT("\x30\x06\x02\x01\x01\x02\x01\x02"), true },
        { STR_INIT("\x30\x07\x02\x02\x00\x80\x02\x01\x02"), true },
        { STR_INIT("\x30\x07\x02\x02\x00\x7f\x02\x01\x02"), false },
        { STR_INIT("\x30\x06\x02\x01\x80\x02\x01\x02"), false },
        { STR_INIT("\x30\x06\x02\x01\x01\x02\x01"), false },
        { STR_INIT("\x30\x05\x02\x01\x01\x02\x00"), false },
        { STR_INIT("\x30\x07\x02\x01\x01\x02\x01\x02\x00"), false },
        { STR_INIT("\x31\x06\x02\x01\x01\x02\x01\x02"), false },
        { STR_INIT("\x30\x06\x03\x01\x01\x02\x01\x02"), false },
        { STR_INIT("\x30\x03\x02\x01\x01"), false },
        { STR_INIT(""), false },
    };
    unsigned char raw[ECDSA_RAW_BYTES];
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(ecdsa_to_raw(rows[i].der, raw) == rows[i].is_ok, "row %zu", i);
    CHECK(ecdsa_to_raw(rows[1].der, raw) && raw[31] == 0x80 && raw[30] == 0 && raw[63] == 2);
}

static void test_authorize_url(void)
{
    struct scope_set scopes = set_of("read write");
    struct provider_quirks quirks = { .has_commas = false };
    struct authorize_request request = {
        .endpoint = STR_INIT("https://as.test/auth"),
        .client_id = STR_INIT("c&d"),
        .redirect_uri = STR_INIT("http://127.0.0.1:1/cb"),
        .state = STR_INIT("st"),
        .verifier = STR_INIT("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
        .resource = STR_INIT("https://a.test/mcp"),
        .scopes = &scopes,
        .quirks = &quirks,
    };
    struct buf out;
    buf_init(&out, OUT_MAX);
    CHECK(authorize_url(&request, &out) == ST_OK);
    CHECK_STR(
        buf_str(&out),
        STR("https://as.test/auth?response_type=code&client_id=c%26d&redirect_uri=http%3A%2F"
            "%2F127.0.0.1%3A1%2Fcb&state=st&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbu"
            "GJSstw-cM&code_challenge_method=S256&scope=read+write&resource=https%3A%2F%2Fa.tes"
            "t%2Fmcp"));
    buf_clear(&out);
    struct provider_quirks special = { .resource_name = STR_INIT("audience"),
                                       .has_commas = true,
                                       .extras = { { STR_INIT("prompt"), STR_INIT("consent") } },
                                       .extra_count = 1 };
    request.quirks = &special;
    request.endpoint = STR("https://as.test/auth?tenant=1");
    CHECK(authorize_url(&request, &out) == ST_OK);
    CHECK(str_starts(buf_str(&out), STR("https://as.test/auth?tenant=1&response_type=code&")));
    CHECK(str_ends(buf_str(&out), STR("&scope=read%2Cwrite&audience=https%3A%2F%2Fa.test%2Fmcp"
                                      "&prompt=consent")));
    buf_clear(&out);
    struct provider_quirks silent = { .omit_resource = true };
    request.quirks = &silent;
    CHECK(authorize_url(&request, &out) == ST_OK && !str_contains(buf_str(&out), STR("resource")));
    buf_free(&out);
    buf_init(&out, 64);
    CHECK(authorize_url(&request, &out) == ST_LIMIT);
    buf_free(&out);
    CHECK(request_extra_is_free(STR("prompt")) && !request_extra_is_free(STR("State")) &&
          !request_extra_is_free(STR("redirect_uri")) && !request_extra_is_free(STR("")));
}

static void test_token_requests(void)
{
    struct client client = { .id = STR_INIT("c"), .secret = STR_INIT("s") };
    struct provider_quirks quirks = { .has_commas = false };
    struct scope_set scopes = set_of("a b");
    struct token_request request = { .client = &client,
                                     .method = CLIENT_SECRET_POST,
                                     .issuer = STR_INIT("https://as.test"),
                                     .resource = STR_INIT("https://r"),
                                     .quirks = &quirks };
    struct buf form, header;
    buf_init(&form, OUT_MAX);
    buf_init(&header, OUT_MAX);
    CHECK(token_request_code(&request, STR("co"), STR("http://l"), STR("ve"), &form, &header) ==
          ST_OK);
    CHECK_STR(buf_str(&form),
              STR("grant_type=authorization_code&code=co&redirect_uri=http%3A%2F%2Fl&"
                  "code_verifier=ve&resource=https%3A%2F%2Fr&client_id=c&client_secret=s"));
    buf_clear(&form);
    CHECK(token_request_refresh(&request, STR("rt"), &form, &header) == ST_OK);
    CHECK_STR(buf_str(&form),
              STR("grant_type=refresh_token&refresh_token=rt&resource=https%3A%2F%2F"
                  "r&client_id=c&client_secret=s"));
    buf_clear(&form);
    request.scopes = &scopes;
    CHECK(token_request_client(&request, &form, &header) == ST_OK);
    CHECK_STR(buf_str(&form), STR("grant_type=client_credentials&scope=a+b&resource=https%3A%2F%2Fr"
                                  "&client_id=c&client_secret=s"));
    buf_clear(&form);
    CHECK(revocation_request(&request, STR("rt"), true, &form, &header) == ST_OK);
    CHECK_STR(buf_str(&form), STR("token=rt&token_type_hint=refresh_token&client_id=c&client_secret"
                                  "=s"));
    buf_free(&form);
    buf_free(&header);
}

/* T5: a registration without refresh_token among its grant types never gets one. */
static void test_registration_request(void)
{
    struct scope_set scopes = set_of("a b");
    struct registration_request request = { .client_name = STR_INIT("gate \"way\""),
                                            .redirect_uri = STR_INIT("http://127.0.0.1/cb"),
                                            .is_native = true,
                                            .method = CLIENT_NONE,
                                            .scopes = &scopes };
    struct buf out;
    struct json_doc doc;
    buf_init(&out, OUT_MAX);
    CHECK(registration_request(&request, &out) == ST_OK);
    if (CHECK(json_parse(buf_str(&out), &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE)) {
        uint32_t types = json_member(&doc, 0, STR("grant_types"));
        CHECK(json_at(&doc, types)->count == 2);
        CHECK_STR(json_text(json_at(&doc, types + 2)), STR("refresh_token"));
        CHECK_STR(json_member_string(&doc, 0, STR("application_type")), STR("native"));
        CHECK_STR(json_member_string(&doc, 0, STR("scope")), STR("a b"));
        CHECK_STR(json_member_string(&doc, 0, STR("client_name")), STR("gate \"way\""));
    }
    buf_free(&out);
}

int main(void)
{
    arena_init(&mem, ARENA_BYTES);
    RUN(test_scopes);
    RUN(test_scope_choice);
    RUN(test_forms);
    RUN(test_pkce);
    RUN(test_client_auth);
    RUN(test_client_auth_choice);
    RUN(test_private_key_jwt);
    RUN(test_raw_signatures);
    RUN(test_authorize_url);
    RUN(test_token_requests);
    RUN(test_registration_request);
    arena_reset(&mem);
    return check_finish();
}
