/* SPDX-License-Identifier: Apache-2.0 */
/* bearer.c - the one challenge among many that is for us. */
#include "runtime/oauth/bearer.h"

#include "runtime/wire/challenge.h"

static enum bearer_error error_of(Str word)
{
    static const struct {
        Str word;
        enum bearer_error error;
    } errors[] = {
        { STR_INIT("invalid_token"), BEARER_INVALID_TOKEN },
        { STR_INIT("insufficient_scope"), BEARER_INSUFFICIENT_SCOPE },
        { STR_INIT("invalid_request"), BEARER_INVALID_REQUEST },
    };
    for (size_t i = 0; i < COUNT(errors); i++) {
        if (str_eq(errors[i].word, word))
            return errors[i].error;
    }
    return BEARER_NO_ERROR;
}

static void take(const struct challenge *challenge, struct bearer_challenge *out)
{
    Str scope = challenge_param(challenge, STR("scope"));
    *out = (struct bearer_challenge){
        .resource_metadata = challenge_param(challenge, STR("resource_metadata")),
        .error = error_of(challenge_param(challenge, STR("error"))),
    };
    out->has_scopes = scope_add_list(&out->scopes, scope, ' ') && out->scopes.count;
    if (!out->has_scopes)
        out->scopes.count = 0;
}

/* Values live as long as the head; what is kept is copied. */
static bool keep(struct bearer_challenge *out, struct arena *mem)
{
    for (size_t i = 0; i < out->scopes.count; i++) {
        out->scopes.items[i] = arena_copy(mem, out->scopes.items[i]);
        if (!out->scopes.items[i].p)
            return false;
    }
    if (!out->resource_metadata.n)
        return true;
    out->resource_metadata = arena_copy(mem, out->resource_metadata);
    return out->resource_metadata.p != NULL;
}

static const struct challenge *first_bearer(const struct challenge_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (str_eq_nocase(list->items[i].scheme, STR("Bearer")))
            return &list->items[i];
    }
    return NULL;
}

bool bearer_read(const struct http_head *head, struct arena *mem, struct bearer_challenge *out)
{
    struct challenge_list *list = ARENA_NEW(mem, struct challenge_list, 1);
    for (size_t i = 0; list && i < head->header_count; i++) {
        const struct http_header *header = &head->headers[i];
        if (!str_eq_nocase(header->name, STR("WWW-Authenticate")) ||
            challenges_read(header->value, mem, list) != ST_OK)
            continue;
        const struct challenge *bearer = first_bearer(list);
        if (bearer) {
            take(bearer, out);
            return keep(out, mem);
        }
    }
    return false;
}
