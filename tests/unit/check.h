/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - the smallest test harness that names what failed.
 *
 * A test program calls CHECK for each claim inside TEST functions listed in main, and ends with
 * `return check_finish();`, which prints "N passed, N failed" (tests, not claims).
 */
#ifndef TESTS_UNIT_CHECK_H
#define TESTS_UNIT_CHECK_H

#include "runtime/base/str.h"

#include <stdbool.h>
#include <stdio.h>

extern int check_passed, check_failed;
extern bool check_ok;

#define CHECK(claim) check_claim((claim), __FILE__, __LINE__, "%s", #claim)
/* With a printf text that says which row of a table this is. */
#define CHECK_ROW(claim, ...) check_claim((claim), __FILE__, __LINE__, __VA_ARGS__)
#define CHECK_STR(got, want)  check_str((got), (want), __FILE__, __LINE__)
#define RUN(test)             check_run(#test, (test))

bool check_claim(bool claim, const char *file, int line, const char *format, ...) PRINTF_LIKE(4, 5);
bool check_str(Str got, Str want, const char *file, int line);
void check_run(const char *name, void (*test)(void));
int check_finish(void);

#endif
