/* SPDX-License-Identifier: Apache-2.0 */
/* target.h - the entry point that every fuzz target defines, by libFuzzer's name and rules. */
#ifndef FUZZ_TARGET_H
#define FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>

/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
