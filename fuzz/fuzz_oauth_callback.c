/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_oauth_callback.c - any bytes as the query of a redirect. What is read is UTF-8 without NUL;
 * written as a form again, it reads the same; a code never passes with a wrong issuer. */
#include "fuzz/target.h"
#include "runtime/oauth/callback.h"
#include "runtime/oauth/form.h"

#include <stdlib.h>

enum { ARENA_BYTES = 1 << 20, FORM_MAX = 1 << 16 };

static void add(struct buf *form, const char *name, Str value)
{
    ENSURE(utf8_is_valid(value) && !(value.n && memchr(value.p, '\0', value.n)));
    if (value.p)
        form_add(form, str_of(name), value);
}

static void check(const struct callback *got, struct arena *mem)
{
    struct callback again;
    struct buf form;
    struct callback_expectation expected = { STR("https://as.test"), true };
    buf_init(&form, FORM_MAX);
    add(&form, "state", got->state);
    add(&form, "code", got->code);
    add(&form, "iss", got->iss);
    add(&form, "error", got->error);
    add(&form, "error_description", got->error_description);
    enum status status = callback_read(buf_str(&form), mem, &again);
    ENSURE(status == ST_LIMIT || status == ST_OK);
    if (status == ST_OK)
        ENSURE(str_eq(got->state, again.state) && str_eq(got->code, again.code) &&
               str_eq(got->iss, again.iss) && str_eq(got->error, again.error) &&
               str_eq(got->error_description, again.error_description));
    enum callback_verdict verdict = callback_judge(got, &expected);
    bool is_right = got->iss.p && str_eq(got->iss, expected.issuer);
    ENSURE(is_right == (verdict != CALLBACK_NO_ISS && verdict != CALLBACK_WRONG_ISS));
    ENSURE(verdict != CALLBACK_CODE || got->code.n);
    buf_free(&form);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct callback callback;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    arena_init(&mem, ARENA_BYTES);
    if (callback_read((Str){ block, size }, &mem, &callback) == ST_OK)
        check(&callback, &mem);
    arena_reset(&mem);
    free(block);
    return 0;
}
