/* SPDX-License-Identifier: Apache-2.0 */
/* token_answer.h - what a token or registration endpoint answers (RFC 6749 section 5, RFC 7591
 * section 3.2).
 *
 * A refresh token may already be spent when its answer arrives, so what isn't needed doesn't
 * spoil an answer: a lifetime or a list of scopes that can't be read counts as not told. What is
 * needed is strict: a Bearer token of visible ASCII. Slices borrow the text or lie in the arena and
 * are secrets.
 */
#ifndef RUNTIME_OAUTH_TOKEN_ANSWER_H
#define RUNTIME_OAUTH_TOKEN_ANSWER_H

#include "runtime/base/arena.h"
#include "runtime/base/status.h"
#include "runtime/oauth/client_auth.h"
#include "runtime/oauth/scope.h"

enum {
    TOKEN_BYTES_MAX = 16 * 1024,    /* of one token */
    ANSWER_BYTES_MAX = 64 * 1024,   /* of a whole answer */
    TOKEN_LIFE_MAX_S = 366 * 86400, /* a longer one counts as this */
};

enum oauth_error {
#define OAUTH_ERROR(NAME, word, text) OAUTH_##NAME,
#include "runtime/oauth/oauth_error.def"
#undef OAUTH_ERROR
    OAUTH_ERROR_COUNT
};

enum oauth_error oauth_error_read(Str word);
const char *oauth_error_text(enum oauth_error error); /* "the server says: " fits before it */

/* May the same request be sent again later? */
enum oauth_outcome {
    OUTCOME_GRANTED,
    OUTCOME_REFUSED,   /* final: error says why */
    OUTCOME_TRANSIENT, /* 408, 429, 5xx, or an error of that kind: nothing was decided */
    OUTCOME_MALFORMED, /* it may have been granted, but there is no token to be read */
};

struct token_answer {
    enum oauth_outcome outcome;
    enum oauth_error error; /* when REFUSED or TRANSIENT */
    Str access_token;       /* when GRANTED: the rest too */
    Str refresh_token;      /* p is NULL: none was sent */
    int64_t life_s;         /* 0: not told */
    struct scope_set scopes;
    bool has_scopes; /* else those that were asked for (RFC 6749, section 5.1) */
};

/* status is the answer's HTTP status. separator: of the scopes, a space but for some providers.
 * Some providers answer 200 with an error inside: that is a refusal. */
void token_answer_read(int status, Str text, char separator, struct arena *mem,
                       struct token_answer *out);

struct registration {
    Str client_id;
    Str client_secret; /* empty: none */
    int64_t expires_s; /* of the secret, seconds since 1970; 0: never */
    bool has_method;   /* the server chose one */
    enum client_auth_method method;
};

struct registration_answer {
    enum oauth_outcome outcome;
    enum oauth_error error;
    struct registration client; /* when GRANTED */
};

void registration_answer_read(int status, Str text, struct arena *mem,
                              struct registration_answer *out);

#endif
