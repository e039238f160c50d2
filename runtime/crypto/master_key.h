/* SPDX-License-Identifier: Apache-2.0 */
/* master_key.h - where the sealing keys come from.
 *
 * Their text is one key a line, "ID KEY": a number from 1 and 32 bytes in base64url (43
 * characters); empty lines and lines that begin with '#' are passed over. Sources: a file that only
 * its owner may read, a systemd credential (a file below $CREDENTIALS_DIRECTORY), or an environment
 * variable, which is wiped from the process's environment as soon as it was read.
 */
#ifndef RUNTIME_CRYPTO_MASTER_KEY_H
#define RUNTIME_CRYPTO_MASTER_KEY_H

#include "runtime/crypto/seal.h"

enum { MASTER_KEY_TEXT_MAX = 4096 };

/* Adds the keys of a text. ST_INVALID: a line that is none, an id twice, no key at all; ST_LIMIT.
 */
MUST_USE enum status master_key_parse(Str text, struct seal_ring *ring);

/* path is NUL-terminated. ST_NOT_FOUND; ST_DENIED: others than its owner have access, or the owner
 * is neither we nor root; ST_INVALID also for what is no regular file; ST_IO. */
MUST_USE enum status master_key_read_file(const char *path, struct seal_ring *ring);

/* Of the variable of that name, NUL-terminated. ST_NOT_FOUND: it is not set. */
MUST_USE enum status master_key_read_variable(const char *name, struct seal_ring *ring);

/* Of the systemd credential of that name. ST_NOT_FOUND: no such credential. */
MUST_USE enum status master_key_read_credential(const char *name, struct seal_ring *ring);

/* Makes a file with one new key, mode 600, durable; ST_CONFLICT when there is one. */
MUST_USE enum status master_key_make_file(const char *path);

#endif
