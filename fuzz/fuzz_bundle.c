/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_bundle.c - the loader, and the VM on whatever the loader accepts. The input is resealed
 * first, or the checksum would keep the fuzzer out; an input that loads is run on a few calls. */
#include "fuzz/target.h"
#include "runtime/vm/vm.h"

#include <stdlib.h>
#include <string.h>

static void run(struct program *program)
{
    static const char *const calls[] = {
        "{}", "{\"s\":\"ab\",\"n\":1,\"l\":[1,\"a\"],\"o\":{\"r\":\"x\"}}"
    };
    static const Str groups[] = { STR_INIT("admins") };
    struct principal principal = { .id = STR("me"), .groups = groups, .group_count = 1 };
    struct vm *vm;
    struct arena mem;
    if (vm_open(program, &vm) != ST_OK)
        return;
    arena_init(&mem, 1 << 20);
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct json_doc doc;
        struct decision decision;
        ENSURE(json_parse(str_of(calls[i]), &json_limits_default, &mem, &doc, NULL) == 0);
        struct vm_call call = { .server = STR("a"), .doc = &doc, .principal = &principal };
        for (uint32_t t = 0; t < program->counts[SECTION_NAMES] && t < 8; t++) {
            struct vm_question question = { .server = STR("a"),
                                            .kind = program->names[t].route % KIND_COUNT,
                                            .principal = &principal };
            call.kind = question.kind;
            call.name = program_text(program, program->names[t].name);
            vm_decide(vm, &call, &decision);
            (void)vm_may_allow(vm, &question, call.name);
            (void)vm_may_allow_some(vm, &question, str_sub(call.name, 0, call.name.n / 2));
        }
        call.kind = KIND_TOOL;
        call.name = STR("delete_all");
        vm_decide(vm, &call, &decision);
    }
    arena_reset(&mem);
    vm_close(vm);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program *program;
    struct bundle_error error;
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return 0;
    if (size)
        memcpy(copy, data, size);
    if (size >= sizeof(struct bundle_header))
        bundle_seal(copy, size);
    if (program_load((Str){ .p = copy, .n = size }, &program, &error) == ST_OK) {
        struct buf text;
        buf_init(&text, 1 << 20);
        run(program);
        program_disassemble(program, &text);
        buf_free(&text);
        program_release(program);
    }
    free(copy);
    return 0;
}
