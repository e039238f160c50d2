/* SPDX-License-Identifier: Apache-2.0 */
/* curl_agree.c - compares member by member. What curl only writes in another way is folded: case
 * and the trailing dot of a host, the spelling of an IPv6 address, the escapes of a path. */
#include "tests/unit/curl_agree.h"

#include "runtime/base/arena.h"
#include "runtime/domain/ip.h"

#include <curl/curl.h>

/* The part in the arena; {NULL, 0} when the URL has none. */
static Str part_of(CURLU *url, CURLUPart part, unsigned flags, struct arena *mem)
{
    char *text = NULL;
    Str out = { .p = NULL, .n = 0 };
    if (curl_url_get(url, part, &text, flags) == CURLUE_OK)
        out = arena_copy(mem, str_of(text));
    curl_free(text);
    return out;
}

static Str member_text(const struct json_doc *doc, Str key)
{
    uint32_t at = json_member(doc, 0, key);
    bool is_null = at == JSON_NONE || json_at(doc, at)->type == JSON_NULL;
    return is_null ? (Str){ .p = NULL, .n = 0 } : json_text(json_at(doc, at));
}

static bool host_agrees(Str theirs, const struct json_doc *doc)
{
    Str ours = member_text(doc, STR("host"));
    Str plain = str_starts(theirs, STR("[")) ? str_sub(theirs, 1, theirs.n - 1) : theirs;
    Address a, b;
    if (str_ends(plain, STR(".")))
        plain.n--;
    if (member_text(doc, STR("ip")).p)
        return ip_parse(plain, &a) && ip_parse(ours, &b) &&
               memcmp(a.bytes, b.bytes, sizeof a.bytes) == 0;
    return str_eq_nocase(plain, ours);
}

/* A curl without WebSockets knows no default port for them. */
static bool port_agrees(Str theirs, const struct json_doc *doc)
{
    bool is_websocket = str_starts(member_text(doc, STR("scheme")), STR("ws"));
    return str_eq(theirs, member_text(doc, STR("port"))) || (is_websocket && !theirs.p);
}

static bool parts_agree(CURLU *url, const struct json_doc *doc, struct arena *mem)
{
    const struct json_node *userinfo = json_at(doc, json_member(doc, 0, STR("userinfo")));
    bool has_user = part_of(url, CURLUPART_USER, 0, mem).n > 0 ||
                    part_of(url, CURLUPART_PASSWORD, 0, mem).n > 0;
    return str_eq(part_of(url, CURLUPART_SCHEME, 0, mem), member_text(doc, STR("scheme"))) &&
           host_agrees(part_of(url, CURLUPART_HOST, 0, mem), doc) &&
           port_agrees(part_of(url, CURLUPART_PORT, CURLU_DEFAULT_PORT, mem), doc) &&
           str_eq(part_of(url, CURLUPART_PATH, CURLU_URLDECODE, mem),
                  member_text(doc, STR("path"))) &&
           str_eq(part_of(url, CURLUPART_QUERY, 0, mem), member_text(doc, STR("query"))) &&
           str_eq(part_of(url, CURLUPART_FRAGMENT, 0, mem), member_text(doc, STR("fragment"))) &&
           (!has_user || userinfo->type == JSON_TRUE);
}

bool curl_agrees(Str text, const struct json_doc *doc, struct arena *mem)
{
    CURLU *url = curl_url();
    Str plain = arena_copy(mem, text);
    ENSURE(url && plain.p);
    bool agrees =
        curl_url_set(url, CURLUPART_URL, plain.p, CURLU_NON_SUPPORT_SCHEME) == CURLUE_OK &&
        parts_agree(url, doc, mem);
    curl_url_cleanup(url);
    return agrees;
}
