/* SPDX-License-Identifier: Apache-2.0 */
/* config_reader.h - private to the configuration: the text, its tape and the complaints about it.
 *
 * A complaint names an offset in the text; file, line and key path are found from there, so that
 * no check has to carry them along.
 */
#ifndef RUNTIME_DAEMON_CONFIG_READER_H
#define RUNTIME_DAEMON_CONFIG_READER_H

#include "runtime/base/arena.h"
#include "runtime/daemon/config.h"
#include "runtime/json/json.h"

enum {
    CONFIG_FILE_MAX = 1024 * 1024, /* bytes */
    CONFIG_DEPTH_MAX = 8,          /* containers around a value */
    CONFIG_MEMBERS_MAX = 4096,     /* of one object */
    CONFIG_NODES_MAX = 65536,      /* values */
    CONFIG_ERRORS_MAX = 50,        /* complaints; further ones are only counted */
    CONFIG_DUPLICATES_MAX = 8,     /* duplicate keys after which the rest goes unread */
    CONFIG_NAME_MAX = 256,         /* bytes of a principal's id or a group's name */
    CONFIG_ECHO_MAX = 60,          /* bytes of a wrong value that a complaint repeats */
};

enum config_type {
    CONFIG_OBJECT,
    CONFIG_MAP,
    CONFIG_STRING,
    CONFIG_STRINGS,
    CONFIG_NUMBER,
    CONFIG_BOOL
};

struct config_key {
    Str path;
    enum config_type type;
    Str fallback; /* the default's text; empty: none */
    Str doc;
};

/* The rows of config_keys.def. */
extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The default of a key that has one. */
Str config_fallback(Str path);

struct config_error {
    uint32_t offset;
    Str text;
};

struct config_reader {
    const char *file; /* as the operator named it, for messages */
    Str folder;       /* absolute: where relative paths begin */
    Str text;         /* comments are blanks */
    struct json_doc doc;
    struct arena *mem;
    bool is_spent; /* mem was: the result is worth nothing */
    struct config_error errors[CONFIG_ERRORS_MAX];
    size_t error_count; /* also those beyond errors[] */
};

/* Replaces comments by blanks, line ends kept, in a copy. False at an unclosed comment, whose
 * offset is then in *at. */
MUST_USE bool config_blank_comments(char *text, size_t n, uint32_t *at);

/* Blanks the member whose value begins at offset, with the comma before it, so that the text
 * without it can be read. It must be in well-formed text and not its object's first member. */
void config_blank_member(char *text, size_t n, uint32_t value);

/* Records that what stands at offset is wrong. The text says how, without a full stop. */
void config_complain(struct config_reader *reader, uint32_t offset, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* All complaints in the order of the text, one a line; each "file:line: path: text". */
Str config_complaints(struct config_reader *reader);

/* What a complaint repeats of a text of the operator's: at most CONFIG_ECHO_MAX bytes. */
Str config_cut(Str s);

/* The key path of the value at offset: "servers.fs.command[0]". */
Str config_path_at(struct arena *mem, Str text, uint32_t offset);

/* Compares the tape with the rows of config_keys.def: unknown keys, wrong types. */
void config_check_shape(struct config_reader *reader);

/* The member if it is there and of the type that the table says; else JSON_NONE. */
uint32_t config_member(const struct config_reader *reader, uint32_t object, Str key,
                       enum config_type type);

/* Offset of a value, for complaints. */
uint32_t config_at(const struct config_reader *reader, uint32_t index);

/* The value as it stands in the text, cut to CONFIG_ECHO_MAX. */
Str config_echo(const struct config_reader *reader, uint32_t index);

/* Copies with a NUL behind. Without memory the copy is empty and the reader marked as spent. */
Str config_copy(struct config_reader *reader, Str s);
/* The same of a path, which is taken from the file's folder unless it begins with a slash. */
Str config_absolute(struct config_reader *reader, Str path);

/* What is wrong with a file's path, or NULL. */
const char *config_path_problem(Str path);

/* The strings of a list that has passed the shape check. check may be NULL; it tells what is wrong
 * with one of them, or NULL. */
void config_strings(struct config_reader *reader, uint32_t list, const char *(*check)(Str),
                    Str **out, size_t *count);

/* Fills what belongs to the listener: address, TLS, names that clients may use. */
void config_read_listen(struct config_reader *reader, struct config *config);

/* Fills config->marks. */
void config_mark(struct config_reader *reader, struct config *config);

/* Fills config->servers. */
void config_read_servers(struct config_reader *reader, struct config *config);

/* Fills config->keeper; after config_read_servers, the listen address and the store's path. */
void config_read_oauth(struct config_reader *reader, struct config *config);

/* Everything after the file is read: text is borrowed until the return, folder absolute. */
MUST_USE enum status config_parse(const char *file, Str folder, Str text, struct arena *mem,
                                  struct config *config, Str *errors);

#endif
