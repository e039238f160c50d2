/* SPDX-License-Identifier: Apache-2.0 */
/* explain.c - the long words of diagnostics, kept away from the short ones that each message needs.
 */
#include "compiler/source/diag.h"

#include <ctype.h>

static const char *const explanations[DIAG_COUNT] = {
#define EXPLAIN(name, text) [DIAG_##name] = (text),
#include "compiler/source/explain.def"
#undef EXPLAIN
};

static const char *const names[DIAG_COUNT] = {
#define DIAG(name, number, severity, text) [DIAG_##name] = #name,
#include "compiler/source/diag.def"
#undef DIAG
};

const char *diag_explanation(enum diag_id id)
{
    return id < DIAG_COUNT && explanations[id] ? explanations[id] : "";
}

const char *diag_name(enum diag_id id)
{
    return id < DIAG_COUNT ? names[id] : "";
}

bool diag_find(Str code, enum diag_id *id)
{
    uint64_t number;
    if (code.n < 2 || !str_to_u64(str_sub(code, 1, code.n), UINT32_MAX, &number))
        return false;
    int letter = toupper((unsigned char)code.p[0]);
    for (unsigned i = 0; i < DIAG_COUNT; i++) {
        bool is_error = diag_severity((enum diag_id)i) == SEVERITY_ERROR;
        if (diag_number((enum diag_id)i) == number && letter == (is_error ? 'E' : 'W')) {
            *id = (enum diag_id)i;
            return true;
        }
    }
    return false;
}
