#include "server/versions.h"

#include <ev.h>
#include <link.h>
#include <mbedtls/version.h>
#include <stdbool.h>
#include <string.h>

#define TEXT_MAX 32

struct library {
    const char *file; /* of a shared one, as far as its version */
    void (*name)(char *text);
};

const char *versions_mbedtls(void)
{
    static char text[TEXT_MAX];
    unsigned    version = mbedtls_version_get_number();

    snprintf(text, sizeof(text), "mbedTLS %u.%u.%u", version >> 24, version >> 16 & 0xff,
             version >> 8 & 0xff);
    return text;
}

static void mbedtls(char *text)
{
    snprintf(text, TEXT_MAX, "%s", versions_mbedtls());
}

static void libev(char *text)
{
    snprintf(text, TEXT_MAX, "libev %d.%d", ev_version_major(), ev_version_minor());
}

static void inih(char *text)
{
    snprintf(text, TEXT_MAX, "inih"); /* has no version to ask for */
}

#ifdef CURVES_NETTLE
#include <gmp.h>
#include <nettle/version.h>

static void nettle(char *text)
{
    snprintf(text, TEXT_MAX, "Nettle %d.%d", nettle_version_major(), nettle_version_minor());
}

static void gmp(char *text)
{
    snprintf(text, TEXT_MAX, "GMP %s", gmp_version);
}
#endif

#ifdef CURVES_SODIUM
#include <sodium.h>

static void libsodium(char *text)
{
    snprintf(text, TEXT_MAX, "libsodium %s", sodium_version_string());
}
#endif

static const struct library libraries[] = {
    { "libmbedtls.so", mbedtls },
#ifdef CURVES_NETTLE
    { "libnettle.so", nettle },    { "libgmp.so", gmp },
#endif
#ifdef CURVES_SODIUM
    { "libsodium.so", libsodium },
#endif
    { "libev.so", libev },         { "libinih.so", inih },
};

enum { LIBRARIES = sizeof(libraries) / sizeof(*libraries) };

/* The packages that were unpacked to be linked in: contrib/build/deps.sh says which. */
#ifndef LINKED_PACKAGES
#define LINKED_PACKAGES ""
#endif

static int begins_like(struct dl_phdr_info *loaded, size_t size, void *file)
{
    const char *const *wanted = file;
    const char        *slash = strrchr(loaded->dlpi_name, '/');

    (void)size;
    return slash != NULL && strncmp(slash + 1, *wanted, strlen(*wanted)) == 0;
}

/* True: the dynamic linker has loaded it; false: it is linked in. */
static bool is_shared(const struct library *library)
{
    const char *file = library->file;

    return dl_iterate_phdr(begins_like, &file) != 0;
}

static void print_kind(FILE *stream, const char *kind, bool shared, const char *packages)
{
    int count = 0;

    for (int i = 0; i < LIBRARIES; i++) {
        char text[TEXT_MAX];

        if (is_shared(&libraries[i]) != shared)
            continue;
        libraries[i].name(text);
        fprintf(stream, "%s%s", count++ == 0 ? kind : ", ", text);
    }
    if (count > 0)
        fprintf(stream, "%s%s%s\n", packages[0] != '\0' ? " (" : "", packages,
                packages[0] != '\0' ? ")" : "");
}

void versions_print(FILE *stream)
{
    print_kind(stream, "linked in: ", false, LINKED_PACKAGES);
    print_kind(stream, "shared: ", true, "");
}
