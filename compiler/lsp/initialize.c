/* SPDX-License-Identifier: Apache-2.0 */
/* initialize.c - what the client can do and what this server does. */
#include "compiler/lsp/lsp_internal.h"
#include "compiler/lsp/uri.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

/* The member at the end of a path of keys, "a.b.c". */
static uint32_t member_at(const struct request *rq, const char *path)
{
    uint32_t node = rq->params;
    Str rest = str_of(path);
    while (rest.n && node != JSON_NONE)
        node = json_member(rq->doc, node, str_cut(&rest, '.'));
    return node;
}

static bool is_true(const struct request *rq, const char *path)
{
    uint32_t node = member_at(rq, path);
    return node != JSON_NONE && json_at(rq->doc, node)->type == JSON_TRUE;
}

/* UTF-8 when the client offers it: it is what sources are in. */
static enum encoding choose_encoding(const struct request *rq)
{
    uint32_t list = member_at(rq, "capabilities.general.positionEncodings");
    if (list == JSON_NONE || json_at(rq->doc, list)->type != JSON_ARRAY)
        return ENCODING_UTF16;
    for (uint32_t i = json_first(rq->doc, list); i != JSON_NONE; i = json_after(rq->doc, list, i))
        if (str_eq(json_text(json_at(rq->doc, i)), STR("utf-8")))
            return ENCODING_UTF8;
    return ENCODING_UTF16;
}

static void add_folder(struct lsp *lsp, Str uri)
{
    Str path;
    if (lsp->folder_count == LSP_FOLDERS_MAX || !uri_path(uri, &lsp->mem, &path))
        return;
    struct buf *folder = &lsp->folders[lsp->folder_count];
    buf_clear(folder);
    buf_add(folder, path_real(path, &lsp->mem));
    lsp->folder_count += !folder->is_full;
}

static void remove_folder(struct lsp *lsp, Str uri)
{
    Str path;
    if (!uri_path(uri, &lsp->mem, &path))
        return;
    path = path_real(path, &lsp->mem);
    for (uint32_t i = 0; i < lsp->folder_count; i++) {
        if (!str_eq(buf_str(&lsp->folders[i]), path))
            continue;
        struct buf gone = lsp->folders[i];
        lsp->folders[i] = lsp->folders[--lsp->folder_count];
        lsp->folders[lsp->folder_count] = gone;
        return;
    }
}

/* A list of {"uri":...}. */
static void each_folder(struct lsp *lsp, const struct request *rq, uint32_t list,
                        void (*take)(struct lsp *lsp, Str uri))
{
    if (list == JSON_NONE || json_at(rq->doc, list)->type != JSON_ARRAY)
        return;
    for (uint32_t i = json_first(rq->doc, list); i != JSON_NONE; i = json_after(rq->doc, list, i))
        take(lsp, json_member_string(rq->doc, i, STR("uri")));
}

static void read_folders(struct lsp *lsp, const struct request *rq)
{
    uint32_t list = member_at(rq, "workspaceFolders");
    each_folder(lsp, rq, list, add_folder);
    if (!lsp->folder_count && rq->params != JSON_NONE)
        add_folder(lsp, json_member_string(rq->doc, rq->params, STR("rootUri")));
}

enum lsp_error on_folders_changed(struct lsp *lsp, struct request *rq)
{
    each_folder(lsp, rq, member_at(rq, "event.removed"), remove_folder);
    each_folder(lsp, rq, member_at(rq, "event.added"), add_folder);
    return LSP_OK;
}

/* The page on diagnostics as it is installed beside the program, or stands in its source tree. */
static void find_help(struct lsp *lsp)
{
    static const char *const pages[] = { "../share/doc/mcpc/diagnostics.md",
                                         "../../docs/diagnostics.md" };
    char self[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self);
    if (n <= 0 || (size_t)n == sizeof self)
        return;
    for (size_t i = 0; i < COUNT(pages) && !lsp->help.n; i++) {
        Str page = path_beside(str_of(pages[i]), (Str){ .p = self, .n = (size_t)n }, &lsp->mem);
        Str real = path_real(page, &lsp->mem);
        if (real.n && !str_eq(real, page))
            uri_write(&lsp->help, real);
    }
}

enum lsp_error on_initialize(struct lsp *lsp, struct request *rq)
{
    lsp->state = LSP_READY;
    lsp->encoding = choose_encoding(rq);
    lsp->can_watch =
        is_true(rq, "capabilities.workspace.didChangeWatchedFiles.dynamicRegistration");
    read_folders(lsp, rq);
    find_help(lsp);
    buf_printf(rq->out,
               "{\"capabilities\":{\"positionEncoding\":\"%s\","
               "\"textDocumentSync\":{\"openClose\":true,\"change\":2,\"save\":true},"
               "\"hoverProvider\":true,"
               "\"completionProvider\":{\"triggerCharacters\":[\".\",\"\\\"\",\" \"]},"
               "\"definitionProvider\":true,\"referencesProvider\":true,"
               "\"renameProvider\":{\"prepareProvider\":true},"
               "\"documentFormattingProvider\":true,\"documentSymbolProvider\":true,"
               "\"codeActionProvider\":{\"codeActionKinds\":[\"quickfix\"]},"
               "\"workspace\":{\"workspaceFolders\":{\"supported\":true,"
               "\"changeNotifications\":true}}},"
               "\"serverInfo\":{\"name\":\"mcpc\",\"version\":\"%s\"}}",
               lsp->encoding == ENCODING_UTF8 ? "utf-8" : "utf-16", MCP_VERSION);
    return LSP_OK;
}

/* Files that policies read may change outside of the editor. */
enum lsp_error on_initialized(struct lsp *lsp, struct request *rq)
{
    (void)rq;
    if (!lsp->can_watch)
        return LSP_OK;
    buf_clear(&lsp->body);
    buf_add(&lsp->body,
            STR("{\"jsonrpc\":\"2.0\",\"id\":\"watch\",\"method\":\"client/registerCapability\","
                "\"params\":{\"registrations\":[{\"id\":\"files\","
                "\"method\":\"workspace/didChangeWatchedFiles\",\"registerOptions\":{\"watchers\":["
                "{\"globPattern\":\"**/*.{pol,json}\"}]}}]}}"));
    lsp_send(lsp);
    return LSP_OK;
}
