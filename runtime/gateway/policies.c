/* SPDX-License-Identifier: Apache-2.0 */
/* policies.c - bundles in force, replaced whole and only by good ones.
 *
 * Everything that a replacement needs is made before the old one is let go, so that there is no
 * moment without a policy. What has failed is remembered by the file's identity: a bad file is
 * logged once, not once a second.
 */
#include "runtime/gateway/policies.h"

#include "runtime/base/file_id.h"
#include "runtime/base/log.h"
#include "runtime/base/world.h"

#include <limits.h>
#include <stdio.h>

struct policy {
    struct policy *next;
    char *path;
    size_t path_n;
    struct vm *vm;         /* NULL: never loaded */
    struct file_id seen;   /* of the last attempt, good or bad */
    struct file_id seal;   /* the signature's then; zero: none, or not looked at */
    bool is_seen, is_gone; /* is_gone: was not there the last time, and that was logged */
    int64_t checked_ms;
};

struct policies {
    struct policy *first;
    size_t count;
    const struct trust *trust;
};

/* Of a gateway that was given no keys. */
static const struct trust trust_all = { .key_count = 0 };

struct policies *policies_open(const struct trust *trust)
{
    struct policies *policies = calloc(1, sizeof *policies);
    if (policies)
        policies->trust = trust ? trust : &trust_all;
    return policies;
}

void policies_close(struct policies *policies)
{
    if (!policies)
        return;
    for (struct policy *policy = policies->first, *next; policy; policy = next) {
        next = policy->next;
        vm_close(policy->vm);
        free(policy->path);
        free(policy);
    }
    free(policies);
}

/* The signature's file, where it matters; zero when it is not there. */
static struct file_id seal_of(const struct policies *policies, const struct policy *policy)
{
    struct file_id id = { .size = 0 };
    char path[PATH_MAX];
    int n = snprintf(path, sizeof path, "%s" SIGNATURE_SUFFIX, policy->path);
    if (policies->trust->key_count && n > 0 && (size_t)n < sizeof path)
        (void)file_id_of(path, &id);
    return id;
}

static void policy_load(const struct policies *policies, struct policy *policy)
{
    struct bundle_error error = { .text = "" };
    struct program *program = NULL;
    struct vm *vm = NULL;
    enum status status = program_read(policy->path, &program, &error);
    if (status == ST_OK)
        status = trust_check(policies->trust, program, policy->path, &error);
    if (status == ST_OK)
        status = vm_open(program, &vm);
    if (status == ST_OK)
        status = trust_remember(policies->trust, program);
    if (status == ST_OK) {
        log_info("policy loaded path=%s name=%.*s version=%u id=%s", policy->path,
                 STR_ARG(program_name(program)), program->meta->version, program->id);
        vm_close(policy->vm);
        policy->vm = vm;
    } else {
        log_error("policy not loaded path=%s why=%s detail=%s kept=%s", policy->path,
                  status_text(status), error.text, policy->vm ? "the one before" : "none");
        vm_close(vm);
    }
    program_release(program);
}

static void policy_check(const struct policies *policies, struct policy *policy)
{
    struct file_id now, seal;
    policy->checked_ms = world_mono_ms();
    if (!file_id_of(policy->path, &now)) {
        if (!policy->is_gone)
            log_error("policy file is gone path=%s kept=%s", policy->path,
                      policy->vm ? "the one before" : "none");
        policy->is_gone = true;
        policy->is_seen = false;
        return;
    }
    policy->is_gone = false;
    seal = seal_of(policies, policy);
    if (policy->is_seen && file_id_eq(&now, &policy->seen) && file_id_eq(&seal, &policy->seal))
        return;
    policy->seen = now;
    policy->seal = seal;
    policy->is_seen = true;
    policy_load(policies, policy);
}

static struct policy *policy_new(struct policies *policies, Str path)
{
    struct policy *policy = policies->count < POLICIES_MAX ? calloc(1, sizeof *policy) : NULL;
    if (!policy)
        return NULL;
    policy->path = malloc(path.n + 1);
    if (!policy->path) {
        free(policy);
        return NULL;
    }
    memcpy(policy->path, path.p, path.n);
    policy->path[path.n] = '\0';
    policy->path_n = path.n;
    policy->checked_ms = world_mono_ms() - POLICY_CHECK_MS;
    policy->next = policies->first;
    policies->first = policy;
    policies->count++;
    return policy;
}

struct vm *policies_get(struct policies *policies, Str path)
{
    struct policy *policy = policies->first;
    while (policy && !str_eq(path, (Str){ .p = policy->path, .n = policy->path_n }))
        policy = policy->next;
    if (!policy)
        policy = path.n ? policy_new(policies, path) : NULL;
    if (!policy)
        return NULL;
    if (world_mono_ms() - policy->checked_ms >= POLICY_CHECK_MS)
        policy_check(policies, policy);
    return policy->vm;
}

void policies_reload(struct policies *policies)
{
    for (struct policy *policy = policies->first; policy; policy = policy->next)
        policy_check(policies, policy);
}
