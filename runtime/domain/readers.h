/* SPDX-License-Identifier: Apache-2.0 */
/* readers.h - one function a domain; each in a file of its name. Private to runtime/domain. */
#ifndef RUNTIME_DOMAIN_READERS_H
#define RUNTIME_DOMAIN_READERS_H

#include "runtime/domain/domain.h"

bool read_path(Str text, struct arena *mem, struct json_doc *out);
bool read_url(Str text, struct arena *mem, struct json_doc *out);
bool read_host(Str text, struct arena *mem, struct json_doc *out);
bool read_email(Str text, struct arena *mem, struct json_doc *out);
bool read_emails(Str text, struct arena *mem, struct json_doc *out);
bool read_sql(Str text, struct arena *mem, struct json_doc *out);
bool read_shell(Str text, struct arena *mem, struct json_doc *out);
bool read_json(Str text, struct arena *mem, struct json_doc *out);
bool read_yaml(Str text, struct arena *mem, struct json_doc *out);

#endif
