/*
 * config_rules: every rule of the configuration as what is written and what is then
 * said, word for word. main.ini is read from the current folder, beside it
 * lie other.ini and names.txt where the rule has them. Each line of said is
 * FILE:LINE: error|warning: text; said in full, and in this order.
 */
#ifndef UNIT_CONFIG_RULES_H
#define UNIT_CONFIG_RULES_H

#include <stddef.h>

struct rule {
    const char *name;
    const char *main_ini;
    const char *said;      /* "": nothing */
    const char *other_ini; /* NULL: there is none */
    const char *names_txt;
};

/* clang-format off: a table, each row as it reads best */

#define SERVER                     "[server]\nlisten = 127.0.0.1:8443\n" /* lines 1 and 2 */
#define KEYS                       "mode = testing\nmx = mail.example.org\ncertificate = /c.pem\n"
#define POLICY                     "[example.org]\n" KEYS
#define ERROR                      ": error: "
#define WARNING                    ": warning: "
#define MAIN(line, severity, text) "main.ini:" #line severity text "\n"
#define NEEDS(line)                                                     \
    MAIN(line, ERROR, "no mode, neither here nor in [defaults]")        \
    MAIN(line, ERROR, "no certificate, neither here nor in [defaults]") \
    MAIN(line, ERROR, "no mx, neither here nor in [defaults]")

/* A [server] with one more line, and one policy: what is said of line 3. */
// clang-format off: LLVM 14 and 19 differ in it
#define IN_SERVER(name, line, said)                     \
    {                                                   \
        name, SERVER line "\n" POLICY, said, NULL, NULL \
    }
/* A policy with one more line, its last: what is said of line 7. */
#define IN_POLICY(name, line, said)                     \
    {                                                   \
        name, SERVER POLICY line "\n", said, NULL, NULL \
    }
/* A policy whose only mx is this, at line 6. */
#define WITH_MX(name, mx, said)                                                                 \
    {                                                                                           \
        name, SERVER "[example.org]\nmode = none\ncertificate = /c\nmx = " mx "\n", said, NULL, \
            NULL                                                                                \
    }
/* One more section, its header at line 7. */
#define SECTION(name, header, said)                            \
    {                                                          \
        name, SERVER POLICY header "\n" KEYS, said, NULL, NULL \
    }
// clang-format on

#define X10(x) x x x x x x x x x x
#define X60(x) X10(x) X10(x) X10(x) X10(x) X10(x) X10(x)
#define LABELS X60("a") "." X60("b") "." X60("c") "." /* 183 bytes */
#define TOKEN  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno-_"

