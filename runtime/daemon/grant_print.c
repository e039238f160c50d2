/* SPDX-License-Identifier: Apache-2.0 */
/* grant_print.c - grants for people and for programs. Times are UTC. Labels come from whoever made
 * the grant, so nothing of them may steer a terminal. */
#include "runtime/daemon/grant_print.h"

#include "runtime/base/utc.h"
#include "runtime/base/world.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>

enum { COLUMNS = 8 };

static const char *state_of(const struct grant_row *row)
{
    if (row->revoked_ms != 0)
        return "revoked";
    return row->expires_ms != 0 && world_wall_ms() >= row->expires_ms ? "expired" : "active";
}

/* A copy in which C0 and C1 control characters (as UTF-8) are question marks. */
static Str tame(struct arena *mem, Str s)
{
    char *out = ARENA_NEW(mem, char, s.n + 1);
    for (size_t i = 0; out && i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        bool is_c1_tail = i > 0 && (unsigned char)s.p[i - 1] == 0xC2 && c < 0xA0;
        out[i] = s.p[i];
        if (is_c1_tail)
            out[i - 1] = '?';
        if (is_c1_tail || c < ' ' || c == 0x7f)
            out[i] = '?';
    }
    return (Str){ .p = out, .n = out ? s.n : 0 };
}

static Str join_servers(const struct grant_row *row, struct arena *mem)
{
    Str all = STR("");
    for (size_t i = 0; i < row->server_count && all.p; i++)
        all = arena_printf(mem, "%.*s%s%.*s", STR_ARG(all), i ? "," : "", STR_ARG(row->servers[i]));
    return all;
}

/* False when there is no memory. */
static bool fill_cells(const struct grant_row *row, struct arena *mem, Str cells[COLUMNS])
{
    struct utc_text created = utc_seconds(row->created_ms);
    struct utc_text expires = utc_seconds(row->expires_ms);
    cells[0] = tame(mem, row->id);
    cells[1] = tame(mem, row->principal);
    cells[2] = tame(mem, join_servers(row, mem));
    cells[3] = tame(mem, row->policy);
    cells[4] = arena_copy(mem, str_of(created.text));
    cells[5] = arena_copy(mem, str_of(row->expires_ms ? expires.text : "never"));
    cells[6] = str_of(state_of(row));
    cells[7] = tame(mem, row->label);
    for (size_t i = 0; i < COLUMNS; i++) {
        if (!cells[i].p)
            return false;
    }
    return true;
}

/* No blanks at the end of a line: the last column that holds something is not padded. */
static void print_row(const Str cells[COLUMNS], const size_t widths[COLUMNS])
{
    size_t last = COLUMNS - 1;
    while (last > 0 && cells[last].n == 0)
        last--;
    for (size_t i = 0; i <= last; i++) {
        size_t pad = i < last ? widths[i] - utf8_length(cells[i]) + 2 : 0;
        (void)printf("%.*s%*s", STR_ARG(cells[i]), (int)pad, "");
    }
    (void)putchar('\n');
}

enum status grant_print_table(const struct grant_row *rows, size_t count, struct arena *mem)
{
    static const Str titles[COLUMNS] = { STR_INIT("ID"),      STR_INIT("PRINCIPAL"),
                                         STR_INIT("SERVERS"), STR_INIT("POLICY"),
                                         STR_INIT("CREATED"), STR_INIT("EXPIRES"),
                                         STR_INIT("STATE"),   STR_INIT("LABEL") };
    size_t widths[COLUMNS];
    Str(*cells)[COLUMNS] = arena_alloc(mem, sizeof *cells, _Alignof(Str), count);
    if (!cells)
        return ST_LIMIT;
    for (size_t c = 0; c < COLUMNS; c++)
        widths[c] = titles[c].n;
    for (size_t i = 0; i < count; i++) {
        if (!fill_cells(&rows[i], mem, cells[i]))
            return ST_LIMIT;
        for (size_t c = 0; c < COLUMNS; c++) {
            size_t width = utf8_length(cells[i][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    print_row(titles, widths);
    for (size_t i = 0; i < count; i++)
        print_row(cells[i], widths);
    return fflush(stdout) == 0 ? ST_OK : ST_IO;
}

/* cJSON takes NUL-terminated text; what the store holds has no NUL inside. */
static bool add_text(cJSON *object, const char *name, Str text)
{
    char *copy = strndup(text.p ? text.p : "", text.n);
    bool is_added = copy && cJSON_AddStringToObject(object, name, copy);
    free(copy);
    return is_added;
}

/* 0 stands for a moment that never comes. */
static bool add_time(cJSON *object, const char *name, int64_t ms)
{
    struct utc_text text = utc_millis(ms);
    if (ms == 0)
        return cJSON_AddNullToObject(object, name) != NULL;
    return cJSON_AddStringToObject(object, name, text.text) != NULL;
}

static bool add_servers(cJSON *object, const struct grant_row *row)
{
    cJSON *list = cJSON_AddArrayToObject(object, "servers");
    for (size_t i = 0; list && i < row->server_count; i++) {
        char *copy = strndup(row->servers[i].p, row->servers[i].n);
        cJSON *item = copy ? cJSON_CreateString(copy) : NULL;
        free(copy);
        if (!item || !cJSON_AddItemToArray(list, item))
            return false;
    }
    return list != NULL;
}

static bool add_grant(cJSON *list, const struct grant_row *row)
{
    cJSON *grant = cJSON_CreateObject();
    if (!grant || !cJSON_AddItemToArray(list, grant))
        return false;
    return add_text(grant, "id", row->id) && add_text(grant, "principal", row->principal) &&
           add_servers(grant, row) && add_text(grant, "policy", row->policy) &&
           add_time(grant, "created", row->created_ms) &&
           add_time(grant, "expires", row->expires_ms) &&
           add_time(grant, "revoked", row->revoked_ms) && add_text(grant, "label", row->label) &&
           add_text(grant, "state", str_of(state_of(row)));
}

enum status grant_print_json(const struct grant_row *rows, size_t count)
{
    cJSON *list = cJSON_CreateArray();
    bool is_built = list != NULL;
    for (size_t i = 0; is_built && i < count; i++)
        is_built = add_grant(list, &rows[i]);
    char *text = is_built ? cJSON_PrintUnformatted(list) : NULL;
    enum status status = !text                                   ? ST_NO_MEMORY
                         : puts(text) < 0 || fflush(stdout) != 0 ? ST_IO
                                                                 : ST_OK;
    cJSON_free(text);
    cJSON_Delete(list);
    return status;
}
