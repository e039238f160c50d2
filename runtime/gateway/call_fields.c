/* SPDX-License-Identifier: Apache-2.0 */
/* call_fields.c - the marks of a server's tools, put to use for one call.
 *
 * They are looked up in the list of the caller's own upstream, for a server may show others to
 * others. A client's headers are compared and dropped, never passed on: what a server gets is made
 * from the arguments that were judged.
 */
#include "runtime/gateway/call_fields.h"

static const struct mirror *find_mirror(const struct caller *caller, Str tool)
{
    struct upstream_key key = caller_key(caller);
    const struct mirrors *marks = lookout_marks(upstream_find(caller->server, &key));
    return marks ? mirrors_find(marks, tool) : NULL;
}

bool server_reads_fields(const struct server *server)
{
    return server->spec->transport == SERVER_HTTP && server->known_era == ERA_MODERN;
}

bool request_has_fields(const struct request *request)
{
    return request->era == ERA_MODERN && request->in->headers.head != NULL;
}

bool fields_keep(const struct request *request, struct arena *mem, Str *out)
{
    *out = (Str){ 0 };
    if (!request_has_fields(request))
        return true;
    struct buf lines;
    buf_init(&lines, MIRROR_FIELDS_MAX);
    mirror_copy_fields(request->in->headers.head, &lines);
    if (lines.n)
        *out = arena_copy(mem, buf_str(&lines));
    bool is_whole = !lines.is_full && out->n == lines.n;
    buf_free(&lines);
    return is_whole;
}

bool fields_agree(const struct caller *caller, bool is_http_modern, Str fields,
                  const struct asked *asked, struct refusal *refusal)
{
    const struct mirror *mirror = find_mirror(caller, asked->name);
    if (!mirror)
        return true;
    if (!mirror_is_valid(mirror)) {
        *refusal = (struct refusal){
            .status = 200,
            .code = JSONRPC_INVALID_PARAMS,
            .why = "the server's definition of this tool has a wrong x-mcp-header, so it can't be "
                   "called over HTTP",
        };
        return !is_http_modern && !server_reads_fields(caller->server);
    }
    const struct json_doc *doc = asked->arguments == JSON_NONE ? NULL : asked->doc;
    const char *fault = is_http_modern ? mirror_fault(mirror, doc, asked->arguments, fields) : NULL;
    *refusal =
        (struct refusal){ .status = 400, .code = (int64_t)MCP_HEADER_MISMATCH, .why = fault };
    return !fault;
}

void fields_write(const struct caller *caller, Str tool, const struct json_doc *doc,
                  uint32_t arguments, struct buf *out)
{
    const struct mirror *mirror = find_mirror(caller, tool);
    if (mirror && mirror_is_valid(mirror))
        mirror_write(mirror, doc, arguments, out);
}
