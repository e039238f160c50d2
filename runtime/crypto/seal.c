/* SPDX-License-Identifier: Apache-2.0 */
/* seal.c - a page of keys, and one way in and out of a sealed text.
 *
 * The page is never written to swap or to a core dump where the system allows it; where it does not
 * (a limit on locked memory), that is logged and the keys are still wiped in the end.
 */
#include "runtime/crypto/seal.h"

#include "runtime/base/log.h"
#include "runtime/base/world.h"
#include "runtime/crypto/secret.h"

#include <mbedtls/gcm.h>
#include <sys/mman.h>

enum { VERSION = 1, ID_BYTES = 4, NONCE_BYTES = 12, TAG_BYTES = 16, KEY_BITS = 256 };
enum { HEAD_BYTES = 1 + ID_BYTES, IDENTITY_MAX = 8192 };
_Static_assert(HEAD_BYTES + NONCE_BYTES + TAG_BYTES == SEAL_OVERHEAD, "as seal.h says");

struct seal_ring {
    size_t count;
    uint32_t ids[SEAL_KEYS_MAX];
    unsigned char keys[SEAL_KEYS_MAX][SEAL_KEY_BYTES];
};

enum status seal_ring_open(struct seal_ring **out)
{
    struct seal_ring *ring =
        mmap(NULL, sizeof *ring, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ring == MAP_FAILED)
        return ST_NO_MEMORY;
    if (mlock(ring, sizeof *ring) != 0)
        log_warn("the sealing keys can't be locked into memory: they may reach swap");
    if (madvise(ring, sizeof *ring, MADV_DONTDUMP) != 0)
        log_warn("the sealing keys can't be left out of core dumps");
    *out = ring;
    return ST_OK;
}

void seal_ring_close(struct seal_ring *ring)
{
    if (!ring)
        return;
    secret_wipe(ring, sizeof *ring);
    (void)munmap(ring, sizeof *ring);
}

static const unsigned char *key_of(const struct seal_ring *ring, uint32_t id)
{
    for (size_t i = 0; i < ring->count; i++) {
        if (ring->ids[i] == id)
            return ring->keys[i];
    }
    return NULL;
}

enum status seal_ring_add(struct seal_ring *ring, uint32_t id,
                          const unsigned char key[SEAL_KEY_BYTES])
{
    if (id == 0)
        return ST_INVALID;
    if (key_of(ring, id))
        return ST_CONFLICT;
    if (ring->count == SEAL_KEYS_MAX)
        return ST_LIMIT;
    ring->ids[ring->count] = id;
    memcpy(ring->keys[ring->count], key, SEAL_KEY_BYTES);
    ring->count++;
    return ST_OK;
}

uint32_t seal_ring_newest(const struct seal_ring *ring)
{
    uint32_t newest = 0;
    for (size_t i = 0; i < ring->count; i++)
        newest = ring->ids[i] > newest ? ring->ids[i] : newest;
    return newest;
}

uint32_t seal_key_of(Str sealed)
{
    uint32_t id = 0;
    if (sealed.n < SEAL_OVERHEAD || sealed.p[0] != VERSION)
        return 0;
    for (size_t i = 1; i < HEAD_BYTES; i++)
        id = id << 8 | (unsigned char)sealed.p[i];
    return id;
}

/* What is authenticated besides the text: the head, which has one length, then the identity. */
static bool write_context(Str head, Str identity, struct buf *out)
{
    buf_init(out, HEAD_BYTES + IDENTITY_MAX);
    buf_add(out, head);
    buf_add(out, identity);
    return !out->is_full;
}

/* One key, one text. */
struct job {
    const unsigned char *key, *nonce;
    const struct buf *context;
    Str in;
    unsigned char *out;
    unsigned char *tag; /* written when sealing, else compared */
    bool is_sealing;
};

static enum status run(const struct job *job)
{
    mbedtls_gcm_context gcm;
    mbedtls_gcm_init(&gcm);
    const unsigned char *about = (const unsigned char *)job->context->p;
    const unsigned char *from = (const unsigned char *)job->in.p;
    int error = mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, job->key, KEY_BITS);
    if (error == 0 && job->is_sealing)
        error =
            mbedtls_gcm_crypt_and_tag(&gcm, MBEDTLS_GCM_ENCRYPT, job->in.n, job->nonce, NONCE_BYTES,
                                      about, job->context->n, from, job->out, TAG_BYTES, job->tag);
    else if (error == 0)
        error = mbedtls_gcm_auth_decrypt(&gcm, job->in.n, job->nonce, NONCE_BYTES, about,
                                         job->context->n, job->tag, TAG_BYTES, from, job->out);
    mbedtls_gcm_free(&gcm);
    if (error == MBEDTLS_ERR_GCM_AUTH_FAILED)
        return ST_DENIED;
    return error == 0 ? ST_OK : ST_NO_MEMORY;
}

enum status seal(const struct seal_ring *ring, Str text, Str identity, struct buf *out)
{
    uint32_t id = seal_ring_newest(ring);
    struct buf context;
    if (id == 0)
        return ST_NOT_FOUND;
    if (text.n > SEAL_TEXT_MAX || !buf_reserve(out, text.n + SEAL_OVERHEAD))
        return ST_LIMIT;
    unsigned char *at = (unsigned char *)out->p + out->n;
    at[0] = VERSION;
    for (size_t i = 0; i < ID_BYTES; i++)
        at[1 + i] = (unsigned char)(id >> (8 * (ID_BYTES - 1 - i)));
    unsigned char *nonce = at + HEAD_BYTES, *body = nonce + NONCE_BYTES;
    world_entropy(nonce, NONCE_BYTES);
    const struct job job = { .key = key_of(ring, id),
                             .nonce = nonce,
                             .context = &context,
                             .in = text,
                             .out = body,
                             .tag = body + text.n,
                             .is_sealing = true };
    enum status status = ST_LIMIT;
    if (write_context((Str){ (const char *)at, HEAD_BYTES }, identity, &context))
        status = run(&job);
    buf_free(&context);
    if (status == ST_OK)
        out->n += text.n + SEAL_OVERHEAD;
    return status;
}

enum status unseal(const struct seal_ring *ring, Str sealed, Str identity, struct buf *out)
{
    uint32_t id = seal_key_of(sealed);
    struct buf context;
    unsigned char tag[TAG_BYTES];
    if (id == 0 || sealed.n > SEAL_TEXT_MAX + SEAL_OVERHEAD)
        return ST_INVALID;
    const unsigned char *key = key_of(ring, id);
    if (!key)
        return ST_NOT_FOUND;
    size_t n = sealed.n - SEAL_OVERHEAD;
    if (!buf_reserve(out, n ? n : 1))
        return ST_LIMIT;
    memcpy(tag, sealed.p + (sealed.n - TAG_BYTES), TAG_BYTES);
    const struct job job = {
        .key = key,
        .nonce = (const unsigned char *)sealed.p + HEAD_BYTES,
        .context = &context,
        .in = str_sub(sealed, HEAD_BYTES + NONCE_BYTES, HEAD_BYTES + NONCE_BYTES + n),
        .out = (unsigned char *)out->p + out->n,
        .tag = tag,
    };
    enum status status = ST_LIMIT;
    if (write_context(str_sub(sealed, 0, HEAD_BYTES), identity, &context))
        status = run(&job);
    buf_free(&context);
    if (status == ST_OK)
        out->n += n;
    return status;
}
