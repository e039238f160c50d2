/* SPDX-License-Identifier: Apache-2.0 */
/* driver.h - the pipeline in one place: read, parse, check, emit. */
#ifndef COMPILER_COMMAND_DRIVER_H
#define COMPILER_COMMAND_DRIVER_H

#include "compiler/check/check.h"
#include "compiler/emit/emit.h"
#include "runtime/bundle/program.h"

/* Memory that one compilation may take. */
#define COMPILATION_BYTES_MAX ((size_t)2 << 30)

struct compilation {
    struct arena mem;
    struct sources sources;
    struct diags diags;
    struct policy *policy; /* NULL when the file can't be read */
    uint32_t source;       /* the policy's own, index 0 */
    Str profile;           /* the one to emit; empty: none is asked for */
    Str params_path;       /* a file with values for its params; empty: none */
    struct params params;  /* values for its params; doc NULL: none */
    struct buf bundle;     /* the bundle's bytes after compilation_emit */
};

void compilation_init(struct compilation *c);
void compilation_free(struct compilation *c);

/* Each step is true when diags holds no error after it; a step after a failed one must not run. */
bool compilation_parse(struct compilation *c, Str path);
bool compilation_check(struct compilation *c, Str path); /* parses first */
bool compilation_emit(struct compilation *c); /* again, for another profile, if need be */

/* The profiles to emit, one after the other: the one asked for, or all. The one empty name of a
 * policy that has none. */
uint32_t compilation_profiles(const struct compilation *c, Str names[PROFILES_MAX]);
/* Emits and loads. */
bool compilation_load(struct compilation *c, struct program **out);

/* All of it, and the loaded program. */
bool compilation_program(struct compilation *c, Str path, struct program **out);

#endif
