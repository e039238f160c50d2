/* SPDX-License-Identifier: Apache-2.0 */
/* base.c - the assertion's end and the status texts. */
#include "runtime/base/attr.h"
#include "runtime/base/status.h"

#include <stdio.h>
#include <stdlib.h>

void ensure_failed(const char *file, int line, const char *claim)
{
    (void)fprintf(stderr, "%s:%d: this must hold and does not: %s\n", file, line, claim);
    abort();
}

static const char *const texts[] = {
#define STATUS(name, text) [ST_##name] = (text),
#include "runtime/base/status.def"
#undef STATUS
};

const char *status_text(enum status status)
{
    return status < STATUS_COUNT ? texts[status] : "unknown status";
}
