/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - widths first, then lines. */
#include "runtime/daemon/table.h"

#include <stdio.h>

/* A copy in which C0 and C1 control characters (as UTF-8) are question marks; "-" for nothing. */
static Str tame(struct arena *mem, Str s)
{
    if (!s.n)
        return STR("-");
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

bool table_open(struct table *table, struct arena *mem, const Str *titles, size_t columns,
                size_t room)
{
    ENSURE(columns <= TABLE_COLUMNS_MAX);
    *table = (struct table){ .mem = mem, .columns = columns, .room = room + 1 };
    table->rows = arena_alloc(mem, sizeof *table->rows, _Alignof(Str), table->room);
    return table->rows && table_add(table, titles);
}

bool table_add(struct table *table, const Str *cells)
{
    ENSURE(table->count < table->room);
    for (size_t i = 0; i < table->columns; i++) {
        table->rows[table->count][i] = tame(table->mem, cells[i]);
        if (!table->rows[table->count][i].p)
            return false;
    }
    table->count++;
    return true;
}

enum status table_print(const struct table *table)
{
    size_t widths[TABLE_COLUMNS_MAX] = { 0 };
    for (size_t i = 0; i < table->count; i++) {
        for (size_t c = 0; c < table->columns; c++) {
            size_t width = utf8_length(table->rows[i][c]);
            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
    for (size_t i = 0; i < table->count; i++) {
        for (size_t c = 0; c < table->columns; c++) {
            Str cell = table->rows[i][c];
            size_t pad = c + 1 < table->columns ? widths[c] - utf8_length(cell) + 2 : 0;
            (void)printf("%.*s%*s", STR_ARG(cell), (int)pad, "");
        }
        (void)putchar('\n');
    }
    return fflush(stdout) == 0 ? ST_OK : ST_IO;
}
