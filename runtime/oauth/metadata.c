/* SPDX-License-Identifier: Apache-2.0 */
/* metadata.c - two documents, two doors.
 *
 * The resource's document says who may issue tokens for it, the issuer's says where. Both could be
 * written by someone who wants our tokens, so each must speak of the very thing it was asked about.
 */
#include "runtime/oauth/metadata.h"

#include "runtime/oauth/json_read.h"

static enum status refuse(enum status status, const char *sentence, const char **why)
{
    *why = sentence;
    return status;
}

static enum status read_resource(const struct json_doc *doc, struct resource_metadata *out,
                                 const char **why)
{
    Str issuers[METADATA_LIST_MAX];
    struct string_list list = { .items = issuers, .max = COUNT(issuers) };
    if (!read_string(doc, STR("resource"), &out->resource) || !out->resource.n)
        return refuse(ST_INVALID, "the resource's metadata names no resource", why);
    if (!read_strings(doc, STR("authorization_servers"), &list) || list.count == 0)
        return refuse(ST_INVALID, "the resource's metadata names no authorization server", why);
    if (!read_scopes(doc, STR("scopes_supported"), &out->scopes, &out->has_scopes))
        return refuse(ST_INVALID, "the resource's metadata lists scopes that are no strings", why);
    for (size_t i = 0; i < list.count && i < ISSUERS_MAX; i++)
        out->issuers[out->issuer_count++] = list.items[i];
    return ST_OK;
}

enum status resource_metadata_read(Str text, const struct web_url *server, struct arena *mem,
                                   struct resource_metadata *out, const char **why)
{
    struct json_doc doc;
    struct web_url resource;
    struct resource_metadata found = { .issuer_count = 0 };
    enum status status = oauth_json_read(text, METADATA_BYTES_MAX, mem, &doc);
    if (status != ST_OK)
        return refuse(status, "the resource's metadata is no JSON object that can be read", why);
    status = read_resource(&doc, &found, why);
    if (status != ST_OK)
        return status;
    if (!web_url_read(found.resource, mem, &resource) || !resource_covers(&resource, server))
        return refuse(ST_DENIED, "the resource's metadata speaks of another server", why);
    *out = found;
    return ST_OK;
}

/* ------------------------------- issuers ------------------------------- */

static bool read_endpoints(const struct json_doc *doc, struct issuer_metadata *out)
{
    return read_string(doc, STR("issuer"), &out->issuer) &&
           read_string(doc, STR("authorization_endpoint"), &out->authorization_endpoint) &&
           read_string(doc, STR("token_endpoint"), &out->token_endpoint) &&
           read_string(doc, STR("registration_endpoint"), &out->registration_endpoint) &&
           read_string(doc, STR("revocation_endpoint"), &out->revocation_endpoint);
}

static bool has_item(const struct string_list *list, Str item)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_eq(list->items[i], item))
            return true;
    }
    return false;
}

/* Without the list, RFC 8414 section 2 says client_secret_basic. */
static unsigned auth_mask(const struct string_list *list)
{
    unsigned mask = list->is_there ? 0 : 1u << CLIENT_SECRET_BASIC;
    for (size_t i = 0; i < CLIENT_AUTH_COUNT; i++) {
        if (has_item(list, client_auth_word((enum client_auth_method)i)))
            mask |= 1u << i;
    }
    return mask;
}

static bool read_abilities(const struct json_doc *doc, struct issuer_metadata *out)
{
    Str items[METADATA_LIST_MAX];
    struct string_list list = { .items = items, .max = COUNT(items) };
    if (!read_scopes(doc, STR("scopes_supported"), &out->scopes, &out->has_scopes) ||
        !read_bool(doc, STR("authorization_response_iss_parameter_supported"), &out->sends_iss) ||
        !read_bool(doc, STR("client_id_metadata_document_supported"), &out->reads_cimd) ||
        !read_strings(doc, STR("code_challenge_methods_supported"), &list))
        return false;
    out->has_s256 = has_item(&list, STR("S256"));
    if (!read_strings(doc, STR("token_endpoint_auth_methods_supported"), &list))
        return false;
    out->auth_mask = auth_mask(&list);
    return true;
}

static bool is_fit(Str endpoint, bool is_development, struct arena *mem)
{
    struct web_url url;
    if (!endpoint.p)
        return true;
    return web_url_read(endpoint, mem, &url) && web_url_is_fit(&url, is_development);
}

enum status issuer_metadata_read(Str text, const struct issuer_question *question,
                                 struct arena *mem, struct issuer_metadata *out, const char **why)
{
    struct json_doc doc;
    struct issuer_metadata found = { .has_s256 = false };
    enum status status = oauth_json_read(text, METADATA_BYTES_MAX, mem, &doc);
    if (status != ST_OK)
        return refuse(status, "the issuer's metadata is no JSON object that can be read", why);
    if (!read_endpoints(&doc, &found) || !read_abilities(&doc, &found))
        return refuse(ST_INVALID, "a member of the issuer's metadata has a wrong type", why);
    if (!str_eq(found.issuer, question->issuer))
        return refuse(ST_DENIED, "the metadata is of another issuer", why);
    if (!found.token_endpoint.p)
        return refuse(ST_INVALID, "the issuer's metadata names no token endpoint", why);
    const Str endpoints[] = { found.authorization_endpoint, found.token_endpoint,
                              found.registration_endpoint, found.revocation_endpoint };
    for (size_t i = 0; i < COUNT(endpoints); i++) {
        if (!is_fit(endpoints[i], question->is_development, mem))
            return refuse(ST_DENIED, "an endpoint of the issuer is not https, or no URL", why);
    }
    *out = found;
    return ST_OK;
}
