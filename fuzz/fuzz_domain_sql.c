/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_domain_sql.c - any text as sql; see domain.h for what must hold. */
#include "fuzz/domain.h"

#include <stdlib.h>

enum { ARENA_BYTES = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena mem;
    struct json_doc doc;
    char *block = malloc(size ? size : 1);
    ENSURE(block);
    if (size)
        memcpy(block, data, size);
    arena_init(&mem, ARENA_BYTES);
    (void)domain_check(DOMAIN_SQL, (Str){ .p = block, .n = size }, &mem, &doc);
    arena_reset(&mem);
    free(block);
    return 0;
}
