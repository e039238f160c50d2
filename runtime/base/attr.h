/* SPDX-License-Identifier: Apache-2.0 */
/* attr.h - compiler attributes and the one assertion that stays on in release builds. */
#ifndef RUNTIME_BASE_ATTR_H
#define RUNTIME_BASE_ATTR_H

#define MUST_USE               __attribute__((warn_unused_result))
#define NORETURN               __attribute__((noreturn))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* For what only a bug of ours can break: the process stops rather than guess. Never for input. */
#define ENSURE(claim) ((claim) ? (void)0 : ensure_failed(__FILE__, __LINE__, #claim))

/* Where control can't come. */
#define UNREACHABLE(why) ensure_failed(__FILE__, __LINE__, "unreachable: " why)

NORETURN void ensure_failed(const char *file, int line, const char *claim);

#endif
