/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_vm.c - pairs of a bundle and a call.
 *
 * The input is a bundle, as long as its header says, and behind it the arguments of a call as JSON.
 * The bundle is resealed first. What the loader takes must run without leaving its tables, which
 * the sanitizers see, and within its stored cost; and the same call must have the same verdict
 * twice. Explaining it and asking what a list may show must hold up too.
 */
#include "fuzz/target.h"
#include "runtime/vm/vm.h"

#include <stdlib.h>
#include <string.h>

enum { MEMORY = 64 * 1024 * 1024, NAMES_MAX = 8, LISTING_BYTES_MAX = 1 << 20 };

static void visit(void *user, struct vm *vm, uint32_t rule, bool acts)
{
    (void)user;
    (void)vm;
    (void)rule;
    (void)acts;
}

/* The bytes that a decision's cost is counted by: name, arguments, identity. */
static uint64_t call_bytes(const struct vm_call *call, size_t arguments)
{
    uint64_t bytes = call->name.n + arguments + call->principal->id.n;
    for (size_t i = 0; i < call->principal->group_count; i++)
        bytes += call->principal->groups[i].n + 1;
    return bytes;
}

static void judge(struct vm *vm, const struct vm_call *call, size_t arguments)
{
    const struct b_meta *meta = vm_program(vm)->meta;
    struct decision first, second;
    struct vm_explanation explanation;
    struct vm_visitor visitor = { .visit = visit, .all = true };
    vm_decide(vm, call, &first);
    bool is_rewritten = first.rewritten != NULL; /* then the steps are those of other arguments */
    enum verdict verdict = first.verdict;
    enum vm_cause cause = first.cause;
    uint32_t rule = first.rule;
    uint64_t budget = meta->cost_fixed + meta->cost_per_byte * call_bytes(call, arguments);
    ENSURE(is_rewritten || vm_steps(vm) <= budget);
    vm_decide(vm, call, &second);
    ENSURE(second.verdict == verdict && second.cause == cause && second.rule == rule);
    vm_explain(vm, call, &second, &visitor, &explanation);
    ENSURE(second.verdict == verdict && second.cause == cause && second.rule == rule);
}

static void judge_all(struct vm *vm, const struct json_doc *doc, size_t arguments)
{
    static const Str groups[] = { STR_INIT("admins"), STR_INIT("sales") };
    const struct program *p = vm_program(vm);
    struct principal principal = { .id = STR("me"),
                                   .groups = groups,
                                   .group_count = COUNT(groups) };
    for (uint32_t i = 0; i <= NAMES_MAX && i <= p->counts[SECTION_NAMES]; i++) {
        bool is_named = i < NAMES_MAX && i < p->counts[SECTION_NAMES];
        uint32_t route = is_named ? p->names[i].route : 0;
        Str server = program_text(p, p->servers[route / KIND_COUNT].alias);
        struct vm_call call = { .server = server.n ? server : STR("any"),
                                .kind = (enum message_kind)(route % KIND_COUNT),
                                .name = is_named ? program_text(p, p->names[i].name)
                                                 : STR("read_something_else"),
                                .doc = doc,
                                .method = STR("tools/call"),
                                .principal = &principal };
        struct vm_question question = { .server = call.server,
                                        .kind = call.kind,
                                        .principal = &principal };
        judge(vm, &call, arguments);
        (void)vm_may_allow(vm, &question, call.name);
        (void)vm_may_allow_some(vm, &question, str_sub(call.name, 0, call.name.n / 2));
    }
}

static void run(struct program *program, Str text)
{
    struct arena mem;
    struct json_doc doc;
    struct vm *vm;
    arena_init(&mem, MEMORY);
    bool is_object = json_parse(text, &json_limits_default, &mem, &doc, NULL) == JSON_ERR_NONE &&
                     json_at(&doc, 0)->type == JSON_OBJECT;
    if (vm_open(program, &vm) == ST_OK) {
        judge_all(vm, is_object ? &doc : NULL, is_object ? text.n : 0);
        vm_close(vm);
    }
    arena_reset(&mem);
}

static char *exact_copy(const uint8_t *bytes, size_t n)
{
    char *copy = malloc(n ? n : 1);
    ENSURE(copy != NULL);
    if (n)
        memcpy(copy, bytes, n);
    return copy;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bundle_header header;
    struct program *program;
    struct bundle_error error;
    if (size < sizeof header)
        return 0;
    memcpy(&header, data, sizeof header);
    if (header.total_bytes < sizeof header || header.total_bytes > size)
        return 0;
    size_t n = (size_t)header.total_bytes;
    char *bundle = exact_copy(data, n), *arguments = exact_copy(data + n, size - n);
    bundle_seal(bundle, n);
    if (program_load((Str){ .p = bundle, .n = n }, &program, &error) == ST_OK) {
        struct buf listing;
        run(program, (Str){ .p = arguments, .n = size - n });
        buf_init(&listing, LISTING_BYTES_MAX);
        program_disassemble(program, &listing);
        buf_free(&listing);
        program_release(program);
    }
    free(arguments);
    free(bundle);
    return 0;
}
