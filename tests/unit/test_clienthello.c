/*
 * clienthello: hellos of real clients, hellos made here field by field, and
 * what no client should send. Every input is read at the end of a page whose
 * successor cannot be read, so that one byte too far ends the program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "wire/clienthello.h"

#define POLICY_HOST "mta-sts.example.org"

/* What clients sent for POLICY_HOST, in hexadecimal; the last was asked to send no name. */
static const char openssl_3_0[] =
    "16030101400100013c0303ea1d59b5032b86fb6fb5e59da5f51fb0b81d10eb926e9b9feb2aacc7eb2fd8f9206881"
    "b58e15677c9bdddcfbebe8f29bc8390ecb51fa508aad400df3765cfdca71003e130213031301c02cc030009fcca9"
    "cca8ccaac02bc02f009ec024c028006bc023c0270067c00ac0140039c009c0130033009d009c003d003c0035002f"
    "00ff010000b50000001800160000136d74612d7374732e6578616d706c652e6f7267000b000403000102000a0016"
    "0014001d0017001e0019001801000101010201030104002300000016000000170000000d002a0028040305030603"
    "080708080809080a080b080408050806040105010601030303010302040205020602002b00090803040303030203"
    "01002d00020101003300260024001d0020f67f736ec47c57061050e418ff5924d9a0656f92db46c6c7f94473f5a7"
    "96f21d";
static const char python_3_with_padding[] =
    "1603010200010001fc0303be530ca8d0094d1fb76dd729f77231be62e88642cae3b641d06335524c18675420dba7"
    "b76e5c442ad657cd03209e327bc7d402cfb2996383afaf994e363e2dd0820024130213031301c02cc030c02bc02f"
    "cca9cca8c024c028c023c027009f009e006b006700ff0100018f0000001800160000136d74612d7374732e657861"
    "6d706c652e6f7267000b000403000102000a00160014001d0017001e001900180100010101020103010400230000"
    "0016000000170000000d002a0028040305030603080708080809080a080b08040805080604010501060103030301"
    "0302040205020602002b00050403040303002d00020101003300260024001d0020664b8eb1159ed540403ffd20e6"
    "a85791ae076dcd4d2b54bf820cc35486b1f208001500da0000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0000000000000000000000";
static const char gnutls_3_7_tls12[] =
    "16030300e1010000dd03037760c3e086b04f81c098239c86171dfff0624a82455dd502d5adf893725b4c77000032"
    "c02ccca9c0adc00ac02bc0acc009c030cca8c014c02fc013009dc09d0035009cc09c002f009fccaac09f0039009e"
    "c09e003301000082000500050100000000000a00160014001700180019001d001e01000101010201030104000b00"
    "020100000d00220020040108090804040308070501080a0805050308080601080b08060603020102030016000000"
    "17000000230000ff010001000000001800160000136d74612d7374732e6578616d706c652e6f7267001c00024000";
static const char openssl_tls10_without_name[] =
    "16030100630100005f03018d7ddf8da2f406ad45636c80aa383787e5ef08b9fd5f625af900f39c794b328f000012"
    "c00ac0140039c009c01300330035002f00ff01000024000b000403000102000a000c000a001d0017001e00190018"
    "002300000016000000170000";

struct bytes {
    uint8_t at[70000];
    size_t  len;
};

/* The extensions of hellos made here, each with its type and length. */
#define EXT_NAME       "0000 0018 0016 00 0013 6d74612d7374732e6578616d706c652e6f7267"
#define EXT_EMPTY_NAME "0000 0005 0003 00 0000"
#define EXT_VERSIONS   "002b 0005 04 0304 0303"
#define EXT_GREASE     "1a1a 0000"
#define EXT_GREASE_2   "8a8a 0001 00"

static uint8_t *readable_end; /* the next byte after it faults */

static int map_guard(void **state)
{
    size_t   page = (size_t)sysconf(_SC_PAGESIZE), size = 32 * page;
    uint8_t *area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    if (area == MAP_FAILED || mprotect(area + size - page, page, PROT_NONE) != 0)
        return -1;
    readable_end = area + size - page;
    return 0;
}

/* *hello is dirty before, so that nothing is right by chance. */
static enum clienthello_result read_hello(const uint8_t *bytes, size_t len,
                                          struct clienthello *hello)
{
    memset(hello, 0xa5, sizeof *hello);
    memcpy(readable_end - len, bytes, len);
    return clienthello_read(readable_end - len, len, hello);
}

