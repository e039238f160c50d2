/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_parse.c - any bytes as a policy, and behind the first 0xFF as the snapshot of its servers.
 *
 * Whatever is read without an error is laid out, read again and laid out to the same text. Whatever
 * the checker lets pass, the emitter takes. Both renderings of the diagnostics hold up: one is
 * valid UTF-8, the other valid JSON.
 */
#include "compiler/check/check.h"
#include "compiler/emit/emit.h"
#include "fuzz/target.h"

#include <stdlib.h>

enum { MEMORY = 512 * 1024 * 1024, OUTPUT_BYTES_MAX = 64 * 1024 * 1024, INPUT_BYTES_MAX = 65536 };

struct reading {
    struct arena mem;
    struct sources sources;
    struct diags diags;
    struct policy *policy;
    uint32_t source;
};

static void read_policy(struct reading *r, Str text)
{
    r->sources.count = 0;
    arena_init(&r->mem, MEMORY);
    diags_init(&r->diags, &r->mem);
    /* A folder that does not exist: a relative snapshot is never found. */
    enum status status =
        source_add(&r->sources, STR("/nowhere/at/all/fuzz.pol"), text, &r->mem, &r->source);
    ENSURE(status == ST_OK);
    r->policy = policy_parse(&r->sources, r->source, &r->mem, &r->diags);
}

static void check_layout(const struct reading *r)
{
    static struct reading again;
    struct buf first, second;
    buf_init(&first, OUTPUT_BYTES_MAX);
    buf_init(&second, OUTPUT_BYTES_MAX);
    policy_print(r->policy, &r->sources.items[r->source], &first);
    ENSURE(!first.is_full);
    if (first.n <= SOURCE_BYTES_MAX) {
        read_policy(&again, buf_str(&first));
        ENSURE(again.diags.errors == 0);
        policy_print(again.policy, &again.sources.items[again.source], &second);
        ENSURE(str_eq(buf_str(&first), buf_str(&second)));
        arena_reset(&again.mem);
    }
    buf_free(&first);
    buf_free(&second);
}

static void check_diags(struct reading *r)
{
    struct buf out;
    struct json_doc doc;
    buf_init(&out, OUTPUT_BYTES_MAX);
    diags_render(&r->diags, &r->sources, &out);
    ENSURE(utf8_is_valid(buf_str(&out)));
    buf_clear(&out);
    diags_json(&r->diags, &r->sources, &out);
    struct json_limits limits = json_limits_default;
    enum json_error error = json_parse(buf_str(&out), &limits, &r->mem, &doc, NULL);
    ENSURE(error == JSON_ERR_NONE);
    buf_free(&out);
}

/* Pins the servers that name no file. */
static void pin(struct reading *r, Str text, struct snapshot *snapshot)
{
    Span span = { .source = r->source, .lo = 0, .hi = 0 };
    if (!text.n || !snapshot_parse(text, STR("fuzz.json"), span, &r->mem, &r->diags, snapshot))
        return;
    for (struct server_decl *s = r->policy->servers; s; s = s->next)
        if (!s->tools_span.hi)
            s->snapshot = snapshot;
}

static void check_emission(struct reading *r)
{
    struct buf bundle;
    buf_init(&bundle, OUTPUT_BYTES_MAX);
    (void)policy_emit(r->policy, &r->sources, &r->mem, &r->diags, &bundle);
    buf_free(&bundle);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct reading r;
    if (size > INPUT_BYTES_MAX)
        return 0;
    const uint8_t *mark = size ? memchr(data, 0xFF, size) : NULL;
    size_t n = mark ? (size_t)(mark - data) : size;
    char *text = malloc(n ? n : 1); /* of its exact size, so that a read past its end is seen */
    ENSURE(text != NULL);
    if (n)
        memcpy(text, data, n);
    read_policy(&r, (Str){ .p = text, .n = n });
    if (r.diags.errors == 0)
        check_layout(&r);
    struct snapshot snapshot;
    if (mark)
        pin(&r, (Str){ .p = (const char *)mark + 1, .n = size - n - 1 }, &snapshot);
    if (policy_check(r.policy, &r.sources, r.source, &r.mem, &r.diags))
        check_emission(&r);
    check_diags(&r);
    arena_reset(&r.mem);
    free(text);
    return 0;
}
