/* SPDX-License-Identifier: Apache-2.0 */
/* http_check.c - heads, read in one way only. */
#include "runtime/gateway/http_check.h"

bool http_check_listed(Str value, const Str *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq_nocase(value, list[i]))
            return true;
    return false;
}

Str http_check_path(Str target)
{
    static const Str root = STR_INIT("/mcp/");
    if (!str_starts(target, root))
        return (Str){ 0 };
    return str_sub(target, root.n, target.n); /* no alias holds a slash, query or escape */
}

/* The fields that HTTP itself wants to be single are wire's to refuse. */
static bool must_be_single(Str name)
{
    static const Str mcp = STR_INIT("mcp-");
    return name.n >= mcp.n && str_eq_nocase(str_sub(name, 0, mcp.n), mcp);
}

bool http_check_has_repeats(const struct http_head *head)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (!must_be_single(head->headers[i].name))
            continue;
        for (uint32_t k = i + 1; k < head->header_count; k++)
            if (str_eq_nocase(head->headers[i].name, head->headers[k].name))
                return true;
    }
    return false;
}

Str http_check_bearer(const struct http_head *head)
{
    Str rest = http_header(head, STR("Authorization"), NULL);
    Str scheme = str_cut(&rest, ' ');
    return str_eq_nocase(scheme, STR("Bearer")) ? str_trim(rest) : (Str){ 0 };
}

static bool range_allows(Str range, Str type, Str subtype)
{
    Str sub = str_trim(str_cut(&range, ';'));
    Str main_type = str_cut(&sub, '/');
    if (str_eq(main_type, STR("*")))
        return str_eq(sub, STR("*"));
    return str_eq_nocase(main_type, type) && (str_eq(sub, STR("*")) || str_eq_nocase(sub, subtype));
}

bool http_check_accepts(const struct http_head *head, Str type, Str subtype)
{
    for (uint32_t i = 0; i < head->header_count; i++) {
        if (!str_eq_nocase(head->headers[i].name, STR("Accept")))
            continue;
        Str list = head->headers[i].value;
        while (list.n)
            if (range_allows(str_cut(&list, ','), type, subtype))
                return true;
    }
    return false;
}

static struct mcp_header find(const struct http_head *head, Str name)
{
    for (uint32_t i = 0; i < head->header_count; i++)
        if (str_eq_nocase(head->headers[i].name, name))
            return (struct mcp_header){ .is_present = true, .value = head->headers[i].value };
    return (struct mcp_header){ 0 };
}

struct mcp_headers http_check_mcp(const struct http_head *head)
{
    return (struct mcp_headers){
        .is_http = true,
        .version = find(head, STR("MCP-Protocol-Version")),
        .method = find(head, STR("Mcp-Method")),
        .name = find(head, STR("Mcp-Name")),
        .session = find(head, STR("Mcp-Session-Id")),
        .head = head,
    };
}

struct mcp_header http_check_last_event(const struct http_head *head)
{
    bool is_repeated = false;
    Str value = http_header(head, STR("Last-Event-ID"), &is_repeated);
    return (struct mcp_header){ .is_present = value.p != NULL || is_repeated, .value = value };
}
