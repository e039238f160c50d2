/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - a POSIX file path, normalised by its text alone: `.` and empty parts drop out, `..`
 * takes the part before it away. Symbolic links and case are not seen. What a shell, Windows, a
 * file system or a decoder could read as another path is refused: a backslash, a leading `~`, a
 * drive, a scheme, a control or dropped character, a name with a dot or blank at its end, `..`
 * above the start. */
#include "runtime/domain/certain.h"
#include "runtime/domain/parts.h"
#include "runtime/domain/readers.h"

enum { PATH_BYTES_MAX = 4096 };

static bool is_letter(char c)
{
    c = char_lower(c);
    return c >= 'a' && c <= 'z';
}

static bool is_scheme_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
}

/* "C:", "file:/": a drive or a URL. */
static bool begins_scheme(Str text)
{
    size_t n = 0;
    if (!is_letter(str_byte(text, 0)))
        return false;
    while (is_scheme_char(str_byte(text, n)))
        n++;
    return str_byte(text, n) == ':' && (n == 1 || str_byte(text, n + 1) == '/');
}

/* Does every reader begin with the same part? Two slashes are a network name to some (POSIX leaves
 * it open), blanks are trimmed by some. */
static bool begins_plainly(Str text)
{
    return str_byte(text, 0) != '~' && !str_starts(text, STR("//")) && !text_begins_blank(text) &&
           !begins_scheme(text);
}

static bool is_plain(Str text)
{
    return text.n > 0 && text.n <= PATH_BYTES_MAX && !memchr(text.p, '\\', text.n) &&
           text_is_certain(text) && begins_plainly(text);
}

static bool split(Str text, struct parts *parts)
{
    parts->count = 0;
    while (text.n) {
        Str part = str_cut(&text, '/');
        bool is_name = part.n && !str_eq(part, STR(".")) && !str_eq(part, STR(".."));
        if ((is_name && !name_ends_certain(part)) || !parts_add(parts, part))
            return false;
    }
    return true;
}

/* Behind the last dot that is not the name's first byte: ".env" has none. */
static Str extension(Str name)
{
    for (size_t i = name.n; i > 1; i--) {
        if (name.p[i - 1] == '.')
            return str_sub(name, i, name.n);
    }
    return STR("");
}

bool read_path(Str text, struct arena *mem, struct json_doc *out)
{
    struct parts parts;
    struct json_build build;
    if (!is_plain(text) || !split(text, &parts))
        return false;
    bool is_absolute = text.p[0] == '/';
    Str start = is_absolute ? STR("/") : parts.count ? STR("") : STR(".");
    Str whole = parts_join(&parts, start, STR(""), mem);
    Str name = parts.count ? parts.items[parts.count - 1] : STR("");
    if (!whole.p || !begins_plainly(whole)) /* "./~x" must not become "~x" */
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("path"));
    json_build_string(&build, whole);
    json_build_key(&build, STR("name"));
    json_build_string(&build, name);
    json_build_key(&build, STR("ext"));
    json_build_string(&build, extension(name));
    parts_build(&parts, &build);
    json_build_key(&build, STR("absolute"));
    json_build_bool(&build, is_absolute);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