static void put(struct bytes *to, size_t value, size_t width)
{
    assert_true(to->len + width <= sizeof to->at);
    while (width-- > 0)
        to->at[to->len++] = (uint8_t)(value >> 8 * width);
}

/* Blanks only help the eye. */
static void put_hex(struct bytes *to, const char *hex)
{
    static const char digits[] = "0123456789abcdef";
    size_t            nibbles = 0, value = 0;

    for (; *hex != '\0'; hex++) {
        if (*hex == ' ')
            continue;
        value = value << 4 | (size_t)(strchr(digits, *hex) - digits);
        if (++nibbles % 2 == 0)
            put(to, value & 0xff, 1);
    }
}

static void put_zeros(struct bytes *to, size_t count)
{
    while (count-- > 0)
        put(to, 0, 1);
}

/* The message of a hello around these extensions; NULL: a hello that ends before them. */
static void make_message(struct bytes *message, const struct bytes *extensions)
{
    message->len = 0;
    put_hex(message, "01 000000 0303");
    put_zeros(message, 32);
    put_hex(message, "00 0004 1301 c02f 01 00");
    if (extensions != NULL) {
        put(message, extensions->len, 2);
        memcpy(message->at + message->len, extensions->at, extensions->len);
        message->len += extensions->len;
    }
    message->at[1] = (uint8_t)((message->len - 4) >> 16);
    message->at[2] = (uint8_t)((message->len - 4) >> 8);
    message->at[3] = (uint8_t)(message->len - 4);
}

/* message in records: one of first bytes, then more of rest bytes. */
static void make_records(struct bytes *wire, const struct bytes *message, size_t first, size_t rest)
{
    wire->len = 0;
    for (size_t at = 0, take = first; at < message->len; at += take, take = rest) {
        if (take > message->len - at)
            take = message->len - at;
        put_hex(wire, "16 0301");
        put(wire, take, 2);
        for (size_t i = 0; i < take; i++)
            put(wire, message->at[at + i], 1);
    }
}

static enum clienthello_result read_message(const struct bytes *message, struct clienthello *hello)
{
    static struct bytes wire;

    make_records(&wire, message, message->len, message->len);
    return read_hello(wire.at, wire.len, hello);
}

/* The message of a hello with these extensions, in hexadecimal. */
static void make_hello(struct bytes *message, const char *extensions_hex)
{
    static struct bytes extensions;

    extensions.len = 0;
    put_hex(&extensions, extensions_hex);
    make_message(message, &extensions);
}

static enum clienthello_result read_extensions(const char *hex, struct clienthello *hello)
{
    static struct bytes message;

    make_hello(&message, hex);
    return read_message(&message, hello);
}

static void assert_refused(const char *extensions_hex, uint8_t alert)
{
    struct clienthello hello;

    assert_int_equal(read_extensions(extensions_hex, &hello), CLIENTHELLO_REFUSED);
    assert_int_equal(hello.alert, alert);
}

static void assert_prefixes_ask_for_more(const struct bytes *wire)
{
    struct clienthello hello;

    for (size_t len = 0; len < wire->len; len++)
        assert_int_equal(read_hello(wire->at, len, &hello), CLIENTHELLO_MORE);
}

static void assert_named(const struct clienthello *hello, const char *name)
{
    assert_true(hello->has_name);
    assert_string_equal(hello->name, name);
    assert_int_equal(hello->name_len, strlen(name));
}

static void hellos_of_real_clients_are_read(void **state)
{
    static const struct {
        const char *hex;
        bool        named, tls13, aes128;
    } cases[] = {
        { openssl_3_0, true, true, true },
        { python_3_with_padding, true, true, true },
        { gnutls_3_7_tls12, true, false, false },
        { openssl_tls10_without_name, false, false, false },
    };
    static struct bytes wire;
    struct clienthello  hello;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wire.len = 0;
        put_hex(&wire, cases[i].hex);
        assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
        assert_int_equal(hello.has_name, cases[i].named);
        assert_string_equal(hello.name, cases[i].named ? POLICY_HOST : "");
        assert_int_equal(hello.name_len, strlen(hello.name));
        assert_int_equal(hello.offers_tls13, cases[i].tls13);
        assert_int_equal(hello.offers_aes128, cases[i].aes128);
        assert_prefixes_ask_for_more(&wire);
    }
}

