/* SPDX-License-Identifier: Apache-2.0 */
/* config.c - mcpd.jsonc from file to struct config.
 *
 * Four steps: comments are blanked, the strict JSON reader takes the text (so duplicate keys,
 * broken UTF-8 and the like never get further), the shape is compared with config_keys.def, and
 * the values are read and judged. The last two go on after a mistake, so that the operator hears
 * of all at once; a file with one is refused whole.
 */
#include "runtime/daemon/config.h"

#include "runtime/daemon/config_reader.h"
#include "runtime/gateway/trust.h"
#include "runtime/store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

uint32_t config_at(const struct config_reader *reader, uint32_t index)
{
    return json_at(&reader->doc, index)->raw;
}

Str config_echo(const struct config_reader *reader, uint32_t index)
{
    return config_cut(json_raw(&reader->doc, index));
}

Str config_copy(struct config_reader *reader, Str s)
{
    Str copy = arena_copy(reader->mem, s.p ? s : STR(""));
    reader->is_spent = reader->is_spent || !copy.p;
    return copy.p ? copy : STR("");
}

Str config_absolute(struct config_reader *reader, Str path)
{
    while (str_starts(path, STR("./")))
        path = str_sub(path, 2, path.n);
    if (str_eq(path, STR(".")))
        return config_copy(reader, reader->folder);
    if (str_starts(path, STR("/")))
        return config_copy(reader, path);
    bool is_root = str_eq(reader->folder, STR("/"));
    Str joined = arena_printf(reader->mem, "%.*s%s%.*s", STR_ARG(reader->folder),
                              is_root ? "" : "/", STR_ARG(path));
    reader->is_spent = reader->is_spent || !joined.p;
    return joined.p ? joined : STR("");
}

void config_strings(struct config_reader *reader, uint32_t list, const char *(*check)(Str),
                    Str **out, size_t *count)
{
    *count = 0;
    if (list == JSON_NONE)
        return;
    const struct json_doc *doc = &reader->doc;
    Str *strings = ARENA_NEW(reader->mem, Str, json_at(doc, list)->count);
    if (!strings) {
        reader->is_spent = true;
        return;
    }
    for (uint32_t i = json_first(doc, list); i != JSON_NONE; i = json_after(doc, list, i)) {
        const char *problem = check ? check(json_text(json_at(doc, i))) : NULL;
        if (problem)
            config_complain(reader, config_at(reader, i), "%s", problem);
        strings[(*count)++] = config_copy(reader, json_text(json_at(doc, i)));
    }
    *out = strings;
}

