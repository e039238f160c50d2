/* SPDX-License-Identifier: Apache-2.0 */
/* banned.h - libc calls that a slip makes dangerous: using one does not compile.
 *
 * Force-included into every hand-written file by the Makefile (-include), after the
 * system headers that declare them have been read here once.
 */
#ifndef RUNTIME_BASE_BANNED_H
#define RUNTIME_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Fortified headers define some of them as macros. */
#undef strcpy
#undef strcat
#undef strncpy
#undef strncat
#undef sprintf
#undef vsprintf

#pragma GCC poison strcpy strcat strncpy strncat sprintf vsprintf gets strtok atoi atol atoll atof

#endif