static void a_hello_with_an_ml_kem_share_is_read(void **state)
{
    static struct bytes extensions, message, wire;
    struct clienthello  hello;

    (void)state;
    extensions.len = 0;
    put_hex(&extensions, EXT_GREASE EXT_VERSIONS "0033 04c6 04c4 11ec 04c0");
    put_zeros(&extensions, 1216); /* X25519MLKEM768 */
    put_hex(&extensions, EXT_NAME EXT_GREASE_2);
    make_message(&message, &extensions);
    make_records(&wire, &message, 600, 700);
    assert_prefixes_ask_for_more(&wire);
    assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
    assert_named(&hello, POLICY_HOST);
    assert_true(hello.offers_tls13 && hello.offers_aes128);
}

static void records_may_split_the_message_at_every_byte(void **state)
{
    static struct bytes message, wire;
    struct clienthello  hello;

    (void)state;
    make_hello(&message, EXT_NAME EXT_VERSIONS);
    for (size_t first = 1; first <= message.len; first++) {
        make_records(&wire, &message, first, message.len);
        assert_prefixes_ask_for_more(&wire);
        assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
        assert_named(&hello, POLICY_HOST);
        assert_true(hello.offers_tls13 && hello.offers_aes128);
    }
}

static void records_of_one_byte_each_are_read(void **state)
{
    static struct bytes message, wire;
    struct clienthello  hello;

    (void)state;
    make_hello(&message, EXT_NAME EXT_VERSIONS);
    make_records(&wire, &message, 1, 1);
    assert_prefixes_ask_for_more(&wire);
    assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
    assert_named(&hello, POLICY_HOST);
    assert_true(hello.offers_tls13 && hello.offers_aes128);
}

static void bytes_after_the_message_are_not_looked_at(void **state)
{
    static struct bytes message, wire;
    struct clienthello  hello;

    (void)state;
    make_hello(&message, EXT_NAME);
    make_records(&wire, &message, message.len, 1);
    put_hex(&wire, "15 0000 ffff");
    assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
    assert_named(&hello, POLICY_HOST);
}

static void a_hello_without_extensions_has_no_name(void **state)
{
    static struct bytes message;
    struct clienthello  hello;

    (void)state;
    make_message(&message, NULL);
    assert_int_equal(read_message(&message, &hello), CLIENTHELLO_OK);
    assert_false(hello.has_name || hello.offers_tls13);
    assert_true(hello.offers_aes128);
    assert_int_equal(read_extensions("", &hello), CLIENTHELLO_OK);
    assert_false(hello.has_name);
}

static void what_is_no_tls_is_told_at_the_first_byte_that_shows_it(void **state)
{
    static const char *const cases[] = {
        "47",           /* GET */
        "80",           /* a hello compatible with SSLv2 */
        "15",           /* an alert */
        "17",           /* application data */
        "00",   "1602", /* no version of TLS */
        "1647",
    };
    static struct bytes wire;
    struct clienthello  hello;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wire.len = 0;
        put_hex(&wire, cases[i]);
        assert_int_equal(read_hello(wire.at, wire.len - 1, &hello), CLIENTHELLO_MORE);
        assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_NOT_TLS);
    }
}

/* Each is refused at its last byte and not before. */
static void what_stands_in_the_place_of_a_hello_is_refused_at_once(void **state)
{
    static const struct {
        const char *hex;
        uint8_t     alert;
    } cases[] = {
        { "160301 0005 02", ALERT_UNEXPECTED_MESSAGE }, /* a server's hello */
        { "160301 0005 00", ALERT_UNEXPECTED_MESSAGE }, /* hello_request */
        { "160301 0000", ALERT_UNEXPECTED_MESSAGE },    /* an empty record */
        { "160301 0002 0100 160301 0000", ALERT_UNEXPECTED_MESSAGE },
        { "160301 0002 0100 15", ALERT_UNEXPECTED_MESSAGE }, /* an alert in between */
        { "160301 0002 0100 1602", ALERT_DECODE_ERROR },
        { "160301 4001", ALERT_ILLEGAL_PARAMETER },           /* over 2^14 */
        { "160301 4000 01 003ff8", ALERT_ILLEGAL_PARAMETER }, /* 5 + 4 + 16376 bytes */
        { "160301 4000 01 ffffff", ALERT_ILLEGAL_PARAMETER },
        { "160301 0004 01 003ff3", ALERT_ILLEGAL_PARAMETER }, /* and a second header */
        { "160301 0004 01 000000", ALERT_DECODE_ERROR },
        { "160301 000e 01 00000a 0303 00000000 00000000", ALERT_DECODE_ERROR },
    };
    static struct bytes wire;
    struct clienthello  hello;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        wire.len = 0;
        put_hex(&wire, cases[i].hex);
        assert_prefixes_ask_for_more(&wire);
        assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_REFUSED);
        assert_int_equal(hello.alert, cases[i].alert);
    }
}