const char *config_name_problem(Str name)
{
    if (name.n == 0 || name.n > CONFIG_NAME_MAX)
        return "must have 1 to 256 bytes";
    for (size_t i = 0; i < name.n; i++) {
        if ((unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
            return "must not have spaces or control characters";
    }
    return NULL;
}

const char *config_path_problem(Str path)
{
    return path.n == 0 || str_ends(path, STR("/")) ? "must be the path of a file" : NULL;
}

/* A path, absolute; "-" stays what it is where it has a meaning. */
static Str path_of(struct config_reader *reader, uint32_t member, Str text)
{
    if (config_path_problem(text))
        config_complain(reader, config_at(reader, member), "%s", config_path_problem(text));
    return config_absolute(reader, text);
}

static Str read_audit(struct config_reader *reader)
{
    uint32_t member = config_member(reader, 0, STR("audit"), CONFIG_STRING);
    Str text = member == JSON_NONE ? config_fallback(STR("audit"))
                                   : json_text(json_at(&reader->doc, member));
    if (str_eq(text, STR("-")))
        return config_copy(reader, text);
    return path_of(reader, member, text);
}

/* A file's path, or the URL of a PostgreSQL database. */
static Str read_store(struct config_reader *reader)
{
    uint32_t member = config_member(reader, 0, STR("store"), CONFIG_STRING);
    Str text = member == JSON_NONE ? config_fallback(STR("store"))
                                   : json_text(json_at(&reader->doc, member));
    return store_is_url(text) ? config_copy(reader, text) : path_of(reader, member, text);
}

static void read_principals(struct config_reader *reader, struct config *config)
{
    const struct json_doc *doc = &reader->doc;
    uint32_t map = config_member(reader, 0, STR("principals"), CONFIG_MAP);
    if (map == JSON_NONE)
        return;
    config->principals = ARENA_NEW(reader->mem, struct config_principal, json_at(doc, map)->count);
    if (!config->principals) {
        reader->is_spent = true;
        return;
    }
    for (uint32_t i = json_first(doc, map); i != JSON_NONE; i = json_after(doc, map, i)) {
        struct config_principal *principal = &config->principals[config->principal_count++];
        const char *problem = config_name_problem(json_key(json_at(doc, i)));
        if (problem)
            config_complain(reader, config_at(reader, i), "the principal's id %s", problem);
        principal->id = config_copy(reader, json_key(json_at(doc, i)));
        config_strings(reader, config_member(reader, i, STR("groups"), CONFIG_STRINGS),
                       config_name_problem, &principal->groups, &principal->group_count);
    }
}

static void read_trust(struct config_reader *reader, struct config *config)
{
    uint32_t list = config_member(reader, 0, STR("trusted_keys"), CONFIG_STRINGS);
    uint32_t rollback = config_member(reader, 0, STR("allow_rollback"), CONFIG_BOOL);
    config_strings(reader, list, config_path_problem, &config->trusted_keys,
                   &config->trusted_key_count);
    for (size_t i = 0; i < config->trusted_key_count; i++)
        config->trusted_keys[i] = config_absolute(reader, config->trusted_keys[i]);
    if (list != JSON_NONE && config->trusted_key_count == 0)
        config_complain(reader, config_at(reader, list),
                        "names no key: leave it out if bundles need no signature");
    if (config->trusted_key_count > TRUST_KEYS_MAX)
        config_complain(reader, config_at(reader, list), "names more than %d keys", TRUST_KEYS_MAX);
    config->allow_rollback =
        rollback != JSON_NONE && json_at(&reader->doc, rollback)->type == JSON_TRUE;
}

static void read_limit(struct config_reader *reader, Str name, uint32_t min, uint32_t max,
                       uint32_t *out)
{
    uint64_t value = 0;
    uint32_t limits = config_member(reader, 0, STR("limits"), CONFIG_OBJECT);
    uint32_t member =
        limits == JSON_NONE ? JSON_NONE : config_member(reader, limits, name, CONFIG_NUMBER);
    if (member == JSON_NONE)
        return;
    Str text = json_text(json_at(&reader->doc, member));
    if (!str_to_u64(text, max, &value) || value < min)
        config_complain(reader, config_at(reader, member),
                        "must be a whole number from %u to %u, not %.*s", min, max,
                        STR_ARG(config_echo(reader, member)));
    else
        *out = (uint32_t)value;
}

static void read_limits(struct config_reader *reader, struct gateway_limits *limits)
{
#define LIMIT(name, def, min, max, doc)                                                            \
    limits->name = (def);                                                                          \
    read_limit(reader, STR(#name), (min), (max), &limits->name);
#include "runtime/gateway/limit.def"
#undef LIMIT
}

static void read_values(struct config_reader *reader, struct config *config)
{
    if (json_at(&reader->doc, 0)->type != JSON_OBJECT)
        return;
    config_read_listen(reader, config);
    config->store_path = read_store(reader);
    config->audit_path = read_audit(reader);
    read_principals(reader, config);
    config_read_servers(reader, config);
    config_read_oauth(reader, config);
    read_trust(reader, config);
    read_limits(reader, &config->limits);
    config_mark(reader, config);
}

/* Reads the text strictly. Beyond a duplicate key it goes on without that member, for the sake of
 * the mistakes that are still to be found; the file is refused in any case. */
static bool read_tape(struct config_reader *reader, char *text)
{
    static const struct json_limits limits = { .max_bytes = CONFIG_FILE_MAX,
                                               .max_depth = CONFIG_DEPTH_MAX,
                                               .max_nodes = CONFIG_NODES_MAX,
                                               .max_members = CONFIG_MEMBERS_MAX };
    for (int round = 0; round <= CONFIG_DUPLICATES_MAX; round++) {
        uint32_t at = 0;
        enum json_error error = json_parse(reader->text, &limits, reader->mem, &reader->doc, &at);
        if (error == JSON_ERR_NONE)
            return true;
        config_complain(reader, at, "%s", json_error_text(error));
        if (error != JSON_ERR_DUPLICATE_KEY)
            return false;
        config_blank_member(text, reader->text.n, at);
    }
    return false;
}

/* A copy of the text without comments, and its tape. */
static bool read_document(struct config_reader *reader, Str text)
{
    uint32_t at = 0;
    char *copy = ARENA_NEW(reader->mem, char, text.n + 1);
    if (!copy) {
        reader->is_spent = true;
        return false;
    }
    if (text.n)
        memcpy(copy, text.p, text.n);
    reader->text = (Str){ .p = copy, .n = text.n };
    if (!config_blank_comments(copy, text.n, &at)) {
        config_complain(reader, at, "this comment is never closed");
        return false;
    }
    return read_tape(reader, copy);
}

enum status config_parse(const char *file, Str folder, Str text, struct arena *mem,
                         struct config *config, Str *errors)
{
    struct config_reader reader = { .file = file, .folder = folder, .mem = mem };
    struct config read = { .listen_port = 0 };
    if (read_document(&reader, text)) {
        config_check_shape(&reader);
        read_values(&reader, &read);
    }
    if (reader.error_count)
        *errors = config_complaints(&reader);
    if (reader.is_spent) {
        *errors = STR("the configuration needs more memory than it may take\n");
        return ST_INVALID;
    }
    if (reader.error_count)
        return ST_INVALID;
    *config = read;
    return ST_OK;
}

static enum status refuse(struct arena *mem, const char *path, const char *why, Str *errors)
{
    Str text = arena_printf(mem, "%s: %s\n", path, why);
    *errors = text.p ? text : STR("the configuration can't be read\n");
    return ST_IO;
}

/* The file says which programs are started: one that anybody may write is nobody's word. */
static const char *file_problem(int fd)
{
    struct stat info;
    if (fstat(fd, &info) != 0)
        return strerror(errno);
    if (!S_ISREG(info.st_mode))
        return "not a regular file";
    if (info.st_mode & S_IWOTH)
        return "anybody may write to this file; take that away (chmod o-w) before it is used";
    return info.st_size > CONFIG_FILE_MAX ? "larger than 1 MiB" : NULL;
}

/* Reads the open file to its end. NULL and *why on failure. */
static char *read_all(int fd, struct arena *mem, size_t *n, const char **why)
{
    *why = file_problem(fd);
    char *bytes = *why ? NULL : ARENA_NEW(mem, char, CONFIG_FILE_MAX + 1);
    if (!bytes) {
        *why = *why ? *why : "no memory left";
        return NULL;
    }
    ssize_t got = 1;
    for (*n = 0; got > 0 && *n <= CONFIG_FILE_MAX; *n += got > 0 ? (size_t)got : 0)
        got = read(fd, bytes + *n, CONFIG_FILE_MAX + 1 - *n);
    if (got < 0)
        *why = strerror(errno);
    else if (*n > CONFIG_FILE_MAX)
        *why = "larger than 1 MiB";
    return *why ? NULL : bytes;
}

/* The folder of the file, absolute and without symbolic links. */
static Str folder_of(const char *path, struct arena *mem)
{
    Str all = str_of(path);
    size_t n = all.n;
    while (n > 0 && all.p[n - 1] != '/')
        n--;
    Str folder = arena_copy(mem, n ? str_sub(all, 0, n) : STR("."));
    char *real = folder.p ? realpath(folder.p, NULL) : NULL;
    Str out = real ? arena_copy(mem, str_of(real)) : STR("");
    free(real);
    return out;
}

enum status config_read(const char *path, struct arena *mem, struct config *config, Str *errors)
{
    size_t n = 0;
    const char *why = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return refuse(mem, path, strerror(errno), errors);
    const char *bytes = read_all(fd, mem, &n, &why);
    (void)close(fd);
    if (!bytes)
        return refuse(mem, path, why, errors);
    Str folder = folder_of(path, mem);
    if (folder.n == 0)
        return refuse(mem, path, "its folder has no name any more", errors);
    return config_parse(path, folder, (Str){ .p = bytes, .n = n }, mem, config, errors);
}
