/* SPDX-License-Identifier: Apache-2.0 */
/* serve.h - the two subcommands that stay: the gateway, and the proxy of one stdio server.
 *
 * main.c reads the command line and the configuration and calls these; what they return is the
 * exit code (0 a clean end, 1 a failure at run time, 2 bad usage or configuration). All strings
 * have a NUL behind them and outlive the call.
 */
#ifndef RUNTIME_DAEMON_SERVE_H
#define RUNTIME_DAEMON_SERVE_H

#include "runtime/base/str.h"
#include "runtime/daemon/config.h"

enum exit_code { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* `mcpd serve`: runs until SIGTERM or SIGINT. config_path is where config came from. */
int serve_main(const struct config *config, const char *config_path);

struct run_options {
    Str policy;    /* the bundle's path as given; never empty */
    Str server;    /* the alias to judge by; empty: the one that the policy names */
    Str principal; /* its id; empty: "local" */
    const Str *groups;
    size_t group_count;
    Str audit;       /* a path, "-" for standard error, or empty: no audit file was asked for */
    const Str *argv; /* the command behind "--" */
    size_t argc;     /* at least 1 */
};

/* `mcpd run`: speaks for the command on standard input and output until either side ends. */
int run_main(const struct run_options *options);

#endif