/* In one record or in two, the largest hello is one of exactly CLIENTHELLO_MAX bytes. */
static void a_hello_of_the_largest_size_is_read_and_a_larger_one_refused(void **state)
{
    static struct bytes extensions, message, wire;
    struct clienthello  hello;

    (void)state;
    for (size_t padding = 0x3faa; padding >= 0x3fa5; padding--) {
        extensions.len = 0;
        put_hex(&extensions, EXT_NAME "0015");
        put(&extensions, padding, 2);
        put_zeros(&extensions, padding);
        make_message(&message, &extensions);
        make_records(&wire, &message, message.len, 1);
        assert_int_equal(read_hello(wire.at, wire.len - 1, &hello), CLIENTHELLO_MORE);
        assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
        assert_named(&hello, POLICY_HOST);
        if (padding == 0x3faa)
            assert_int_equal(wire.len, CLIENTHELLO_MAX);

        make_records(&wire, &message, 4000, 13000);
        if (wire.len > CLIENTHELLO_MAX) {
            assert_int_equal(read_hello(wire.at, 5 + 4000 - 1, &hello), CLIENTHELLO_MORE);
            assert_int_equal(read_hello(wire.at, 5 + 4000, &hello), CLIENTHELLO_REFUSED);
            assert_int_equal(hello.alert, ALERT_ILLEGAL_PARAMETER);
        } else {
            assert_int_equal(wire.len, CLIENTHELLO_MAX);
            assert_int_equal(read_hello(wire.at, wire.len, &hello), CLIENTHELLO_OK);
        }
    }
}

static void record_headers_count_towards_the_size(void **state)
{
    static struct bytes extensions, message, wire;
    struct clienthello  hello;
    size_t              len = 0;

    (void)state;
    extensions.len = 0;
    put_hex(&extensions, "0015 0c00");
    put_zeros(&extensions, 0x0c00);
    make_message(&message, &extensions);
    make_records(&wire, &message, 1, 1);
    assert_true(wire.len > CLIENTHELLO_MAX);
    while (read_hello(wire.at, len, &hello) == CLIENTHELLO_MORE)
        len++;
    assert_true(len < CLIENTHELLO_MAX);
    assert_int_equal(read_hello(wire.at, len, &hello), CLIENTHELLO_REFUSED);
    assert_int_equal(hello.alert, ALERT_ILLEGAL_PARAMETER);
}

static void an_extension_sent_twice_is_refused(void **state)
{
    (void)state;
    assert_refused(EXT_NAME EXT_VERSIONS EXT_NAME, ALERT_ILLEGAL_PARAMETER);
    assert_refused(EXT_VERSIONS EXT_NAME EXT_VERSIONS, ALERT_ILLEGAL_PARAMETER);
    assert_refused(EXT_GREASE EXT_NAME EXT_GREASE, ALERT_ILLEGAL_PARAMETER);
    assert_refused("ffff 0000 ffff 0001 00", ALERT_ILLEGAL_PARAMETER);
}

/* As many types as one hello can carry, each once, the last one twice. */
static void many_different_extensions_are_no_repetition(void **state)
{
    static struct bytes extensions, message;
    struct clienthello  hello;

    (void)state;
    extensions.len = 0;
    for (size_t type = 100; type < 4000; type++)
        put(&extensions, (type * 31 % 65536) << 16, 4);
    make_message(&message, &extensions);
    assert_int_equal(read_message(&message, &hello), CLIENTHELLO_OK);
    put(&extensions, (size_t)(3999 * 31 % 65536) << 16, 4);
    make_message(&message, &extensions);
    assert_int_equal(read_message(&message, &hello), CLIENTHELLO_REFUSED);
    assert_int_equal(hello.alert, ALERT_ILLEGAL_PARAMETER);
}

