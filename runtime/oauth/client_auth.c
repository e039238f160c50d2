/* SPDX-License-Identifier: Apache-2.0 */
/* client_auth.c - secrets into requests.
 *
 * Basic encodes both halves as form values before base64, which many clients leave out: without
 * it a colon in the identifier moves the border between the two.
 */
#include "runtime/oauth/client_auth.h"

#include "runtime/base/world.h"
#include "runtime/crypto/encode.h"
#include "runtime/crypto/secret.h"
#include "runtime/json/json.h"
#include "runtime/oauth/form.h"
#include "runtime/oauth/pkce.h"

#include <inttypes.h>

enum { ASSERTION_MAX = 16 * 1024, PAIR_MAX = 3 * (CLIENT_ID_MAX + CLIENT_SECRET_MAX) + 1 };

static const Str words[CLIENT_AUTH_COUNT] = {
#define CLIENT_AUTH(NAME, word) [CLIENT_##NAME] = STR_INIT(word),
#include "runtime/oauth/client_auth.def"
#undef CLIENT_AUTH
};

Str client_auth_word(enum client_auth_method method)
{
    ENSURE(method < CLIENT_AUTH_COUNT);
    return words[method];
}

bool client_auth_read(Str word, enum client_auth_method *out)
{
    for (size_t i = 0; i < CLIENT_AUTH_COUNT; i++) {
        if (str_eq(word, words[i])) {
            *out = (enum client_auth_method)i;
            return true;
        }
    }
    return false;
}

static bool is_able(const struct client *client, enum client_auth_method method)
{
    switch (method) {
    case CLIENT_PRIVATE_KEY_JWT: return client->key != NULL;
    case CLIENT_SECRET_BASIC:
    case CLIENT_SECRET_POST: return client->secret.n > 0;
    case CLIENT_NONE: return client->secret.n == 0 && !client->key;
    case CLIENT_AUTH_COUNT: break;
    }
    UNREACHABLE("no such method");
}

bool client_auth_choose(const struct client *client, unsigned issuer_mask,
                        enum client_auth_method *out)
{
    for (unsigned i = 0; i < CLIENT_AUTH_COUNT; i++) {
        if ((issuer_mask & 1u << i) && is_able(client, (enum client_auth_method)i)) {
            *out = (enum client_auth_method)i;
            return true;
        }
    }
    return false;
}

/* VSCHAR of RFC 6749, appendix A. */
static bool is_credential(Str text, size_t max)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < ' ' || text.p[i] > '~')
            return false;
    }
    return text.n <= max;
}

static void add_base64url(struct buf *out, Str bytes)
{
    size_t n = BASE64URL_SIZE(bytes.n);
    if (!buf_reserve(out, n))
        return;
    base64url_encode(bytes, out->p + out->n);
    out->n += n;
}

/* --------------------------------- Basic -------------------------------- */

static enum status apply_basic(const struct client *client, struct buf *header)
{
    struct buf pair;
    buf_init(&pair, PAIR_MAX);
    form_write(&pair, client->id);
    buf_add_char(&pair, ':');
    form_write(&pair, client->secret);
    buf_add(header, STR("Basic "));
    size_t n = BASE64_SIZE(pair.n);
    bool has_room = !pair.is_full && buf_reserve(header, n);
    if (has_room) {
        base64_encode(buf_str(&pair), header->p + header->n);
        header->n += n;
    }
    if (pair.p)
        secret_wipe(pair.p, pair.cap);
    buf_free(&pair);
    return has_room && !header->is_full ? ST_OK : ST_LIMIT;
}

/* ---------------------------- private_key_jwt --------------------------- */

static void write_claims(struct buf *out, const struct client *client, Str audience)
{
    struct oauth_random id;
    int64_t now_s = world_wall_ms() / 1000;
    oauth_random_make(&id);
    buf_add(out, STR("{\"iss\":"));
    json_write_string(out, client->id);
    buf_add(out, STR(",\"sub\":"));
    json_write_string(out, client->id);
    buf_add(out, STR(",\"aud\":"));
    json_write_string(out, audience);
    buf_printf(out, ",\"jti\":\"%s\",\"iat\":%" PRId64 ",\"exp\":%" PRId64 "}", id.text, now_s,
               now_s + CLIENT_ASSERTION_LIFE_S);
}

static void write_head(struct buf *out, const struct client *client)
{
    buf_add(out, STR("{\"alg\":\"ES256\",\"typ\":\"JWT\""));
    if (client->key_id.n) {
        buf_add(out, STR(",\"kid\":"));
        json_write_string(out, client->key_id);
    }
    buf_add_char(out, '}');
}

/* Signs what is in *jwt and adds the signature. */
static enum status sign(const struct client *client, struct buf *jwt)
{
    unsigned char der[ECDSA_SIGNATURE_MAX], raw[ECDSA_RAW_BYTES];
    size_t n = 0;
    if (jwt->is_full)
        return ST_LIMIT;
    enum status status = ecdsa_sign(client->key, buf_str(jwt), der, &n);
    if (status != ST_OK)
        return status;
    if (!ecdsa_to_raw((Str){ .p = (const char *)der, .n = n }, raw))
        return ST_INVALID;
    buf_add_char(jwt, '.');
    add_base64url(jwt, (Str){ .p = (const char *)raw, .n = sizeof raw });
    return jwt->is_full ? ST_LIMIT : ST_OK;
}

static enum status write_assertion(const struct client *client, Str audience, struct buf *jwt)
{
    struct buf part;
    buf_init(&part, ASSERTION_MAX);
    write_head(&part, client);
    add_base64url(jwt, buf_str(&part));
    buf_add_char(jwt, '.');
    bool is_whole = !part.is_full;
    buf_clear(&part);
    write_claims(&part, client, audience);
    add_base64url(jwt, buf_str(&part));
    is_whole = is_whole && !part.is_full;
    buf_free(&part);
    return is_whole ? sign(client, jwt) : ST_LIMIT;
}

static enum status apply_jwt(const struct client *client, Str audience, struct buf *form)
{
    struct buf jwt;
    if (!utf8_is_valid(audience) || !utf8_is_valid(client->key_id))
        return ST_INVALID;
    buf_init(&jwt, ASSERTION_MAX);
    enum status status = write_assertion(client, audience, &jwt);
    if (status == ST_OK) {
        form_add(form, STR("client_id"), client->id);
        form_add(form, STR("client_assertion_type"),
                 STR("urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
        form_add(form, STR("client_assertion"), buf_str(&jwt));
    }
    buf_free(&jwt);
    return status;
}

enum status client_auth_apply(enum client_auth_method method, const struct client *client,
                              Str audience, struct buf *form, struct buf *header)
{
    enum status status = ST_OK;
    if (client->id.n == 0 || !is_credential(client->id, CLIENT_ID_MAX) ||
        !is_credential(client->secret, CLIENT_SECRET_MAX) || !is_able(client, method))
        return ST_INVALID;
    switch (method) {
    case CLIENT_PRIVATE_KEY_JWT: status = apply_jwt(client, audience, form); break;
    case CLIENT_SECRET_BASIC: status = apply_basic(client, header); break;
    case CLIENT_SECRET_POST:
        form_add(form, STR("client_id"), client->id);
        form_add(form, STR("client_secret"), client->secret);
        break;
    case CLIENT_NONE: form_add(form, STR("client_id"), client->id); break;
    case CLIENT_AUTH_COUNT: UNREACHABLE("no such method");
    }
    if (status != ST_OK)
        return status;
    return form->is_full || header->is_full ? ST_LIMIT : ST_OK;
}
