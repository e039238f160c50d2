/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - a host name or an IP address. One trailing dot is dropped and case folded; whatever two
 * resolvers could read differently is refused, so is what is not ASCII: mapping it (UTS 46) is not
 * done here, and two mappings of one text are two hosts. */
#include "runtime/domain/hostname.h"
#include "runtime/domain/punycode.h"
#include "runtime/domain/readers.h"

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* Labels of 1 to 63 characters that neither begin nor end with a hyphen; "--" in the third and
 * fourth place is kept for xn--, whose rest must be punycode. */
static bool is_label(Str label)
{
    if (label.n == 0 || label.n > LABEL_BYTES_MAX || label.p[0] == '-' ||
        label.p[label.n - 1] == '-')
        return false;
    for (size_t i = 0; i < label.n; i++) {
        if (!is_host_char(label.p[i]))
            return false;
    }
    bool is_tagged = label.n > 3 && label.p[2] == '-' && label.p[3] == '-';
    return !is_tagged ||
           (str_starts(label, STR("xn--")) && punycode_is_valid(str_sub(label, 4, label.n)));
}

static bool has_labels(Str name)
{
    size_t dots = 0;
    Str rest = name;
    for (size_t i = 0; i < name.n; i++)
        dots += name.p[i] == '.';
    for (size_t i = 0; i <= dots; i++) {
        if (!is_label(str_cut(&rest, '.')))
            return false;
    }
    return name.n <= HOST_BYTES_MAX;
}

static Str lower_copy(Str text, struct arena *mem)
{
    char *at = arena_alloc_raw(mem, 1, 1, text.n + 1);
    if (!at)
        return (Str){ .p = NULL, .n = 0 };
    for (size_t i = 0; i < text.n; i++)
        at[i] = char_lower(text.p[i]);
    return (Str){ .p = at, .n = text.n };
}

static bool set_address(struct hostname *out, struct arena *mem)
{
    out->is_address = true;
    out->name = ip_text(out->address, mem);
    return out->name.p != NULL;
}

bool hostname_read(Str text, bool has_brackets, struct arena *mem, struct hostname *out)
{
    *out = (struct hostname){ .is_address = false };
    if (text.n == 0 || text.n > HOST_BYTES_MAX + 1)
        return false;
    if (text.p[0] == '[') {
        bool is_closed = text.n > 2 && text.p[text.n - 1] == ']';
        return is_closed && ip6_read(str_sub(text, 1, text.n - 1), &out->address) &&
               set_address(out, mem);
    }
    if (memchr(text.p, ':', text.n))
        return !has_brackets && ip6_read(text, &out->address) && set_address(out, mem);
    if (text.n > 1 && text.p[text.n - 1] == '.')
        text.n--;
    enum address_kind kind = ip4_read(text, &out->address);
    if (kind == ADDRESS_FOUND)
        return set_address(out, mem);
    out->name = lower_copy(text, mem);
    return kind == ADDRESS_NONE && out->name.p && has_labels(out->name);
}

void hostname_build_address(const struct hostname *host, struct json_build *build)
{
    json_build_key(build, STR("ip"));
    if (host->is_address)
        json_build_string(build, host->name);
    else
        json_build_null(build);
    json_build_key(build, STR("range"));
    if (host->is_address)
        json_build_string(build, ip_range(host->address));
    else
        json_build_null(build);
}

void hostname_build_labels(const struct hostname *host, struct json_build *build)
{
    Str rest = host->name;
    json_build_key(build, STR("labels"));
    json_build_begin(build, JSON_ARRAY);
    while (rest.n && !host->is_address)
        json_build_string(build, str_cut(&rest, '.'));
    json_build_end(build);
}

bool read_host(Str text, struct arena *mem, struct json_doc *out)
{
    struct hostname host;
    struct json_build build;
    if (!hostname_read(text, false, mem, &host))
        return false;
    json_build_init(&build, mem);
    json_build_begin(&build, JSON_OBJECT);
    json_build_key(&build, STR("name"));
    json_build_string(&build, host.name);
    hostname_build_labels(&host, &build);
    hostname_build_address(&host, &build);
    json_build_end(&build);
    return json_build_finish(&build, out);
}
