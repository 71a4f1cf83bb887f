#include "server/curves.h"

#ifdef CURVES_NETTLE

#include "server/curves_internal.h"

#include <nettle/version.h>

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* clang-format off */
struct curves_state curves_states[CURVES_PARTS] = {
    [CURVES_P256] = { .name = "P-256" },
    [CURVES_X25519] = { .name = "X25519" },
    [CURVES_SHA256] = { .name = "SHA-256" },
    [CURVES_ECDSA] = { .name = "ECDSA" },
    [CURVES_EXP_MOD] = { .name = "RSA" },
};

static bool (*const selftests[CURVES_PARTS])(void) = {
    [CURVES_P256] = curves_selftest_p256,
    [CURVES_X25519] = curves_selftest_x25519,
    [CURVES_SHA256] = curves_selftest_sha256,
    [CURVES_ECDSA] = curves_selftest_ecdsa,
    [CURVES_EXP_MOD] = curves_selftest_exp_mod,
};
/* clang-format on */

static char text[640];
static char trouble[256];

void *curves_behind(void **stock, const char *name)
{
    if (*stock == NULL)
        *stock = dlsym(RTLD_NEXT, name);
    if (*stock == NULL)
        abort(); /* the program was linked with it */
    return *stock;
}

/* Version 3.9's libraries have the same names and all that is called, and are less silent. */
static bool is_nettle_recent(void)
{
    return nettle_version_major() == NETTLE_VERSION_MAJOR &&
           nettle_version_minor() >= NETTLE_VERSION_MINOR;
}

/* Why the part cannot be used, or NULL. */
static const char *try_part(enum curves_part part)
{
    struct curves_state *state = &curves_states[part];

    if (!is_nettle_recent())
        return "Nettle is older than the build's";
    state->on = true;
    state->calls = 0;
    if (!selftests[part]())
        return state->calls > 0 ? "a wrong answer" : "no answer";
    if (state->calls == 0)
        return "mbedTLS does not call it";
    if (curves_memory_exceeded())
        return "it takes too much memory";
    return NULL;
}

/* "P-256, X25519" of those that are on, or with why they are not. */
static void list_parts(char *out, size_t size, bool on)
{
    size_t len = 0;

    out[0] = '\0';
    for (int i = 0; i < CURVES_PARTS && len < size; i++) {
        const struct curves_state *state = &curves_states[i];
        const char                *comma = len > 0 ? ", " : "";

        if (state->on == on && on)
            len += (size_t)snprintf(out + len, size - len, "%s%s", comma, state->name);
        else if (state->on == on)
            len += (size_t)snprintf(out + len, size - len, "%s%s (%s)", comma, state->name,
                                    state->trouble);
    }
}

void curves_start(void)
{
    char        on[sizeof(trouble)];
    const char *sodium = curves_multiply_start();

    curves_memory_start();
    for (int i = 0; i < CURVES_PARTS; i++) {
        curves_states[i].trouble = try_part((enum curves_part)i);
        curves_states[i].on = curves_states[i].trouble == NULL;
    }
    list_parts(on, sizeof(on), true);
    list_parts(trouble, sizeof(trouble), false);
    snprintf(text, sizeof(text), "Nettle %d.%d: %s%s%s%s%s", nettle_version_major(),
             nettle_version_minor(), on[0] != '\0' ? on : "nothing",
             trouble[0] != '\0' ? "; stock: " : "", trouble,
             sodium != NULL ? "; with libsodium " : "", sodium != NULL ? sodium : "");
}

const char *curves_text(void)
{
    return text;
}

const char *curves_trouble(void)
{
    return trouble[0] != '\0' ? trouble : NULL;
}

#else

#include <stddef.h>

void curves_start(void)
{
}

const char *curves_text(void)
{
    return "stock";
}

const char *curves_trouble(void)
{
    return NULL;
}

#endif
