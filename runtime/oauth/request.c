/* SPDX-License-Identifier: Apache-2.0 */
/* request.c - parameters in a fixed order, so that two requests of one kind differ in values only.
 */
#include "runtime/oauth/request.h"

#include "runtime/json/json.h"
#include "runtime/oauth/form.h"
#include "runtime/oauth/pkce.h"

enum { SCOPE_TEXT_MAX = SCOPES_MAX * (SCOPE_BYTES_MAX + 1) };

char quirks_separator(const struct provider_quirks *quirks)
{
    return quirks->has_commas ? ',' : ' ';
}

bool request_extra_is_free(Str name)
{
    static const Str ours[] = {
        STR_INIT("response_type"), STR_INIT("client_id"),     STR_INIT("redirect_uri"),
        STR_INIT("state"),         STR_INIT("scope"),         STR_INIT("code_challenge"),
        STR_INIT("request"),       STR_INIT("request_uri"),   STR_INIT("code_challenge_method"),
        STR_INIT("resource"),      STR_INIT("response_mode"),
    };
    for (size_t i = 0; i < COUNT(ours); i++) {
        if (str_eq_nocase(name, ours[i]))
            return false;
    }
    return name.n > 0;
}

static void add_scopes(struct buf *out, const struct scope_set *scopes,
                       const struct provider_quirks *quirks)
{
    struct buf text;
    if (!scopes || scopes->count == 0)
        return;
    buf_init(&text, SCOPE_TEXT_MAX);
    scope_write(&text, scopes, quirks_separator(quirks));
    if (text.is_full)
        out->is_full = true; /* without memory: a request with fewer scopes would be another one */
    form_add(out, STR("scope"), buf_str(&text));
    buf_free(&text);
}

static void add_resource(struct buf *out, Str resource, const struct provider_quirks *quirks)
{
    Str name = quirks->resource_name.n ? quirks->resource_name : STR("resource");
    if (resource.n && !quirks->omit_resource)
        form_add(out, name, resource);
}

enum status authorize_url(const struct authorize_request *request, struct buf *out)
{
    struct oauth_random challenge;
    const struct provider_quirks *quirks = request->quirks;
    bool has_query = request->endpoint.n && memchr(request->endpoint.p, '?', request->endpoint.n);
    pkce_challenge(request->verifier, &challenge);
    buf_add(out, request->endpoint);
    if (!has_query)
        buf_add_char(out, '?');
    form_add(out, STR("response_type"), STR("code"));
    form_add(out, STR("client_id"), request->client_id);
    form_add(out, STR("redirect_uri"), request->redirect_uri);
    form_add(out, STR("state"), request->state);
    form_add(out, STR("code_challenge"), oauth_random_str(&challenge));
    form_add(out, STR("code_challenge_method"), STR("S256"));
    add_scopes(out, request->scopes, quirks);
    add_resource(out, request->resource, quirks);
    for (size_t i = 0; i < quirks->extra_count; i++)
        form_add(out, quirks->extras[i].name, quirks->extras[i].value);
    return out->is_full ? ST_LIMIT : ST_OK;
}

static enum status finish(const struct token_request *request, struct buf *form, struct buf *header)
{
    add_resource(form, request->resource, request->quirks);
    return client_auth_apply(request->method, request->client, request->issuer, form, header);
}

enum status token_request_code(const struct token_request *request, Str code, Str redirect_uri,
                               Str verifier, struct buf *form, struct buf *header)
{
    form_add(form, STR("grant_type"), STR("authorization_code"));
    form_add(form, STR("code"), code);
    form_add(form, STR("redirect_uri"), redirect_uri);
    form_add(form, STR("code_verifier"), verifier);
    return finish(request, form, header);
}

enum status token_request_refresh(const struct token_request *request, Str refresh_token,
                                  struct buf *form, struct buf *header)
{
    form_add(form, STR("grant_type"), STR("refresh_token"));
    form_add(form, STR("refresh_token"), refresh_token);
    add_scopes(form, request->scopes, request->quirks);
    return finish(request, form, header);
}

enum status token_request_client(const struct token_request *request, struct buf *form,
                                 struct buf *header)
{
    form_add(form, STR("grant_type"), STR("client_credentials"));
    add_scopes(form, request->scopes, request->quirks);
    return finish(request, form, header);
}

enum status revocation_request(const struct token_request *request, Str token, bool is_refresh,
                               struct buf *form, struct buf *header)
{
    form_add(form, STR("token"), token);
    form_add(form, STR("token_type_hint"), is_refresh ? STR("refresh_token") : STR("access_token"));
    return client_auth_apply(request->method, request->client, request->issuer, form, header);
}

static void add_member(struct buf *out, Str key, Str value)
{
    buf_add_char(out, out->n ? ',' : '{');
    json_write_string(out, key);
    buf_add_char(out, ':');
    json_write_string(out, value);
}

enum status registration_request(const struct registration_request *request, struct buf *out)
{
    ENSURE(out->n == 0);
    add_member(out, STR("client_name"), request->client_name);
    add_member(out, STR("application_type"), request->is_native ? STR("native") : STR("web"));
    add_member(out, STR("token_endpoint_auth_method"), client_auth_word(request->method));
    if (request->scopes && request->scopes->count) {
        buf_add(out, STR(",\"scope\":\""));
        scope_write(out, request->scopes, ' '); /* a scope has no quote and no backslash */
        buf_add_char(out, '"');
    }
    buf_add(out, STR(",\"redirect_uris\":["));
    json_write_string(out, request->redirect_uri);
    buf_add(out, STR("],\"grant_types\":[\"authorization_code\",\"refresh_token\"]"
                     ",\"response_types\":[\"code\"]}"));
    return out->is_full ? ST_LIMIT : ST_OK;
}