static void a_second_host_name_is_refused(void **state)
{
    (void)state;
    assert_refused("0000 000a 0008 00 0001 61 00 0001 62", ALERT_ILLEGAL_PARAMETER);
    assert_refused("0000 000a 0008 00 0001 61 00 0001 61", ALERT_ILLEGAL_PARAMETER);
    assert_refused("0000 0009 0007 00 0000 00 0001 61", ALERT_ILLEGAL_PARAMETER);
}

static void names_of_other_types_are_skipped(void **state)
{
    struct clienthello hello;

    (void)state;
    assert_int_equal(read_extensions("0000 000b 0009 07 0002 6262 00 0001 61", &hello),
                     CLIENTHELLO_OK);
    assert_named(&hello, "a");
    assert_int_equal(read_extensions("0000 000b 0009 00 0001 61 01 0002 6262", &hello),
                     CLIENTHELLO_OK);
    assert_named(&hello, "a");
    assert_int_equal(read_extensions("0000 0007 0005 ff 0002 6262", &hello), CLIENTHELLO_OK);
    assert_false(hello.has_name);
}

static void a_name_is_kept_whole_with_the_nuls_in_it(void **state)
{
    struct clienthello hello;

    (void)state;
    assert_int_equal(read_extensions("0000 0008 0006 00 0003 61 00 ff", &hello), CLIENTHELLO_OK);
    assert_true(hello.has_name);
    assert_int_equal(hello.name_len, 3);
    assert_memory_equal(hello.name, "a\0\xff", 4);
}

static void a_name_too_long_to_be_a_host_is_nobodys(void **state)
{
    static struct bytes extensions, message;
    struct clienthello  hello;

    (void)state;
    for (size_t len = 254; len <= 257; len++) {
        extensions.len = 0;
        put(&extensions, len + 5, 4);
        put(&extensions, len + 3, 2);
        put(&extensions, len, 3);
        for (size_t i = 0; i < len; i++)
            put(&extensions, 'a', 1);
        make_message(&message, &extensions);
        assert_int_equal(read_message(&message, &hello), CLIENTHELLO_OK);
        assert_true(hello.has_name);
        assert_int_equal(hello.name_len, len <= CLIENTHELLO_NAME_MAX ? len : 0);
        assert_int_equal(strlen(hello.name), hello.name_len);
    }
}

static void an_empty_name_is_nobodys(void **state)
{
    struct clienthello hello;

    (void)state;
    assert_int_equal(read_extensions(EXT_EMPTY_NAME, &hello), CLIENTHELLO_OK);
    assert_true(hello.has_name);
    assert_int_equal(hello.name_len, 0);
}

static void extensions_whose_lengths_do_not_add_up_are_refused(void **state)
{
    static const char *const cases[] = {
        "0000",      /* no length */
        "0000 0001", /* longer than what is there */
        EXT_NAME "00",
        "0000 0000",                    /* no list */
        "0000 0002 0000",               /* an empty list */
        "0000 0003 0001 00",            /* a type without a name */
        "0000 0006 0004 00 0002 61",    /* a name longer than the list */
        "0000 0006 0005 00 0001 61",    /* a list longer than the extension */
        "0000 0007 0004 00 0001 61 00", /* and a shorter one */
        "002b 0000",
        "002b 0001 00",
        "002b 0002 01 03",
        "002b 0004 03 0304 03", /* half a version */
        "002b 0004 02 0304 00", /* bytes behind the list */
        "002b 0003 04 0304",
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i], ALERT_DECODE_ERROR);
}

