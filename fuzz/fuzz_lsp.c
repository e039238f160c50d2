/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lsp.c - any bytes as what an editor sends. An input that begins with 'F' is the stream
 * itself, with its headers; else every line is one message, to a server that was greeted and has a
 * policy open.
 *
 * Whatever comes, every answer is a frame that holds JSON which our own strict reader takes.
 */
#include "compiler/lsp/lsp_internal.h"
#include "fuzz/target.h"

#include <stdlib.h>

enum { INPUT_BYTES_MAX = 1 << 16 };

static void check_answers(struct lsp *lsp)
{
    static const struct json_limits limits = { .max_bytes = LSP_OUT_MAX,
                                               .max_depth = 64,
                                               .max_nodes = 1 << 22,
                                               .max_members = 4096,
                                               .allow_nul = true };
    struct frame_reader reader;
    struct arena mem;
    Str body;
    frame_init(&reader);
    arena_init(&mem, (size_t)1 << 30);
    ENSURE(!lsp->out.is_full && frame_feed(&reader, buf_str(&lsp->out)));
    enum frame frame = FRAME_NONE;
    while ((frame = frame_next(&reader, &body)) == FRAME_MESSAGE) {
        struct json_doc doc;
        arena_rewind(&mem);
        ENSURE(json_parse(body, &limits, &mem, &doc, NULL) == JSON_ERR_NONE);
        ENSURE(str_eq(json_member_string(&doc, 0, STR("jsonrpc")), STR("2.0")));
    }
    ENSURE(frame == FRAME_NONE && reader.used == reader.bytes.n);
    buf_clear(&lsp->out);
    arena_reset(&mem);
    frame_free(&reader);
}

static void greet(struct lsp *lsp)
{
    lsp_handle(lsp, STR("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                        "\"capabilities\":{}}}"));
    lsp_handle(lsp, STR("{\"jsonrpc\":\"2.0\",\"method\":\"textDocument/didOpen\",\"params\":{"
                        "\"textDocument\":{\"uri\":\"file:///nowhere/p.pol\",\"languageId\":"
                        "\"mcpc\",\"version\":1,\"text\":\"policy \\\"p\\\";\\nlet a = 1;\\n"
                        "allow tool \\\"x\\\" when args.b == a;\\n\"}}}"));
}

static void handle_lines(struct lsp *lsp, Str lines)
{
    greet(lsp);
    while (lines.n && lsp->state != LSP_GONE) {
        Str line = str_cut(&lines, '\n');
        char *exact = malloc(line.n ? line.n : 1); /* so that a read past its end is seen */
        ENSURE(exact != NULL);
        if (line.n)
            memcpy(exact, line.p, line.n);
        lsp_handle(lsp, (Str){ .p = exact, .n = line.n });
        free(exact);
        check_answers(lsp);
    }
}

static void handle_stream(struct lsp *lsp, Str stream)
{
    Str message;
    enum frame frame = FRAME_NONE;
    ENSURE(frame_feed(&lsp->frames, stream));
    do {
        frame = frame_next(&lsp->frames, &message);
        if (frame == FRAME_MESSAGE)
            lsp_handle(lsp, message);
        if (frame == FRAME_DROPPED)
            lsp_handle_lost(lsp);
    } while ((frame == FRAME_MESSAGE || frame == FRAME_DROPPED) && lsp->state != LSP_GONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Str input = { .p = (const char *)data, .n = size };
    struct lsp *lsp = size && size <= INPUT_BYTES_MAX ? lsp_open() : NULL;
    if (!lsp)
        return 0;
    if (data[0] == 'F')
        handle_stream(lsp, str_sub(input, 1, size));
    else
        handle_lines(lsp, input);
    publish_pending(lsp, NULL, NULL);
    publish_emitted(lsp);
    check_answers(lsp);
    lsp_close(lsp);
    return 0;
}
