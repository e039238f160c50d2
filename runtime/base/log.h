/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - the operator's log: one line a message on standard error, key=value behind the text.
 *
 * "time level text key=value ...". Control bytes and line ends inside values are escaped, so
 * input can't forge a line. Never pass a secret or an argument's value.
 */
#ifndef RUNTIME_BASE_LOG_H
#define RUNTIME_BASE_LOG_H

#include "runtime/base/attr.h"

/* LOG_OFF is a threshold only: nothing is logged at it. */
enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR, LOG_OFF };

/* Messages below the level are dropped; LOG_INFO at the start. */
void log_set_level(enum log_level level);

void log_message(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_debug(...) log_message(LOG_DEBUG, __VA_ARGS__)
#define log_info(...)  log_message(LOG_INFO, __VA_ARGS__)
#define log_warn(...)  log_message(LOG_WARN, __VA_ARGS__)
#define log_error(...) log_message(LOG_ERROR, __VA_ARGS__)

#endif
