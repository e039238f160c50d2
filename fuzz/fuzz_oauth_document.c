/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_oauth_document.c - any bytes as one of OAuth's documents; the first byte says which one.
 *
 * What is accepted keeps its promises: endpoints are fit for credentials, the issuer is the one
 * asked for, a token has no byte that ends a header. */
#include "fuzz/target.h"
#include "runtime/oauth/metadata.h"
#include "runtime/oauth/token_answer.h"
#include "runtime/wire/http1.h"

#include <stdlib.h>

enum { ARENA_BYTES = 8 << 20 };

static void check_fit(Str endpoint, struct arena *mem)
{
    struct web_url url;
    ENSURE(!endpoint.p || (web_url_read(endpoint, mem, &url) && url.is_https));
}

static void read_resource(Str text, struct arena *mem)
{
    struct resource_metadata got;
    struct web_url server, resource;
    const char *why = NULL;
    ENSURE(web_url_read(STR("https://a.test/mcp"), mem, &server));
    if (resource_metadata_read(text, &server, mem, &got, &why) != ST_OK) {
        ENSURE(why);
        return;
    }
    ENSURE(web_url_read(got.resource, mem, &resource) && resource_covers(&resource, &server));
    ENSURE(got.issuer_count >= 1 && got.issuer_count <= ISSUERS_MAX);
}

static void read_issuer(Str text, struct arena *mem)
{
    struct issuer_metadata got;
    struct issuer_question question = { .issuer = STR_INIT("https://as.test") };
    const char *why = NULL;
    if (issuer_metadata_read(text, &question, mem, &got, &why) != ST_OK) {
        ENSURE(why);
        return;
    }
    ENSURE(str_eq(got.issuer, question.issuer) && got.token_endpoint.p);
    check_fit(got.authorization_endpoint, mem);
    check_fit(got.token_endpoint, mem);
    check_fit(got.registration_endpoint, mem);
    check_fit(got.revocation_endpoint, mem);
}

static void read_token(int status, char separator, Str text, struct arena *mem)
{
    struct token_answer got;
    token_answer_read(status, text, separator, mem, &got);
    bool is_granted = got.outcome == OUTCOME_GRANTED;
    ENSURE(is_granted == (got.access_token.n > 0));
    ENSURE(!is_granted || http_value_is_legal(got.access_token));
    ENSURE(is_granted || !got.refresh_token.p);
    ENSURE(got.life_s >= 0 && got.life_s <= TOKEN_LIFE_MAX_S);
    ENSURE(got.has_scopes || got.scopes.count == 0);
}

static void read_registration(Str text, struct arena *mem)
{
    struct registration_answer got;
    registration_answer_read(201, text, mem, &got);
    ENSURE((got.outcome == OUTCOME_GRANTED) == (got.client.client_id.n > 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    Str text = { .p = block + (size ? 1 : 0), .n = size ? size - 1 : 0 };
    arena_init(&mem, ARENA_BYTES);
    switch (size ? data[0] % 6 : 0) {
    case 0: read_resource(text, &mem); break;
    case 1: read_issuer(text, &mem); break;
    case 2: read_token(200, ' ', text, &mem); break;
    case 3: read_token(200, ',', text, &mem); break;
    case 4: read_token(400, ' ', text, &mem); break;
    default: read_registration(text, &mem); break;
    }
    arena_reset(&mem);
    free(block);
    return 0;
}
