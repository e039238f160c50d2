/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - a POSIX file path, normalised by its text alone: `.` and empty parts drop out, `..`
 * takes the part before it away. Symbolic links and case are not seen. What a shell, Windows or a
 * decoder could read as another path is refused: a backslash, a leading `~`, a control character,
 * `..` above the start. */
#include "runtime/domain/readers.h"
#include "runtime/json/json_build.h"

enum { PATH_PARTS_MAX = 256, PATH_BYTES_MAX = 4096 };

struct parts {
    Str items[PATH_PARTS_MAX];
    size_t count;
};

static bool is_plain(Str text)
{
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (c < 0x20 || c == 0x7F || c == '\\')
            return false;
    }
    return text.n > 0 && text.n <= PATH_BYTES_MAX && text.p[0] != '~';
}

static bool add_part(struct parts *parts, Str part)
{
    if (part.n == 0 || str_eq(part, STR(".")))
        return true;
    if (str_eq(part, STR(".."))) {
        if (parts->count == 0)
            return false; /* above the start */
        parts->count--;
        return true;
    }
    if (parts->count == PATH_PARTS_MAX)
        return false;
    parts->items[parts->count++] = part;
    return true;
}

static bool split(Str text, struct parts *parts)
{
    parts->count = 0;
    for (size_t from = 0; from <= text.n;) {
        const char *slash = from < text.n ? memchr(text.p + from, '/', text.n - from) : NULL;
        size_t to = slash ? (size_t)(slash - text.p) : text.n;
        if (!add_part(parts, str_sub(text, from, to)))
            return false;
        from = to + 1;
    }
    return true;
}

static Str join(const struct parts *parts, bool is_absolute, struct arena *mem)
{
    size_t n = is_absolute;
    for (size_t i = 0; i < parts->count; i++)
        n += parts->items[i].n + 1;
    char *at = arena_alloc_raw(mem, 1, 1, n + 1);
    if (!at)
        return (Str){ .p = NULL, .n = 0 };
    Str whole = { .p = at, .n = 0 };
    char *to = at;
    if (is_absolute)
        *to++ = '/';
    for (size_t i = 0; i < parts->count; i++) {
        if (i)
            *to++ = '/';
        memcpy(to, parts->items[i].p, parts->items[i].n);
        to += parts->items[i].n;
    }
    if (to == at)
        *to++ = '.';
    whole.n = (size_t)(to - at);
    return whole;
}

/* Behind the last dot that is not the name's first byte: ".env" has none. */
static Str extension(Str name)
{
    for (size_t i = name.n; i > 1; i--) {
        if (name.p[i - 1] == '.')
            return str_sub(name, i, name.n);
    }
    return (Str){ .p = name.p ? name.p : "", .n = 0 };
}

bool read_path(Str text, struct arena *mem, struct json_doc *out)
{
    struct parts parts;
    struct json_build build;
    if (!is_plain(text) || !split(text, &parts))
        return false;
    bool is_absolute = text.p[0] == '/';
    Str whole = join(&parts, is_absolute, mem);
    Str name = parts.count ? parts.items[parts.count - 1] : STR("");
    if (!whole.p)
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("path"));
    json_build_string(&build, whole);
    json_build_key(&build, STR("name"));
    json_build_string(&build, name);
    json_build_key(&build, STR("ext"));
    json_build_string(&build, extension(name));
    json_build_key(&build, STR("parts"));
    json_build_begin(&build, JSON_ARRAY);
    for (size_t i = 0; i < parts.count; i++)
        json_build_string(&build, parts.items[i]);
    json_build_end(&build);
    json_build_key(&build, STR("absolute"));
    json_build_bool(&build, is_absolute);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
