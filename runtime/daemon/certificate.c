/* SPDX-License-Identifier: Apache-2.0 */
/* certificate.c - looks at two files from time to time and hands on what is good. */
#include "runtime/daemon/certificate.h"

#include "runtime/base/file_id.h"
#include "runtime/base/log.h"
#include "runtime/base/utc.h"
#include "runtime/base/world.h"

#include <stdlib.h>

enum { DAY_S = 24 * 3600 };

struct pair_id {
    struct file_id certificate, key;
};

struct certificate {
    const char *certificate, *key;
    struct timer *timer;
    struct tls_context *tls;
    struct pair_id tried; /* the files as they were when they were read last, good or bad */
    struct pair_id seen;  /* as they were at the last look */
    int64_t warned_s;     /* when its end was last said to be near */
    certificate_fn on_new;
    void *user;
};

static struct pair_id look(const struct certificate *c)
{
    struct pair_id id;
    (void)file_id_of(c->certificate, &id.certificate);
    (void)file_id_of(c->key, &id.key);
    return id;
}

static bool is_same(const struct pair_id *a, const struct pair_id *b)
{
    return file_id_eq(&a->certificate, &b->certificate) && file_id_eq(&a->key, &b->key);
}

static enum status load(struct certificate *c, struct tls_error *error)
{
    struct tls_context *tls = NULL;
    c->tried = c->seen = look(c); /* before: what changes meanwhile is read again */
    enum status status = tls_context_open(c->certificate, c->key, &tls, error);
    if (status != ST_OK)
        return status;
    struct utc_text end = utc_seconds(tls_context_end(tls) * 1000);
    log_info("certificate loaded path=%s until=%s", c->certificate, end.text);
    tls_context_release(c->tls);
    c->tls = tls;
    c->warned_s = 0;
    if (c->on_new)
        c->on_new(c->user, tls);
    return ST_OK;
}

void certificate_reload(struct certificate *c)
{
    struct tls_error error;
    if (c && load(c, &error) != ST_OK)
        log_error("the certificate before stays in force why=%s", error.text);
}

static void warn_of_end(struct certificate *c)
{
    int64_t now_s = world_wall_ms() / 1000;
    int64_t left_s = tls_context_end(c->tls) - now_s;
    if (left_s > (int64_t)CERTIFICATE_WARN_DAYS * DAY_S || now_s - c->warned_s < DAY_S)
        return;
    c->warned_s = now_s;
    log_warn("the certificate %s path=%s days=%lld", left_s < 0 ? "has expired" : "expires soon",
             c->certificate, (long long)(left_s / DAY_S));
}

static void on_look(void *user)
{
    struct certificate *c = user;
    struct pair_id now = look(c);
    bool is_settled = is_same(&now, &c->seen);
    c->seen = now;
    if (is_settled && !is_same(&now, &c->tried))
        certificate_reload(c);
    warn_of_end(c);
    timer_start(c->timer, CERTIFICATE_LOOK_MS);
}

enum status certificate_open(struct loop *loop, const char *certificate, const char *key,
                             struct certificate **out, struct tls_error *error)
{
    struct certificate *c = calloc(1, sizeof *c);
    *error = (struct tls_error){ .text = "no memory left" };
    if (!c)
        return ST_NO_MEMORY;
    c->certificate = certificate;
    c->key = key;
    c->timer = timer_open(loop, on_look, c);
    enum status status = c->timer ? load(c, error) : ST_NO_MEMORY;
    if (status != ST_OK) {
        certificate_close(c);
        return status;
    }
    on_look(c);
    *out = c;
    return ST_OK;
}

void certificate_close(struct certificate *c)
{
    if (!c)
        return;
    timer_close(c->timer);
    tls_context_release(c->tls);
    free(c);
}

void certificate_on_new(struct certificate *c, certificate_fn fn, void *user)
{
    c->on_new = fn;
    c->user = user;
}

struct tls_context *certificate_tls(const struct certificate *c)
{
    return c->tls;
}
