/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - one result type for everything that can fail for reasons outside the program.
 * Out-parameters are written only on ST_OK. */
#ifndef RUNTIME_BASE_STATUS_H
#define RUNTIME_BASE_STATUS_H

#include "runtime/base/attr.h"

enum status {
#define STATUS(name, text) ST_##name,
#include "runtime/base/status.def"
#undef STATUS
    STATUS_COUNT
};

const char *status_text(enum status status);

#endif
