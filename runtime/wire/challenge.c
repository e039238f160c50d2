/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.c - a comma here may end a parameter or a challenge: what follows decides.
 *
 * A name with '=' behind it belongs to the challenge before it, any other token begins a new one.
 */
#include "runtime/wire/challenge.h"

#include "runtime/wire/http1_head.h"

struct reader {
    Str rest;
    struct arena *mem;
    enum status status; /* of the first failure */
};

static bool fail(struct reader *reader, enum status status)
{
    reader->status = status;
    return false;
}

static void skip_blanks(struct reader *reader)
{
    size_t n = 0;
    while (n < reader->rest.n && (reader->rest.p[n] == ' ' || reader->rest.p[n] == '\t'))
        n++;
    reader->rest = str_sub(reader->rest, n, reader->rest.n);
}

static bool take(struct reader *reader, char c)
{
    if (str_byte(reader->rest, 0) != c || reader->rest.n == 0)
        return false;
    reader->rest = str_sub(reader->rest, 1, reader->rest.n);
    return true;
}

/* Empty elements of a list are legal and mean nothing. Was there a comma at all? */
static bool skip_commas(struct reader *reader)
{
    bool has_comma = false;
    skip_blanks(reader);
    while (take(reader, ',')) {
        has_comma = true;
        skip_blanks(reader);
    }
    return has_comma;
}

static Str take_token(struct reader *reader)
{
    size_t n = 0;
    while (n < reader->rest.n && http_is_tchar((unsigned char)reader->rest.p[n]))
        n++;
    Str token = str_sub(reader->rest, 0, n);
    reader->rest = str_sub(reader->rest, n, reader->rest.n);
    return token;
}

static bool is_text(unsigned char c)
{
    return c == '\t' || (c >= 0x20 && c != 0x7F);
}

/* The rest stands behind the opening quote. */
static bool take_quoted(struct reader *reader, Str *value)
{
    Str text = reader->rest;
    char *bytes = arena_alloc_raw(reader->mem, 1, 1, text.n + 1);
    size_t n = 0;
    if (!bytes)
        return fail(reader, ST_LIMIT);
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] == '"') {
            *value = (Str){ .p = bytes, .n = n };
            reader->rest = str_sub(text, i + 1, text.n);
            return true;
        }
        if (text.p[i] == '\\' && ++i == text.n)
            break;
        if (!is_text((unsigned char)text.p[i]))
            break;
        bytes[n++] = text.p[i];
    }
    return fail(reader, ST_INVALID);
}

static bool is_token68_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("-._~+/", c));
}

/* 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"=", up to a comma or the end; else
 * nothing is taken. */
static Str take_token68(struct reader *reader)
{
    Str rest = reader->rest;
    size_t n = 0;
    while (n < rest.n && is_token68_char(rest.p[n]))
        n++;
    if (n == 0)
        return (Str){ NULL, 0 };
    while (n < rest.n && rest.p[n] == '=')
        n++;
    Str behind = str_trim(str_sub(rest, n, rest.n));
    if (behind.n && behind.p[0] != ',')
        return (Str){ NULL, 0 };
    reader->rest = behind;
    return str_sub(rest, 0, n);
}

/* Is the next thing a token, blanks or none, and '='? Then it is a parameter. */
static bool param_follows(const struct reader *reader)
{
    struct reader ahead = *reader;
    bool has_name = take_token(&ahead).n > 0;
    skip_blanks(&ahead);
    return has_name && take(&ahead, '=');
}

static bool take_param(struct reader *reader, struct challenge *challenge)
{
    struct challenge_param param = { .name = take_token(reader) };
    skip_blanks(reader);
    if (!take(reader, '='))
        return fail(reader, ST_INVALID);
    skip_blanks(reader);
    if (take(reader, '"')) {
        if (!take_quoted(reader, &param.value))
            return false;
    } else {
        param.value = take_token(reader);
        if (param.value.n == 0)
            return fail(reader, ST_INVALID);
    }
    if (challenge_param(challenge, param.name).p)
        return fail(reader, ST_INVALID);
    if (challenge->param_count == CHALLENGE_PARAMS_MAX)
        return fail(reader, ST_LIMIT);
    challenge->params[challenge->param_count++] = param;
    return true;
}

/* Parameters as long as they follow; a comma behind the last one belongs to the list. */
static bool take_params(struct reader *reader, struct challenge *challenge)
{
    while (param_follows(reader)) {
        if (!take_param(reader, challenge))
            return false;
        if (!skip_commas(reader))
            return reader->rest.n == 0 || fail(reader, ST_INVALID);
    }
    return true;
}

static bool take_challenge(struct reader *reader, struct challenge *challenge)
{
    *challenge = (struct challenge){ .scheme = take_token(reader) };
    if (challenge->scheme.n == 0)
        return fail(reader, ST_INVALID);
    bool has_blank = str_byte(reader->rest, 0) == ' ';
    skip_blanks(reader);
    if (reader->rest.n == 0 || reader->rest.p[0] == ',') {
        (void)skip_commas(reader);
        /* `Bearer, realm="x"`: some servers begin so; the parameters are Bearer's. */
        return take_params(reader, challenge);
    }
    if (!has_blank)
        return fail(reader, ST_INVALID);
    challenge->token68 = take_token68(reader);
    if (challenge->token68.n) {
        (void)skip_commas(reader);
        return !param_follows(reader) || fail(reader, ST_INVALID);
    }
    return param_follows(reader) ? take_params(reader, challenge) : fail(reader, ST_INVALID);
}

enum status challenges_read(Str value, struct arena *mem, struct challenge_list *out)
{
    struct reader reader = { .rest = value, .mem = mem, .status = ST_OK };
    if (value.n > CHALLENGE_BYTES_MAX)
        return ST_LIMIT;
    out->count = 0;
    (void)skip_commas(&reader);
    while (reader.rest.n) {
        if (out->count == CHALLENGES_MAX)
            return ST_LIMIT;
        if (!take_challenge(&reader, &out->items[out->count]))
            return reader.status;
        out->count++;
    }
    return out->count ? ST_OK : ST_INVALID;
}

Str challenge_param(const struct challenge *challenge, Str name)
{
    for (size_t i = 0; i < challenge->param_count; i++) {
        if (str_eq_nocase(challenge->params[i].name, name))
            return challenge->params[i].value;
    }
    return (Str){ NULL, 0 };
}
