/* SPDX-License-Identifier: Apache-2.0 */
/* hostname.h - a host as host(), url() and email() share it. Private to runtime/domain. */
#ifndef RUNTIME_DOMAIN_HOSTNAME_H
#define RUNTIME_DOMAIN_HOSTNAME_H

#include "runtime/domain/ip.h"
#include "runtime/json/json_build.h"

enum { HOST_BYTES_MAX = 253, LABEL_BYTES_MAX = 63 };

struct hostname {
    Str name; /* lower case, without the trailing dot; an address in canonical text */
    bool is_address;
    Address address;
};

/* A DNS name of letters, digits, '-' and '_', or an address; in IPv6 brackets only if has_brackets.
 * Non-ASCII names are refused: write their xn-- form, which is checked to be plain punycode. */
MUST_USE bool hostname_read(Str text, bool has_brackets, struct arena *mem, struct hostname *out);

/* Members ip and range (null for a name). */
void hostname_build_address(const struct hostname *host, struct json_build *build);
void hostname_build_labels(const struct hostname *host, struct json_build *build);

#endif
