/* SPDX-License-Identifier: Apache-2.0 */
/* callback.c - reads the redirect, then says what it is worth. */
#include "runtime/oauth/callback.h"

#include "runtime/oauth/form.h"

static Str *slot_of(struct callback *callback, Str name)
{
    const struct {
        Str name;
        Str *slot;
    } known[] = {
        { STR_INIT("state"), &callback->state },
        { STR_INIT("code"), &callback->code },
        { STR_INIT("iss"), &callback->iss },
        { STR_INIT("error"), &callback->error },
        { STR_INIT("error_description"), &callback->error_description },
    };
    for (size_t i = 0; i < COUNT(known); i++) {
        if (str_eq(known[i].name, name))
            return known[i].slot;
    }
    return NULL;
}

enum status callback_read(Str query, struct arena *mem, struct callback *out)
{
    struct callback found = { .state = { NULL, 0 } };
    struct form_field field;
    enum form_result result;
    if (query.n > CALLBACK_BYTES_MAX)
        return ST_LIMIT;
    while ((result = form_next(&query, mem, &field)) == FORM_FIELD) {
        Str *slot = slot_of(&found, field.name);
        if (slot && slot->p)
            return ST_INVALID;
        if (slot)
            *slot = field.value;
    }
    if (result == FORM_BAD || !found.state.n)
        return ST_INVALID;
    *out = found;
    return ST_OK;
}

enum callback_verdict callback_judge(const struct callback *callback,
                                     const struct callback_expectation *expected)
{
    if (!callback->iss.p && expected->sends_iss)
        return CALLBACK_NO_ISS;
    if (callback->iss.p && !str_eq(callback->iss, expected->issuer))
        return CALLBACK_WRONG_ISS;
    if ((callback->code.n > 0) == (callback->error.n > 0))
        return CALLBACK_INCOMPLETE;
    return callback->code.n ? CALLBACK_CODE : CALLBACK_ERROR;
}
