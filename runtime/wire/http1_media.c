/* SPDX-License-Identifier: Apache-2.0 */
/* http1_media.c - is this Content-Type the one we read (RFC 9110, section 8.3.1)?
 *
 * A charset tells a reader to see other characters in the same bytes, so what policy saw and what
 * runs would differ: any but UTF-8, a second one, and any value that does not parse to its very
 * end are "no".
 */
#include "runtime/wire/http1.h"
#include "runtime/wire/http1_head.h"

struct parameter {
    Str name, value; /* value without its quotes */
};

static Str take_token(Str *s)
{
    size_t n = 0;
    while (n < s->n && http_is_tchar((unsigned char)s->p[n]))
        n++;
    Str token = str_sub(*s, 0, n);
    *s = str_sub(*s, n, s->n);
    return token;
}

/* Takes a quoted string at s, which starts with '"'; false without the closing quote. */
static bool take_quoted(Str *s, Str *value)
{
    for (size_t i = 1; i < s->n; i++) {
        if (s->p[i] == '\\') {
            i++; /* the next byte is quoted, whatever it is */
        } else if (s->p[i] == '"') {
            *value = str_sub(*s, 1, i);
            *s = str_sub(*s, i + 1, s->n);
            return true;
        }
    }
    return false;
}

/* Takes `name=value`, or nothing if there is none before the next ';'. */
static bool take_parameter(Str *s, struct parameter *parameter)
{
    *s = str_trim(*s);
    parameter->name = take_token(s);
    if (parameter->name.n == 0)
        return true;
    if (s->n < 2 || s->p[0] != '=')
        return false;
    *s = str_sub(*s, 1, s->n);
    if (s->p[0] == '"')
        return take_quoted(s, &parameter->value);
    parameter->value = take_token(s);
    return parameter->value.n > 0;
}

bool http_content_type_is(Str value, Str type)
{
    Str rest = value;
    Str media = str_trim(str_cut(&rest, ';'));
    bool has_charset = false;
    if (!str_eq_nocase(media, type))
        return false;
    for (;;) {
        struct parameter parameter = { .name = { NULL, 0 } };
        if (!take_parameter(&rest, &parameter))
            return false;
        if (str_eq_nocase(parameter.name, STR("charset"))) {
            if (has_charset || !str_eq_nocase(parameter.value, STR("utf-8")))
                return false;
            has_charset = true;
        }
        rest = str_trim(rest);
        if (rest.n == 0)
            return true;
        if (rest.p[0] != ';')
            return false;
        rest = str_sub(rest, 1, rest.n);
    }
}
