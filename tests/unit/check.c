/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/check.h"

#include <stdarg.h>

int check_passed, check_failed;
bool check_ok;

bool check_claim(bool claim, const char *file, int line, const char *format, ...)
{
    if (claim)
        return true;
    check_ok = false;
    (void)fprintf(stderr, "%s:%d: failed: ", file, line);
    va_list args;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
    return false;
}

bool check_str(Str got, Str want, const char *file, int line)
{
    return check_claim(str_eq(got, want), file, line, "got \"%.*s\", want \"%.*s\"", STR_ARG(got),
                       STR_ARG(want));
}

void check_run(const char *name, void (*test)(void))
{
    check_ok = true;
    test();
    if (check_ok)
        check_passed++;
    else
        check_failed++;
    if (!check_ok)
        (void)fprintf(stderr, "FAIL %s\n", name);
}

int check_finish(void)
{
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed || !check_passed;
}
