/* SPDX-License-Identifier: Apache-2.0 */
/* signature.h - who vouches for a bundle: a detached signature beside it.
 *
 * FILE.polb.sig holds one DER signature (crypto/ecdsa.h) of the message below, which names the
 * bundle's identity, and so all of its bytes, the policy and its version. The bundle itself stays
 * as it was compiled, and keeps its identity. docs/signing.md says what that is good for.
 */
#ifndef RUNTIME_BUNDLE_SIGNATURE_H
#define RUNTIME_BUNDLE_SIGNATURE_H

#include "runtime/bundle/program.h"
#include "runtime/crypto/ecdsa.h"

#define SIGNATURE_SUFFIX ".sig"

/* The first line of what is signed; a change of the lines below it changes its number. */
#define SIGNATURE_CONTEXT "mcpc bundle signature 1"

/* What is signed: four lines, each ended by a line feed. A policy's name holds none (the message is
 * not unambiguous otherwise, and this is false then). Appends to out. */
MUST_USE bool signature_message(const struct program *program, struct buf *out);

/* The bytes of the signature beside the bundle at path. ST_NOT_FOUND: there is none; ST_INVALID:
 * what is there is longer than a signature; ST_IO. out has ECDSA_SIGNATURE_MAX bytes. */
MUST_USE enum status signature_read(const char *path, unsigned char out[ECDSA_SIGNATURE_MAX],
                                    size_t *n);

/* Is there a signature beside the bundle at path, and is it by one of the keys? ST_OK; ST_DENIED:
 * none of them made it; else as signature_read. */
MUST_USE enum status signature_check(const struct program *program, const char *path,
                                     struct ecdsa_key *const *keys, size_t key_count);

#endif