/* Everything before the extensions, and how the message ends. */
static void a_message_that_does_not_add_up_is_refused(void **state)
{
    static const struct {
        const char             *hex; /* behind version and random */
        enum clienthello_result result;
    } cases[] = {
        { "00 0002 1301 01 00", CLIENTHELLO_OK },
        { "01aa 0002 1301 01 00 0000", CLIENTHELLO_OK },
        { "", CLIENTHELLO_REFUSED },
        { "00", CLIENTHELLO_REFUSED },
        { "00 0000 01 00", CLIENTHELLO_REFUSED },         /* no suite */
        { "00 0003 1301 00 01 00", CLIENTHELLO_REFUSED }, /* half a suite */
        { "00 0002 1301", CLIENTHELLO_REFUSED },
        { "00 0002 1301 00", CLIENTHELLO_REFUSED }, /* no compression method */
        { "00 0002 1301 02 00", CLIENTHELLO_REFUSED },
        { "00 0002 1301 01 00 00", CLIENTHELLO_REFUSED },      /* junk of one byte */
        { "00 0002 1301 01 00 0000 00", CLIENTHELLO_REFUSED }, /* and behind the extensions */
        { "00 0002 1301 01 00 0001", CLIENTHELLO_REFUSED },
    };
    static struct bytes message;
    struct clienthello  hello;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        message.len = 0;
        put_hex(&message, "01 000000 0303");
        put_zeros(&message, 32);
        put_hex(&message, cases[i].hex);
        message.at[3] = (uint8_t)(message.len - 4);
        assert_int_equal(read_message(&message, &hello), cases[i].result);
        if (cases[i].result == CLIENTHELLO_REFUSED)
            assert_int_equal(hello.alert, ALERT_DECODE_ERROR);
    }
}

static void a_session_id_has_at_most_32_bytes(void **state)
{
    static struct bytes message;
    struct clienthello  hello;

    (void)state;
    for (size_t len = 31; len <= 33; len++) {
        message.len = 0;
        put_hex(&message, "01 000000 0303");
        put_zeros(&message, 32);
        put(&message, len, 1);
        put_zeros(&message, len);
        put_hex(&message, "0002 1302 01 00");
        message.at[3] = (uint8_t)(message.len - 4);
        assert_int_equal(read_message(&message, &hello),
                         len <= 32 ? CLIENTHELLO_OK : CLIENTHELLO_REFUSED);
    }
}

static void versions_and_suites_are_found_anywhere_in_their_lists(void **state)
{
    struct clienthello hello;

    (void)state;
    assert_int_equal(read_extensions("002b 0007 06 2a2a 0303 0304", &hello), CLIENTHELLO_OK);
    assert_true(hello.offers_tls13);
    assert_int_equal(read_extensions("002b 0005 04 0303 0302", &hello), CLIENTHELLO_OK);
    assert_false(hello.offers_tls13);
    /* Not across two entries. */
    assert_int_equal(read_extensions("002b 0005 04 0303 0403", &hello), CLIENTHELLO_OK);
    assert_false(hello.offers_tls13);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hellos_of_real_clients_are_read),
        cmocka_unit_test(a_hello_with_an_ml_kem_share_is_read),
        cmocka_unit_test(records_may_split_the_message_at_every_byte),
        cmocka_unit_test(records_of_one_byte_each_are_read),
        cmocka_unit_test(bytes_after_the_message_are_not_looked_at),
        cmocka_unit_test(a_hello_without_extensions_has_no_name),
        cmocka_unit_test(what_is_no_tls_is_told_at_the_first_byte_that_shows_it),
        cmocka_unit_test(what_stands_in_the_place_of_a_hello_is_refused_at_once),
        cmocka_unit_test(a_hello_of_the_largest_size_is_read_and_a_larger_one_refused),
        cmocka_unit_test(record_headers_count_towards_the_size),
        cmocka_unit_test(an_extension_sent_twice_is_refused),
        cmocka_unit_test(many_different_extensions_are_no_repetition),
        cmocka_unit_test(a_second_host_name_is_refused),
        cmocka_unit_test(names_of_other_types_are_skipped),
        cmocka_unit_test(a_name_is_kept_whole_with_the_nuls_in_it),
        cmocka_unit_test(a_name_too_long_to_be_a_host_is_nobodys),
        cmocka_unit_test(an_empty_name_is_nobodys),
        cmocka_unit_test(extensions_whose_lengths_do_not_add_up_are_refused),
        cmocka_unit_test(a_message_that_does_not_add_up_is_refused),
        cmocka_unit_test(a_session_id_has_at_most_32_bytes),
        cmocka_unit_test(versions_and_suites_are_found_anywhere_in_their_lists),
    };
    return cmocka_run_group_tests(tests, map_guard, NULL);
}
