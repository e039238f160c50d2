/* SPDX-License-Identifier: Apache-2.0 */
/* message.h - the datagrams between the gateway and the keeper.
 *
 * A socket pair of sequenced packets keeps their borders; inside, every text has its length before
 * it, and a packet that is not read to its very end with the count of texts that its type has is
 * refused whole. One byte version, one type, eight bytes id, eight bytes number (big endian), then
 * the texts, four bytes of length each.
 */
#ifndef RUNTIME_KEEPER_MESSAGE_H
#define RUNTIME_KEEPER_MESSAGE_H

#include "runtime/base/buf.h"
#include "runtime/base/status.h"

enum message_type {
#define MESSAGE(name, fields, doc) MESSAGE_##name,
#include "runtime/keeper/message.def"
#undef MESSAGE
    MESSAGE_COUNT
};

/* What kind of no. */
enum no_kind {
    NO_LOGIN,  /* a person must log in; the text says how */
    NO_SCOPES, /* likewise, for more than was granted */
    NO_LATER,  /* the authorization server can't be reached, or the keeper can't work */
};

enum {
    MESSAGE_VERSION = 1,
    MESSAGE_FIELDS_MAX = 4,
    MESSAGE_BYTES_MAX = 64 * 1024, /* of a packet */
};

struct message {
    enum message_type type;
    uint64_t id, number;
    Str fields[MESSAGE_FIELDS_MAX];
};

/* Appends; out is full when it is too long. */
void message_write(const struct message *message, struct buf *out);

/* Slices borrow bytes. ST_INVALID. */
MUST_USE enum status message_read(Str bytes, struct message *out);

#endif