static const struct rule rules[] = {
    /* ---- what must be there ---- */
    { "a_server_and_a_policy_are_enough", SERVER POLICY, "", NULL, NULL },
    { "no_server_section_is_an_error", POLICY, MAIN(0, ERROR, "there is no [server]"), NULL, NULL },
    { "no_listener_is_an_error_at_the_section", "\n[server]\n" POLICY,
      MAIN(2, ERROR, "[server] has no listen"), NULL, NULL },
    { "an_acme_listener_alone_serves_no_policy",
      "[server]\nlisten_acme = 0.0.0.0:80\nacme_dir=/a\n" POLICY,
      MAIN(1, ERROR, "[server] has no listen"), NULL, NULL },
    { "no_policy_is_an_error", SERVER "[defaults]\nmode = none\n",
      MAIN(0, ERROR, "there is no policy: no section of a domain and no [*]"), NULL, NULL },
    { "the_any_section_counts_as_a_policy", SERVER "[*]\n" KEYS, "", NULL, NULL },
    { "what_a_policy_lacks_is_told_at_its_section", SERVER "[example.org]\n", NEEDS(3), NULL,
      NULL },
    { "an_empty_section_after_others_is_seen", SERVER POLICY "[example.net]\n", NEEDS(7), NULL,
      NULL },
    { "a_bad_value_is_not_told_as_missing_too",
      SERVER "[example.org]\nmode = x\nmx = mail.example.org\ncertificate = /c.pem\n",
      MAIN(4, ERROR, "mode is enforce, testing or none, not \"x\""), NULL, NULL },
    { "a_missing_main_file_is_an_error", NULL,
      MAIN(0, ERROR, "cannot open the configuration: No such file or directory"), NULL, NULL },
    { "an_empty_main_file_lacks_everything", "",
      MAIN(0, ERROR, "there is no [server]")
          MAIN(0, ERROR, "there is no policy: no section of a domain and no [*]"),
      NULL, NULL },

    /* ---- keys ---- */
    IN_SERVER("an_unknown_key_is_an_error_with_the_near_one", "lisen = 127.0.0.1:1",
              MAIN(3, ERROR, "unknown key \"lisen\"; did you mean listen?")),
    IN_SERVER("swapped_letters_are_near", "wrokers = 2",
              MAIN(3, ERROR, "unknown key \"wrokers\"; did you mean workers?")),
    IN_SERVER("a_key_in_capitals_is_near", "Workers = 2",
              MAIN(3, ERROR, "unknown key \"Workers\"; did you mean workers?")),
    IN_SERVER("an_unknown_key_near_none_is_an_error", "colour = blue",
              MAIN(3, ERROR, "unknown key \"colour\"")),
    IN_POLICY("only_keys_that_are_good_there_are_near", "listn = 1",
              MAIN(7, ERROR, "unknown key \"listn\"")),
    IN_POLICY("a_key_of_another_section_says_where_it_belongs", "listen = 0.0.0.0:443",
              MAIN(7, ERROR, "listen belongs in [server], not in a policy")),
    IN_SERVER("a_policy_key_in_server_says_where_it_belongs", "mode = none",
              MAIN(3, ERROR, "mode belongs in a policy, not in [server]")),
    IN_SERVER("an_alias_in_server_says_where_it_belongs", "alias = a.example",
              MAIN(3, ERROR, "alias belongs in the section of a domain, not in [server]")),
    { "an_alias_in_defaults_says_where_it_belongs", SERVER POLICY "[defaults]\nalias = a.example\n",
      MAIN(8, ERROR, "alias belongs in the section of a domain, not in [defaults]"), NULL, NULL },
    { "an_alias_in_any_says_where_it_belongs", SERVER "[*]\n" KEYS "alias_file = a\n",
      MAIN(7, ERROR, "alias_file belongs in the section of a domain, not in [*]"), NULL, NULL },
    IN_POLICY("a_repeated_key_is_an_error_with_both_lines", "mode = none",
              MAIN(7, ERROR, "mode is already set at main.ini:4")),
    IN_SERVER("every_single_key_of_server_stands_once",
              "listen_acme = 127.0.0.1:80\n"
              "acme_dir = /a\nacme_dir = /a\n"
              "acme_thumbprint = " TOKEN "\nacme_thumbprint = " TOKEN "\n"
              "user = a\nuser = a\nworkers = 1\nworkers = 1\n"
              "max_connections = 500\nmax_connections = 500\nmax_tls = 1\nmax_tls = 1\n"
              "max_connections_per_ip = 1\nmax_connections_per_ip = 1\n"
              "cert_cache = 1\ncert_cache = 1\naccess_log = on\naccess_log = on",
              MAIN(5, ERROR, "acme_dir is already set at main.ini:4")
                  MAIN(7, ERROR, "acme_thumbprint is already set at main.ini:6")
                      MAIN(9, ERROR, "user is already set at main.ini:8")
                          MAIN(11, ERROR, "workers is already set at main.ini:10") MAIN(
                              13, ERROR, "max_connections is already set at main.ini:12")
                              MAIN(15, ERROR, "max_tls is already set at main.ini:14") MAIN(
                                  17, ERROR, "max_connections_per_ip is already set at main.ini:16")
                                  MAIN(19, ERROR, "cert_cache is already set at main.ini:18")
                                      MAIN(21, ERROR, "access_log is already set at main.ini:20")),
    IN_POLICY(
        "every_single_key_of_a_policy_stands_once",
        "max_age = 1w\nmax_age = 1w\ncertificate = /c.pem\nkey = /k\nkey = /k\nid = a\nid = a",
        MAIN(8, ERROR, "max_age is already set at main.ini:7")
            MAIN(9, ERROR, "certificate is already set at main.ini:6")
                MAIN(11, ERROR, "key is already set at main.ini:10")
                    MAIN(13, ERROR, "id is already set at main.ini:12")),
    { "a_single_key_of_defaults_stands_once",
      SERVER "[defaults]\nmode = none\nmode = none\n" POLICY,
      MAIN(5, ERROR, "mode is already set at main.ini:4"), NULL, NULL },
    IN_POLICY("a_key_that_follows_a_bad_one_is_still_repeated", "id = -\nid = a",
              MAIN(7, ERROR, "id is 1 to 32 letters and digits, not \"-\"")
                  MAIN(8, ERROR, "id is already set at main.ini:7")),
    IN_POLICY("a_key_without_a_value_is_an_error", "id =", MAIN(7, ERROR, "id has no value")),
    IN_POLICY("quotes_are_not_part_of_values", "id = \"a\"",
              MAIN(7, ERROR, "values are written without quotes")),
    IN_POLICY("a_colon_is_no_equals_sign", "id: a",
              MAIN(7, ERROR, "a key and its value are separated by =, not by :")),
    { "an_indented_line_is_a_line_of_its_own",
      SERVER "[example.org]\nmode = none\ncertificate = /c\nmx = a.example\n  mx = a.example\n",
      MAIN(7, ERROR, "mx a.example is already at main.ini:6"), NULL, NULL },

    /* ---- sections ---- */
    SECTION("a_repeated_section_is_told_with_both_lines", "[example.org]",
            MAIN(7, ERROR, "example.org is already named at main.ini:3")),
    SECTION("a_section_in_other_letters_and_with_a_dot_is_the_same", "[Example.ORG.]",
            MAIN(7, ERROR, "example.org is already named at main.ini:3")),
    { "a_repeated_special_section_is_told_with_both_lines", SERVER POLICY "[server]\nworkers = 1\n",
      MAIN(7, ERROR, "[server] is already at main.ini:1"), NULL, NULL },
    SECTION("a_slip_in_server_is_told_and_its_keys_are_not", "[sever]\nlisten = 1",
            MAIN(7, ERROR, "[sever] is no domain: it has no dot; did you mean [server]?")),
    SECTION("a_slip_in_defaults_is_told", "[default]",
            MAIN(7, ERROR, "[default] is no domain: it has no dot; did you mean [defaults]?")),
    SECTION("a_policy_host_is_no_domain", "[mta-sts.example.net]",
            MAIN(7, ERROR,
                 "[mta-sts.example.net] names a policy host, not its domain; did you mean "
                 "[example.net]?")),
    SECTION("a_domain_may_be_called_mta_sts", "[mta-sts.org]", ""),
    SECTION("one_label_is_no_domain", "[localhost]",
            MAIN(7, ERROR, "[localhost] is no domain: it has no dot")),
    SECTION("an_address_is_no_domain", "[192.0.2.1]",
            MAIN(7, ERROR,
                 "[192.0.2.1] is no domain: it ends in a label of digits, as an IP address "
                 "does")),
    SECTION("a_name_beyond_ascii_is_told_how_to_write_it",
            "[b\xc3\xbc"
            "cher.example]",
            MAIN(7, ERROR,
                 "[b\xc3\xbc"
                 "cher.example] is no domain: it is not ASCII: write its A-label "
                 "form (xn--...), as mta-sts prints it")),
    SECTION("an_a_label_is_a_domain", "[xn--bcher-kva.example]", ""),
    SECTION("an_underscore_is_no_domain", "[_dmarc.example]",
            MAIN(7, ERROR,
                 "[_dmarc.example] is no domain: it has a character other than letters, "
                 "digits, hyphens and dots")),
    SECTION("a_hyphen_at_an_end_is_no_domain", "[-a.example]",
            MAIN(7, ERROR,
                 "[-a.example] is no domain: it has a label that is empty, longer than 63 "
                 "bytes, or starts or ends with a hyphen")),
    SECTION("a_domain_of_245_bytes_is_good", "[" LABELS X60("d") ".e]", ""),
    SECTION("a_domain_of_246_bytes_is_too_long", "[" LABELS X60("d") ".ef]",
            MAIN(7, ERROR,
                 "[" X60("a") "." X10("b") X10("b")
                     X10("b") "bbbbbbbbb] is no domain: it is "
                              "too long: a domain has at most 245 bytes")),
    SECTION("junk_behind_a_header_is_an_error", "[example.net] x",
            MAIN(7, ERROR, "nothing but a ; comment may follow a section header")),
    { "keys_of_a_bad_section_are_checked_all_the_same",
      SERVER POLICY "[exa_mple.net]\nmood = none\n",
      MAIN(7, ERROR,
           "[exa_mple.net] is no domain: it has a character other than letters, digits, "
           "hyphens and dots") MAIN(8, ERROR, "unknown key \"mood\"; did you mean mode?"),
      NULL, NULL },

    /* ---- listeners ---- */
    IN_SERVER("addresses_of_both_families_and_systemd_names_are_listeners",
              "listen = [::1]:8443\nlisten = systemd:mta-sts.socket", ""),
    IN_SERVER("a_bare_port_is_told_what_it_may_mean", "listen = 443",
              MAIN(3, ERROR,
                   "\"443\" is no address to listen on; did you mean 0.0.0.0:443 and [::]:443?")),
    IN_SERVER("a_colon_and_a_port_is_told_what_it_may_mean", "listen = :443",
              MAIN(3, ERROR,
                   "\":443\" is no address to listen on; did you mean 0.0.0.0:443 and "
                   "[::]:443?")),
    IN_SERVER("a_star_and_a_port_is_told_what_it_may_mean", "listen = *:444",
              MAIN(3, ERROR,
                   "\"*:444\" is no address to listen on; did you mean 0.0.0.0:444 and "
                   "[::]:444?")),
    IN_SERVER("localhost_is_told_what_it_may_mean", "listen = localhost:443",
              MAIN(3, ERROR,
                   "\"localhost:443\" is no address to listen on; did you mean 127.0.0.1:443 "
                   "and [::1]:443?")),
    IN_SERVER("names_are_not_looked_up", "listen = example.org:443",
              MAIN(3, ERROR,
                   "\"example.org:443\" is no address to listen on, such as 0.0.0.0:443, "
                   "[::]:443 or systemd:NAME")),
    IN_SERVER("an_address_without_a_port_is_an_error", "listen = 192.0.2.1",
              MAIN(3, ERROR, "\"192.0.2.1\" has no port; did you mean 192.0.2.1:443?")),
    IN_SERVER("an_address_for_acme_has_another_port", "acme_dir = /a\nlisten_acme = 2001:db8::1",
              MAIN(4, ERROR, "\"2001:db8::1\" has no port; did you mean [2001:db8::1]:80?")),
    IN_SERVER("a_port_has_16_bits", "listen = 192.0.2.1:65536",
              MAIN(3, ERROR,
                   "\"192.0.2.1:65536\" is no address to listen on, such as 0.0.0.0:443, "
                   "[::]:443 or systemd:NAME")),
    IN_SERVER("brackets_are_closed", "listen = [::1:443",
              MAIN(3, ERROR, "\"[::1:443\" is no IPv6 address and port, such as [::]:443")),
    IN_SERVER("brackets_hold_an_ipv6_address", "listen = [::g]:443",
              MAIN(3, ERROR, "\"::g\" is no IPv6 address")),
    IN_SERVER("an_ipv4_address_is_not_written_as_ipv6", "listen = [::ffff:192.0.2.1]:443",
              MAIN(3, ERROR, "[::ffff:192.0.2.1] is an IPv4 address; did you mean 192.0.2.1:443?")),
    IN_SERVER("a_link_local_address_needs_its_interface", "listen = [fe80::1]:443",
              MAIN(3, ERROR, "a link-local address needs its interface, such as %eth0")),
    IN_SERVER("a_link_local_address_has_its_interface", "listen = [fe80::1%lo]:443", ""),
    IN_SERVER("an_interface_must_be_there", "listen = [fe80::1%nonesuch0]:443",
              MAIN(3, ERROR, "there is no interface \"nonesuch0\"")),
    IN_SERVER("only_a_link_local_address_has_an_interface", "listen = [::1%lo]:443",
              MAIN(3, ERROR, "only a link-local address has an interface")),
    IN_SERVER(
        "a_systemd_name_may_not_be_empty", "listen = systemd:",
        MAIN(3, ERROR, "systemd: is followed by a FileDescriptorName: 1 to 255 bytes, no colon")),
    IN_SERVER("an_address_named_twice_is_told_with_both_places", "listen = 127.0.0.1:8443",
              MAIN(3, ERROR, "127.0.0.1:8443 is already listened on by main.ini:2")),
    IN_SERVER("an_address_written_in_two_ways_is_the_same", "listen = [0:0::1]:8\nlisten = [::1]:8",
              MAIN(4, ERROR, "[::1]:8 is already listened on by main.ini:3")),
    IN_SERVER("https_and_acme_cannot_share_an_address",
              "acme_dir = /a\nlisten_acme = 127.0.0.1:8443",
              MAIN(4, ERROR, "127.0.0.1:8443 is already listened on by main.ini:2")),
    IN_SERVER("https_and_acme_may_both_take_any_free_port",
              "listen = 127.0.0.1:0\nacme_dir = /a\nlisten_acme = 127.0.0.1:0", ""),
    IN_SERVER("every_address_overlaps_one_of_them", "listen = 0.0.0.0:8443",
              MAIN(3, ERROR, "0.0.0.0:8443 overlaps 127.0.0.1:8443 at main.ini:2")),
    IN_SERVER("the_families_do_not_overlap", "listen = [::]:8443", ""),
    IN_SERVER("a_unix_socket_is_not_there_yet", "listen = unix:/run/mta-sts/http.sock",
              MAIN(3, ERROR, "this version has no Unix socket listeners yet")),
    IN_SERVER("a_plain_listener_is_not_there_yet", "listen = 127.0.0.1:80 plain",
              MAIN(3, ERROR, "this version has no plain listeners yet")),
    IN_SERVER("a_proxy_listener_is_not_there_yet",
              "acme_dir = /a\nlisten_acme = 127.0.0.1:80 proxy",
              MAIN(4, ERROR, "this version has no proxy listeners yet")),
    IN_SERVER("an_acme_listener_is_plain_as_it_is",
              "acme_dir = /a\nlisten_acme = 127.0.0.1:80 plain",
              MAIN(4, ERROR, "listen_acme is plain HTTP as it is")),
    IN_SERVER("an_unknown_option_is_an_error", "listen = 127.0.0.1:1 tls",
              MAIN(3, ERROR, "unknown option \"tls\"; there are plain and proxy")),

    /* ---- the rest of [server] ---- */
    IN_SERVER("a_network_has_no_bits_behind_its_prefix", "trusted = 127.0.0.1 10.1.2.3/8",
              MAIN(3, ERROR, "10.1.2.3/8 has bits behind its prefix; did you mean 10.0.0.0/8?")),
    IN_SERVER(
        "addresses_and_networks_of_both_families_are_trusted",
        "trusted = 192.0.2.1 10.0.0.0/8 0.0.0.0/0\ntrusted = ::1/128 2001:db8::/32 192.0.2.9/32",
        MAIN(3, WARNING, "trusted has no effect: no listener is plain or proxy")),
    IN_SERVER("an_ipv6_prefix_is_no_longer_than_an_address", "trusted = ::1/129",
              MAIN(3, ERROR, "\"::1/129\" is no address or network, such as 10.0.0.0/8")),
    IN_SERVER("a_prefix_is_a_number", "trusted = 10.0.0.0/",
              MAIN(3, ERROR, "\"10.0.0.0/\" is no address or network, such as 10.0.0.0/8")),
    IN_SERVER("a_prefix_is_no_longer_than_an_address", "trusted = 10.0.0.0/33",
              MAIN(3, ERROR, "\"10.0.0.0/33\" is no address or network, such as 10.0.0.0/8")),
    IN_SERVER("a_name_is_not_trusted", "trusted = proxy",
              MAIN(3, ERROR, "\"proxy\" is no address or network, such as 10.0.0.0/8")),
    IN_SERVER("a_mapped_address_is_not_trusted", "trusted = ::ffff:10.0.0.1",
              MAIN(3, ERROR, "::ffff:10.0.0.1 is an IPv4 address; write it as one")),
    IN_SERVER("trusting_without_a_proxy_listener_is_a_warning",
              "trusted = 127.0.0.1\nplain_any = yes",
              MAIN(3, WARNING, "trusted has no effect: no listener is plain or proxy")
                  MAIN(4, WARNING, "plain_any has no effect: no listener is plain")),
    IN_SERVER("a_webroot_and_a_folder_exclude_each_other",
              "acme_webroot = /w\nacme_dir = /d\nlisten_acme = 127.0.0.1:80",
              MAIN(4, ERROR,
                   "acme_webroot and acme_dir exclude each other; acme_webroot is at main.ini:3")),
    IN_SERVER("a_thumbprint_has_43_bytes", "acme_thumbprint = " TOKEN "a",
              MAIN(3, ERROR,
                   "acme_thumbprint is the account key's thumbprint, 43 letters, digits, - and _")),
    IN_SERVER("a_thumbprint_is_base64url",
              "acme_thumbprint = ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmno+/",
              MAIN(3, ERROR,
                   "acme_thumbprint is the account key's thumbprint, 43 letters, digits, - and _")),
    IN_SERVER("a_folder_and_a_thumbprint_go_together",
              "listen_acme = 127.0.0.1:80\nacme_dir = /d\nacme_thumbprint = " TOKEN, ""),
    IN_SERVER("an_acme_listener_without_answers_is_a_warning", "listen_acme = 127.0.0.1:80",
              MAIN(3, WARNING,
                   "every token will be answered 404: there is no acme_webroot, acme_dir or "
                   "acme_thumbprint")),
    IN_SERVER("answers_without_an_acme_listener_are_a_warning", "acme_webroot = /w",
              MAIN(3, WARNING, "acme_webroot has no effect: there is no listen_acme")),
    IN_SERVER("a_user_is_a_name", "user = mta-sts", ""),
    IN_SERVER("a_user_is_a_number_and_a_group", "user = 65534:65534", ""),
    IN_SERVER("a_user_starts_with_no_hyphen", "user = -x",
              MAIN(3, ERROR, "user is a name, a number or number:number, not \"-x\"")),
    IN_SERVER(
        "a_named_user_has_no_group", "user = www-data:www-data",
        MAIN(3, ERROR, "user is a name, a number or number:number, not \"www-data:www-data\"")),
    IN_SERVER("the_last_user_number_is_nobody_at_all", "user = 4294967295",
              MAIN(3, ERROR, "user is a name, a number or number:number, not \"4294967295\"")),
    IN_SERVER("workers_may_be_auto", "workers = auto", ""),
    IN_SERVER("no_workers_are_out_of_range", "workers = 0",
              MAIN(3, ERROR, "workers is a number from 1 to 256, not \"0\"")),
    IN_SERVER("too_many_workers_are_out_of_range", "workers = 257",
              MAIN(3, ERROR, "workers is a number from 1 to 256, not \"257\"")),
    IN_SERVER("workers_are_a_number", "workers = many",
              MAIN(3, ERROR, "workers is a number from 1 to 256 or auto, not \"many\"")),
    IN_SERVER("a_limit_of_nothing_is_out_of_range", "max_connections = 0",
              MAIN(3, ERROR, "max_connections is a number from 1 to 1000000, not \"0\"")),
    IN_SERVER(
        "a_number_does_not_wrap_around", "cert_cache = 18446744073709551617",
        MAIN(3, ERROR, "cert_cache is a number from 1 to 1000000, not \"18446744073709551617\"")),
    IN_SERVER("a_number_has_no_unit", "max_tls = 10k",
              MAIN(3, ERROR, "max_tls is a number from 1 to 1000000 or auto, not \"10k\"")),
    IN_SERVER("tls_may_be_auto", "max_tls = auto", ""),
    IN_SERVER("the_least_numbers_are_good",
              "workers = 1\nmax_connections = 1\nmax_tls = 1\nmax_connections_per_ip = 0\n"
              "cert_cache = 1",
              ""),
    IN_SERVER("the_greatest_numbers_are_good",
              "workers = 256\nmax_connections = 1000000\nmax_tls = 1000000\n"
              "max_connections_per_ip = 1000000\ncert_cache = 1000000",
              ""),
    IN_SERVER("numbers_below_the_least_are_out_of_range",
              "max_connections = 0\nmax_tls = 0\nmax_connections_per_ip = -1\ncert_cache = 0",
              MAIN(3, ERROR, "max_connections is a number from 1 to 1000000, not \"0\"")
                  MAIN(4, ERROR, "max_tls is a number from 1 to 1000000, not \"0\"") MAIN(
                      5, ERROR, "max_connections_per_ip is a number from 0 to 1000000, not \"-1\"")
                      MAIN(6, ERROR, "cert_cache is a number from 1 to 1000000, not \"0\"")),
    IN_SERVER("numbers_above_the_greatest_are_out_of_range",
              "max_connections = 1000001\nmax_tls = 1000001\nmax_connections_per_ip = 1000001\n"
              "cert_cache = 1000001",
              MAIN(3, ERROR, "max_connections is a number from 1 to 1000000, not \"1000001\"")
                  MAIN(4, ERROR, "max_tls is a number from 1 to 1000000, not \"1000001\"") MAIN(
                      5, ERROR,
                      "max_connections_per_ip is a number from 0 to 1000000, not "
                      "\"1000001\"")
                      MAIN(6, ERROR, "cert_cache is a number from 1 to 1000000, not \"1000001\"")),
    IN_SERVER("more_tls_than_connections_is_a_warning", "max_tls = 5000",
              MAIN(3, WARNING, "max_tls is more than max_connections, which is 4096")),
    IN_SERVER("fewer_connections_than_the_usual_tls_are_fine", "max_connections = 10", ""),
    IN_SERVER("a_switch_may_be_on", "access_log = on", ""),
    IN_SERVER("a_switch_may_be_off", "access_log = off", ""),
    IN_SERVER("a_switch_may_be_yes", "access_log = yes", ""),
    IN_SERVER("a_switch_may_be_no", "access_log = no", ""),
    IN_SERVER("a_switch_is_on_or_off", "access_log = true",
              MAIN(3, ERROR, "access_log is on or off (or yes, no), not \"true\"")),
    IN_SERVER("isolation_is_on_or_off", "isolate = maybe",
              MAIN(3, ERROR, "isolate is on or off (or yes, no), not \"maybe\"")),
    IN_SERVER("isolation_may_be_off", "isolate = off", ""),
    IN_SERVER("a_health_listener_has_an_address", "listen_health = 127.0.0.1:8081", ""),
    IN_SERVER("a_health_listener_has_a_port", "listen_health = 127.0.0.1",
              MAIN(3, ERROR, "\"127.0.0.1\" has no port; did you mean 127.0.0.1:8081?")),
    IN_SERVER("a_health_listener_has_no_options", "listen_health = 127.0.0.1:8081 plain",
              MAIN(3, ERROR, "listen_health takes no options")),
    IN_SERVER("a_health_listener_has_an_address_of_its_own", "listen_health = 127.0.0.1:8443",
              MAIN(3, ERROR, "127.0.0.1:8443 is already listened on by main.ini:2")),
    IN_SERVER("readiness_may_require_no_certificate", "ready_requires_certificates = 0%", ""),
    IN_SERVER("readiness_may_require_every_certificate", "ready_requires_certificates = 100%", ""),
    IN_SERVER(
        "readiness_requires_a_percentage", "ready_requires_certificates = 90",
        MAIN(3, ERROR, "ready_requires_certificates is a percentage from 0% to 100%, not \"90\"")),
    IN_SERVER("readiness_requires_no_more_than_everything", "ready_requires_certificates = 101%",
              MAIN(3, ERROR,
                   "ready_requires_certificates is a percentage from 0% to 100%, not \"101%\"")),
    IN_SERVER("draining_may_begin_at_once", "drain_delay = 0", ""),
    IN_SERVER("draining_may_wait_an_hour", "drain_delay = 3600", ""),
    IN_SERVER("draining_waits_no_longer", "drain_delay = 3601",
              MAIN(3, ERROR, "drain_delay is a number from 0 to 3600, not \"3601\"")),
    IN_SERVER("a_limit_of_removal_may_be_a_number", "max_removed = 0", ""),
    IN_SERVER("a_limit_of_removal_may_be_a_percentage", "max_removed = 100%", ""),
    IN_SERVER("a_limit_of_removal_is_at_most_everything", "max_removed = 101%",
              MAIN(3, ERROR,
                   "max_removed is a number of domains or a percentage, such as 5%, not \"101%\"")),
    IN_SERVER("a_limit_of_removal_has_no_fraction", "max_removed = 0.5%",
              MAIN(3, ERROR,
                   "max_removed is a number of domains or a percentage, such as 5%, not \"0.5%\"")),
    IN_SERVER("a_limit_of_removal_has_no_other_unit", "max_removed = 5 %",
              MAIN(3, ERROR,
                   "max_removed is a number of domains or a percentage, such as 5%, not \"5 %\"")),
    IN_SERVER("a_state_directory_has_a_path", "state_dir = /var/lib/mta-stsd", ""),
    IN_SERVER("a_log_is_text_or_json", "log_format = xml",
              MAIN(3, ERROR, "log_format is text or json, not \"xml\"")),
    IN_SERVER("every_other_single_key_of_server_stands_once",
              "ready_requires_certificates = 1%\nready_requires_certificates = 1%\n"
              "drain_delay = 1\ndrain_delay = 1\nisolate = off\nisolate = off\n"
              "max_removed = 1\nmax_removed = 1\nstate_dir = /s\nstate_dir = /s\n"
              "log_format = text\nlog_format = text",
              MAIN(4, ERROR, "ready_requires_certificates is already set at main.ini:3")
                  MAIN(6, ERROR, "drain_delay is already set at main.ini:5")
                      MAIN(8, ERROR, "isolate is already set at main.ini:7")
                          MAIN(10, ERROR, "max_removed is already set at main.ini:9")
                              MAIN(12, ERROR, "state_dir is already set at main.ini:11")
                                  MAIN(14, ERROR, "log_format is already set at main.ini:13")),

    /* ---- policies ---- */
    IN_POLICY("a_mode_in_capitals_is_told_the_right_one",
              "[b.example]\nmode = Enforce\nmx = a.b\ncertificate = /c",
              MAIN(8, ERROR, "unknown mode \"Enforce\"; did you mean enforce?")),
    IN_POLICY("the_shortest_max_age_is_good_and_a_warning", "max_age = 1",
              MAIN(7, WARNING,
                   "max_age is below a day (86400): senders look once a day, and some refuse "
                   "less")),
    IN_POLICY("a_second_less_than_a_day_is_a_warning", "max_age = 86399",
              MAIN(7, WARNING,
                   "max_age is below a day (86400): senders look once a day, and some refuse "
                   "less")),
    IN_POLICY("a_longest_max_age_is_good", "max_age = 31557600", ""),
    IN_POLICY("a_longer_max_age_is_out_of_range", "max_age = 31557601",
              MAIN(7, ERROR, "max_age is 1 to 31557600 seconds, not \"31557601\"")),
    IN_POLICY("a_max_age_in_weeks_is_in_range_too", "max_age = 53w",
              MAIN(7, ERROR, "max_age is 1 to 31557600 seconds, not \"53w\"")),
    IN_POLICY("a_max_age_of_nothing_is_out_of_range", "max_age = 0",
              MAIN(7, ERROR, "max_age is 1 to 31557600 seconds, not \"0\"")),
    IN_POLICY("a_max_age_has_one_unit", "max_age = 1w2d",
              MAIN(7, ERROR,
                   "max_age is a number of seconds, or one with s, m, h, d or w behind it, "
                   "not \"1w2d\"")),
    IN_POLICY("a_max_age_has_a_known_unit", "max_age = 1y",
              MAIN(7, ERROR,
                   "max_age is a number of seconds, or one with s, m, h, d or w behind it, "
                   "not \"1y\"")),
    IN_POLICY("a_max_age_of_a_day_is_good", "max_age = 1d", ""),
    IN_POLICY("a_max_age_below_a_day_is_a_warning", "max_age = 1439m",
              MAIN(7, WARNING,
                   "max_age is below a day (86400): senders look once a day, and some refuse "
                   "less")),
    { "a_short_max_age_in_defaults_is_told_once",
      SERVER "[defaults]\nmax_age = 12h\n" POLICY "[example.net]\n" KEYS,
      MAIN(4, WARNING,
           "max_age is below a day (86400): senders look once a day, and some refuse less"),
      NULL, NULL },
    WITH_MX("a_star_is_the_left_most_label", "*.example.org", ""),
    WITH_MX("a_star_is_a_whole_label", "m*.example.org",
            MAIN(6, ERROR, "mx \"m*.example.org\": a * is only good as the whole left-most label")),
    WITH_MX("a_star_is_no_other_label", "mail.*.org",
            MAIN(6, ERROR, "mx \"mail.*.org\": a * is only good as the whole left-most label")),
    WITH_MX("a_star_alone_is_no_mx", "*",
            MAIN(6, ERROR, "mx \"*\": a * is only good as the whole left-most label")),
    WITH_MX("a_star_stands_before_a_domain", "*.org", MAIN(6, ERROR, "mx \"*.org\" has no dot")),
    WITH_MX("the_domain_is_whole_labels", "mx.%d", ""),
    WITH_MX("the_domain_may_be_the_whole_mx", "*.%d", ""),
    WITH_MX("the_domain_is_no_part_of_a_label", "mx%d",
            MAIN(6, ERROR, "mx \"mx%d\": a % is only good in %d, which stands for whole labels")),
    WITH_MX("the_policy_host_is_no_mx", "%h",
            MAIN(6, ERROR, "mx \"%h\": a % is only good in %d, which stands for whole labels")),
    WITH_MX("an_mx_beyond_ascii_is_told_how_to_write_it", "m\xc3\xbc.example",
            MAIN(6, ERROR,
                 "mx \"m\xc3\xbc.example\" is not ASCII: write its A-label form (xn--...), as "
                 "mta-sts prints it")),
    WITH_MX("an_mx_is_no_address", "192.0.2.1",
            MAIN(6, ERROR, "mx \"192.0.2.1\" ends in a label of digits, as an IP address does")),
    WITH_MX("an_mx_of_253_bytes_is_good", LABELS X60("d") ".efghijk.m", ""),
    WITH_MX("the_final_dot_of_an_mx_does_not_count", LABELS X60("d") ".efghijk.m.", ""),
    WITH_MX("an_mx_of_254_bytes_is_too_long", LABELS X60("d") ".efghijk.mn",
            MAIN(6, ERROR,
                 "mx \"" X60("a") "." X10("b") X10("b") X10("b") "bbbbbbbbb\" is too long: it has "
                                                                 "at most 253 bytes")),
    WITH_MX("an_mx_longer_than_any_name_is_too_long", LABELS LABELS "example",
            MAIN(6, ERROR,
                 "mx \"" X60("a") "." X10("b") X10("b") X10("b") "bbbbbbbbb\" is too long: it has "
                                                                 "at most 253 bytes")),
    { "an_mx_is_judged_for_the_longest_domain",
      SERVER
      "[example.org]\nmode = none\ncertificate = /c\nmx = mail.customers.%d\nalias = " LABELS X60(
          "d") "\n",
      MAIN(6, ERROR,
           "mx mail.customers.%d has more than 253 bytes with a domain of 243 bytes, as there is "
           "one at main.ini:3"),
      NULL, NULL },
    WITH_MX("one_mx_stands_in_a_line", "a.example b.example",
            MAIN(6, ERROR, "one mx a line: repeat the key")),
    IN_POLICY("a_repeated_mx_is_told_with_both_lines", "mx = Mail.Example.org.",
              MAIN(7, ERROR, "mx mail.example.org is already at main.ini:5")),
    IN_POLICY("an_mx_repeated_by_its_domain_is_told", "mx = mail.%d",
              MAIN(7, ERROR,
                   "mx mail.%d is the same as mx mail.example.org at main.ini:5 for example.org")),
    IN_POLICY("an_id_of_32_letters_and_digits_is_good", "id = abcdefghijklmnopqrstuvwxyz012345",
              ""),
    IN_POLICY("an_id_of_33_is_too_long", "id = abcdefghijklmnopqrstuvwxyz0123456",
              MAIN(7, ERROR,
                   "id is 1 to 32 letters and digits, not "
                   "\"abcdefghijklmnopqrstuvwxyz0123456\"")),
    IN_POLICY("several_rua_are_good", "rua = mailto:a@example.org\nrua = HTTPS://example.org/r",
              ""),
    IN_POLICY("a_rua_is_mailto_or_https", "rua = http://example.org/r",
              MAIN(7, ERROR, "rua is a mailto: or https:// address, not \"http://example.org/r\"")),
    IN_POLICY("a_rua_has_something_behind", "rua = mailto:",
              MAIN(7, ERROR, "rua is a mailto: or https:// address, not \"mailto:\"")),
    IN_POLICY("a_comma_in_a_rua_is_told_how_to_encode_it", "rua = mailto:a@b.c,mailto:d@b.c",
              MAIN(7, ERROR, "a \",\" in a rua is written %2C; several rua: repeat the key")),
    IN_POLICY("an_exclamation_mark_in_a_rua_is_told_how_to_encode_it", "rua = mailto:a@b.c!10m",
              MAIN(7, ERROR, "a \"!\" in a rua is written %21; several rua: repeat the key")),
    IN_POLICY("a_semicolon_in_a_rua_is_told_how_to_encode_it", "rua = mailto:a@b.c;x",
              MAIN(7, ERROR, "a \";\" in a rua is written %3B; several rua: repeat the key")),
    IN_POLICY("a_rua_has_no_blanks", "rua = mailto:a@b.c mailto:d@b.c",
              MAIN(7, ERROR, "rua has a byte that no URI has; one rua a line, repeat the key")),
    IN_POLICY("a_repeated_rua_is_told_with_both_lines", "rua = mailto:a@b.c\nrua = mailto:a@b.c",
              MAIN(8, ERROR, "rua mailto:a@b.c is already at main.ini:7")),
    IN_POLICY(
        "an_unknown_percent_is_an_error", "key = /k/%s.pem",
        MAIN(7, ERROR, "unknown %s in key; there are %h (policy host), %d (policy domain) and %%")),
    IN_POLICY(
        "a_percent_at_the_end_is_an_error", "key = /k/%",
        MAIN(7, ERROR, "unknown % in key; there are %h (policy host), %d (policy domain) and %%")),
    IN_POLICY("a_doubled_percent_is_one", "key = /k/100%%/%d%h", ""),

    /* ---- aliases ---- */
    IN_POLICY("an_alias_is_told_with_both_places",
              "alias = a.example b.example\nalias = c.example A.example",
              MAIN(8, ERROR, "a.example is already named at main.ini:7")),
    IN_POLICY("a_section_of_an_alias_is_told_with_both_places",
              "alias = a.example\n[a.example]\n" KEYS,
              MAIN(8, ERROR, "a.example is already named at main.ini:7")),
    IN_POLICY("an_alias_of_itself_is_named_twice", "alias = example.org",
              MAIN(7, ERROR, "example.org is already named at main.ini:3")),
    IN_POLICY(
        "each_bad_alias_of_a_line_is_told", "alias = a b.example mta-sts.c.example",
        MAIN(7, ERROR, "\"a\" is no domain: it has no dot") MAIN(
            7, ERROR, "mta-sts.c.example is a policy host, not a domain; did you mean c.example?")),
    { "a_bad_line_of_an_alias_file_is_told_with_its_own_place",
      SERVER POLICY "alias_file = names.txt\n",
      "names.txt:4: error: \"b\" is no domain: it has no dot\n"
      "names.txt:5: error: one domain a line, and # comments\n"
      "names.txt:6: error: example.org is already named at main.ini:3\n"
      "names.txt:7: error: a.example is already named at names.txt:2\n",
      NULL,
      "\xef\xbb\xbf# customers\na.example # the first\n\n b \r\nc.example "
      "d.example\nexample.org\na.example" },
    { "a_blank_goes_before_a_comment_in_an_alias_file", SERVER POLICY "alias_file = names.txt\n",
      "names.txt:1: error: \"a.example#x\" is no domain: it has a character other than letters, "
      "digits, "
      "hyphens and dots\n",
      NULL, "a.example#x\n" },
    IN_POLICY("a_missing_alias_file_is_an_error", "alias_file = none.txt",
              MAIN(7, ERROR, "cannot open none.txt: No such file or directory")),
    IN_POLICY("a_folder_is_no_alias_file", "alias_file = /tmp",
              MAIN(7, ERROR, "/tmp is no regular file")),
    { "an_empty_alias_file_is_fine", SERVER POLICY "alias_file = names.txt\n", "", NULL, "" },

    /* ---- includes ---- */
    { "a_missing_include_is_an_error", SERVER "include = none.ini\n" POLICY,
      MAIN(3, ERROR, "cannot open none.ini: No such file or directory"), NULL, NULL },
    { "a_pattern_that_matches_nothing_is_fine", SERVER "include = x*.ini\n" POLICY, "", NULL,
      NULL },
    { "a_pattern_in_a_missing_folder_is_a_warning", SERVER "include = none.d/*.ini\n" POLICY,
      MAIN(3, WARNING, "the folder of \"none.d/*.ini\" does not exist"), NULL, NULL },
    { "a_file_included_twice_is_told_with_both_lines",
      SERVER "include = other.ini\ninclude = o*.ini\n" POLICY,
      MAIN(4, ERROR, "other.ini is already included at main.ini:3"), "[a.example]\n" KEYS, NULL },
    { "a_pattern_that_matches_the_main_file_is_an_error", SERVER "include = *.ini\n" POLICY,
      MAIN(3, ERROR, "main.ini is this file itself"), NULL, NULL },
    { "a_matched_folder_is_an_error", SERVER "include = /tm[p]\n" POLICY,
      MAIN(3, ERROR, "/tmp is no regular file"), NULL, NULL },
    { "findings_in_an_include_have_its_place", SERVER "include = other.ini\n" POLICY,
      "other.ini:2: error: unknown key \"moed\"; did you mean mode?\n"
      "other.ini:3: error: example.org is already named at main.ini:4\n"
      "other.ini:1: error: no mode, neither here nor in [defaults]\n"
      "other.ini:1: error: no certificate, neither here nor in [defaults]\n"
      "other.ini:1: error: no mx, neither here nor in [defaults]\n",
      "[a.example]\nmoed = none\n[example.org]\n" KEYS, NULL },
    { "special_sections_stand_in_the_main_file_only", SERVER "include = other.ini\n" POLICY,
      "other.ini:1: error: [server] stands in the main file only\n"
      "other.ini:3: error: [defaults] stands in the main file only\n"
      "other.ini:4: error: [*] stands in the main file only\n",
      "[server]\nworkers = 0\n[defaults]\n[*]\n", NULL },
    IN_POLICY("an_include_in_a_policy_says_where_it_belongs", "include = x",
              MAIN(7, ERROR, "include belongs in [server], not in a policy")),

    /* ---- lines ---- */
    { "a_key_above_every_section_is_an_error", "mode = none\n" SERVER POLICY,
      MAIN(1, ERROR, "a key above every [section]"), NULL, NULL },
};

/* clang-format on */

#endif
