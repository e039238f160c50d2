/* SPDX-License-Identifier: Apache-2.0 */
/* command_lsp.c - lsp: the language server on this process's standard input and output. */
#include "compiler/command/command.h"
#include "compiler/lsp/lsp.h"

#include <unistd.h>

enum exit_code mcpc_lsp(const struct options *options)
{
    (void)options;
    return lsp_serve(STDIN_FILENO, STDOUT_FILENO) ? EXIT_OK : EXIT_FINDINGS;
}
