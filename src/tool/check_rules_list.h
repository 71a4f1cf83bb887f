/*
 * check_rules_list: the rules of check_rules.h, a line each: the code, its step, its name, its row
 * in docs/senders.md, its effects by the RFC and on the strictest sender, who that is, what to do.
 *
 * Where the row says "counts" by the RFC, the effect is NONE or a NOTE; where it says "unclear", a
 * RISK or what is likely; where it says "does not count", NO_POLICY, or NO_REPORTS in the rows R.
 */

/* clang-format off */

/* --- record */

CHECK_RULE(RECORD_MISSING, STEP_RECORD, "record-missing", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Publish the record: mta-sts dns prints it.")
CHECK_RULE(RECORD_ALMOST, STEP_RECORD, "record-almost", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "It has to begin with v=STSv1; in exactly these characters.")
CHECK_RULE(RECORD_DNS_FAILED, STEP_RECORD, "record-dns-failed", "D22", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "mox",
    "See to it that the domain's name servers answer: without an answer there is no policy, and mox holds mail back.")
CHECK_RULE(RECORD_TWO, STEP_RECORD, "record-two", "D1", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Leave one record that begins with v=STSv1; and remove the others.")
CHECK_RULE(RECORD_BESIDE, STEP_RECORD, "record-beside", "D2", EFFECT_NOTE, EFFECT_NO_POLICY, "go-mtasts, KumoMTA",
    "Remove the other TXT records of this name: a wildcard may put them there.")
CHECK_RULE(RECORD_SPLIT, STEP_RECORD, "record-split", "D3", EFFECT_NOTE, EFFECT_NO_POLICY, "Mimecast",
    "Write the record as one string.")
CHECK_RULE(RECORD_NO_ID, STEP_RECORD, "record-no-id", "D4", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Add an id: mta-sts dns derives it from the policy.")
CHECK_RULE(RECORD_EMPTY_ID, STEP_RECORD, "record-empty-id", "D5", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Give the id a value of 1 to 32 letters and digits.")
CHECK_RULE(RECORD_LONG_ID, STEP_RECORD, "record-long-id", "D6", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Shorten the id to 32 letters and digits at most.")
CHECK_RULE(RECORD_BAD_ID, STEP_RECORD, "record-bad-id", "D7", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Use nothing but letters and digits in the id.")
CHECK_RULE(RECORD_BLANK_BEFORE_SEMICOLON, STEP_RECORD, "record-blank-before-semicolon", "D10", EFFECT_RISK, EFFECT_NO_POLICY, "chasquid, Halon",
    "Write v=STSv1; without a blank before the semicolon.")
CHECK_RULE(RECORD_BLANK_AT_END, STEP_RECORD, "record-blank-at-end", "D11", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Take the blank at the end away.")
CHECK_RULE(RECORD_BLANK_AFTER_LAST, STEP_RECORD, "record-blank-after-last", "D12", EFFECT_NOTE, EFFECT_NO_POLICY, "KumoMTA",
    "Take the blank behind the last semicolon away.")
CHECK_RULE(RECORD_EMPTY_FIELD, STEP_RECORD, "record-empty-field", "D13", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Take the second semicolon away.")
CHECK_RULE(RECORD_VERSION_NAME_CASE, STEP_RECORD, "record-version-name-case", "D14", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write v=STSv1; with a small v in front.")
CHECK_RULE(RECORD_VERSION_CASE, STEP_RECORD, "record-version-case", "D15", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write STSv1 in exactly this case.")
CHECK_RULE(RECORD_VERSION_NOT_FIRST, STEP_RECORD, "record-version-not-first", "D16", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Put v=STSv1; in front.")
CHECK_RULE(RECORD_UNKNOWN_FIELD, STEP_RECORD, "record-unknown-field", "D17", EFFECT_NOTE, EFFECT_NOTE, "",
    "No sender makes use of this field: is it a slip?")
CHECK_RULE(RECORD_COLON, STEP_RECORD, "record-colon", "D18", EFFECT_NOTE, EFFECT_NO_POLICY, "mailauth",
    "Remove the field with the colon.")
CHECK_RULE(RECORD_NO_EQUALS, STEP_RECORD, "record-no-equals", "D19", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Between semicolons there is name=value: remove this word.")
CHECK_RULE(RECORD_BAD_FIELD, STEP_RECORD, "record-bad-field", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove this field: the version and the id are all that is needed.")
CHECK_RULE(RECORD_ID_TWICE, STEP_RECORD, "record-id-twice", "D20", EFFECT_NOTE, EFFECT_NO_POLICY, "mox",
    "Leave one id: senders differ in which they take.")
CHECK_RULE(RECORD_STALE, STEP_RECORD, "record-stale", "D23", EFFECT_STALE, EFFECT_STALE, "",
    "Publish the id that mta-sts dns prints, once the new policy is served: senders that know the old id do not look again.")

/* --- host */

CHECK_RULE(HOST_MISSING, STEP_HOST, "host-missing", "P1", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Give the policy host A and AAAA records, or a CNAME to where mta-stsd runs.")
CHECK_RULE(HOST_DNS_FAILED, STEP_HOST, "host-dns-failed", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "See to it that the name servers answer for the policy host, and that no CNAME leads in a circle.")
CHECK_RULE(HOST_DNS_HALF, STEP_HOST, "host-dns-half", "", EFFECT_RISK, EFFECT_RISK, "",
    "See to it that the name servers answer for A as well as for AAAA, be it that there is none.")
CHECK_RULE(HOST_DEAD, STEP_HOST, "host-dead", "P6", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Start the server on port 443 of this address, or open the port in the firewall.")
CHECK_RULE(HOST_DEAD_AAAA, STEP_HOST, "host-dead-aaaa", "P2", EFFECT_RISK, EFFECT_RISK, "",
    "Let the server listen on this address, or remove the AAAA record: not every sender tries the other address in time.")
CHECK_RULE(HOST_DEAD_A, STEP_HOST, "host-dead-a", "P4", EFFECT_RISK, EFFECT_NO_POLICY, "mailauth",
    "Let the server listen on this address, or remove the A record: some senders try one address only.")
CHECK_RULE(HOST_UNSEEN, STEP_HOST, "host-unseen", "", EFFECT_UNSEEN, EFFECT_UNSEEN, "",
    "This machine has no way to that address, or others there kept it waiting: check from another machine, or this domain alone.")
CHECK_RULE(HOST_MANY, STEP_HOST, "host-many", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "Not all of so many addresses were tried.")
CHECK_RULE(HOST_LOCAL, STEP_HOST, "host-local", "", EFFECT_RISK, EFFECT_RISK, "",
    "Senders elsewhere have no way to it, whatever is seen there from here: give the host a public address. If DNS tells others another one, check with --resolver and a resolver of theirs.")
CHECK_RULE(HOST_DIFFERS, STEP_HOST, "host-differs", "", EFFECT_STALE, EFFECT_STALE, "",
    "Have every address serve the same policy: which one a sender gets is chance.")

/* --- tls */

CHECK_RULE(TLS_FAILED, STEP_TLS, "tls-failed", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Have the server present a certificate for the policy host where it is asked for that name: mta-stsd's log says what it lacks.")
CHECK_RULE(TLS_OLD, STEP_TLS, "tls-old", "L8", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Turn TLS 1.2 and 1.3 on.")
CHECK_RULE(TLS_ONLY_13, STEP_TLS, "tls-only-13", "L9", EFFECT_RISK, EFFECT_NO_POLICY, "Mimecast",
    "Turn TLS 1.2 on beside 1.3.")
CHECK_RULE(TLS_WRONG_NAME, STEP_TLS, "tls-wrong-name", "L3", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Get a certificate for exactly the policy host, and have the server choose it by SNI.")
CHECK_RULE(TLS_DEEP_WILDCARD, STEP_TLS, "tls-deep-wildcard", "L6", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "A wildcard stands for one label: get a certificate for exactly the policy host.")
CHECK_RULE(TLS_NO_SAN, STEP_TLS, "tls-no-san", "L4", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Get a certificate that has the policy host as a subject alternative name: the common name is not looked at.")
CHECK_RULE(TLS_EXPIRED, STEP_TLS, "tls-expired", "L2", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Renew the certificate, and look why it was not renewed by itself.")
CHECK_RULE(TLS_NOT_YET, STEP_TLS, "tls-not-yet", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Wait until the certificate is valid, or get another; look at the clocks.")
CHECK_RULE(TLS_SELF_SIGNED, STEP_TLS, "tls-self-signed", "L1", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Get a certificate from a CA that everybody trusts.")
CHECK_RULE(TLS_NO_INTERMEDIATE, STEP_TLS, "tls-no-intermediate", "L7", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Send the intermediate certificates too: fullchain.pem, not cert.pem.")
CHECK_RULE(TLS_UNTRUSTED, STEP_TLS, "tls-untrusted", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Get a certificate from a CA that everybody trusts, and send its whole chain.")
CHECK_RULE(TLS_ENDS_SOON, STEP_TLS, "tls-ends-soon", "", EFFECT_RISK, EFFECT_RISK, "",
    "Renew the certificate now.")

/* --- answer */

CHECK_RULE(ANSWER_REDIRECT, STEP_ANSWER, "answer-redirect", "H1", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Serve the policy at this very URL: redirects are not followed.")
CHECK_RULE(ANSWER_NOT_FOUND, STEP_ANSWER, "answer-not-found", "H2", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Serve the policy at /.well-known/mta-sts.txt.")
CHECK_RULE(ANSWER_ERROR, STEP_ANSWER, "answer-error", "H3", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Have the server answer 200: a filter against robots, or a limit, may stand in between.")
CHECK_RULE(ANSWER_OTHER_2XX, STEP_ANSWER, "answer-other-2xx", "H4", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Answer with status 200.")
CHECK_RULE(ANSWER_NO_TYPE, STEP_ANSWER, "answer-no-type", "H6", EFFECT_RISK, EFFECT_NO_POLICY, "tlspol, resolver, go-mtasts, chasquid, KumoMTA",
    "Send Content-Type: text/plain.")
CHECK_RULE(ANSWER_OTHER_TYPE, STEP_ANSWER, "answer-other-type", "H12", EFFECT_RISK, EFFECT_NO_POLICY, "tlspol, resolver, go-mtasts, chasquid, KumoMTA",
    "Send Content-Type: text/plain.")
CHECK_RULE(ANSWER_TYPE_CASE, STEP_ANSWER, "answer-type-case", "H11", EFFECT_NOTE, EFFECT_NO_POLICY, "KumoMTA",
    "Write text/plain in lower case.")
CHECK_RULE(ANSWER_CHARSET, STEP_ANSWER, "answer-charset", "H9", EFFECT_NOTE, EFFECT_NO_POLICY, "resolver",
    "Send charset=utf-8, or none.")
CHECK_RULE(ANSWER_CHARSET_EMPTY, STEP_ANSWER, "answer-charset-empty", "H10", EFFECT_RISK, EFFECT_NO_POLICY, "tlspol, resolver, go-mtasts, chasquid",
    "Send Content-Type: text/plain with nothing behind, or with charset=utf-8.")
CHECK_RULE(ANSWER_BAD_TYPE, STEP_ANSWER, "answer-bad-type", "", EFFECT_RISK, EFFECT_NO_POLICY, "tlspol, go-mtasts, chasquid",
    "Send Content-Type: text/plain.")
CHECK_RULE(ANSWER_TYPE_TWICE, STEP_ANSWER, "answer-type-twice", "", EFFECT_RISK, EFFECT_RISK, "",
    "Send one Content-Type, not two: which one a sender takes is chance.")
CHECK_RULE(ANSWER_ENCODED, STEP_ANSWER, "answer-encoded", "H13", EFFECT_RISK, EFFECT_NO_POLICY, "mailauth, Stalwart, KumoMTA",
    "Do not compress what was not asked for.")
CHECK_RULE(ANSWER_SLOW_2, STEP_ANSWER, "answer-slow-2", "H16", EFFECT_NOTE, EFFECT_NO_POLICY, "tlspol",
    "Answer within 2 seconds, look-up and handshake included.")
CHECK_RULE(ANSWER_SLOW_4, STEP_ANSWER, "answer-slow-4", "H17", EFFECT_NOTE, EFFECT_NO_POLICY, "tlspol, resolver, Halon",
    "Answer within 2 seconds, look-up and handshake included.")
CHECK_RULE(ANSWER_SLOW_15, STEP_ANSWER, "answer-slow-15", "H18", EFFECT_NOTE, EFFECT_NO_POLICY, "tlspol, resolver, mailauth, Halon, KumoMTA",
    "Answer within 2 seconds, look-up and handshake included.")
CHECK_RULE(ANSWER_TIMED_OUT, STEP_ANSWER, "answer-timed-out", "H19", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Answer within 2 seconds: after a minute nobody waits.")
CHECK_RULE(ANSWER_BROKEN, STEP_ANSWER, "answer-broken", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "The server does not answer with whole and well-formed HTTP: look at its log.")
CHECK_RULE(ANSWER_OVER_10K, STEP_ANSWER, "answer-over-10k", "H21", EFFECT_NOTE, EFFECT_NO_POLICY, "chasquid",
    "Shorten the policy to less than 10,240 bytes: a wildcard may stand for many hosts.")
CHECK_RULE(ANSWER_OVER_64K, STEP_ANSWER, "answer-over-64k", "H22", EFFECT_RISK, EFFECT_NO_POLICY, "tlspol, resolver, mox",
    "Shorten the policy to less than 10,240 bytes.")
CHECK_RULE(ANSWER_EMPTY, STEP_ANSWER, "answer-empty", "H23", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Serve the policy: the answer has nothing in it.")
CHECK_RULE(ANSWER_HTML, STEP_ANSWER, "answer-html", "H5", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Serve the policy: the answer is a web page.")

/* --- policy */

CHECK_RULE(POLICY_LF, STEP_POLICY, "policy-lf", "B1", EFFECT_NOTE, EFFECT_NOTE, "",
    "End each line with CRLF.")
CHECK_RULE(POLICY_CR, STEP_POLICY, "policy-cr", "B2", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "End each line with CRLF, not with CR alone.")
CHECK_RULE(POLICY_BOM, STEP_POLICY, "policy-bom", "B3", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Save the file without a byte order mark.")
CHECK_RULE(POLICY_CONTROL, STEP_POLICY, "policy-control", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the control character.")
CHECK_RULE(POLICY_BLANK_LINE, STEP_POLICY, "policy-blank-line", "B4", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the blank line.")
CHECK_RULE(POLICY_BLANK_LINE_AT_END, STEP_POLICY, "policy-blank-line-at-end", "B5", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the blank line at the end.")
CHECK_RULE(POLICY_BLANKS_LINE, STEP_POLICY, "policy-blanks-line", "B6", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the line of blanks.")
CHECK_RULE(POLICY_NO_LAST_END, STEP_POLICY, "policy-no-last-end", "B7", EFFECT_NOTE, EFFECT_NOTE, "",
    "End the last line with CRLF, too.")
CHECK_RULE(POLICY_NO_COLON, STEP_POLICY, "policy-no-colon", "B25", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove this line: each has a key, a colon and a value.")
CHECK_RULE(POLICY_COMMENT, STEP_POLICY, "policy-comment", "B26", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the comment: a policy has none.")
CHECK_RULE(POLICY_BLANK_BEFORE_KEY, STEP_POLICY, "policy-blank-before-key", "B13", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Begin the line with its key.")
CHECK_RULE(POLICY_BLANK_BEFORE_COLON, STEP_POLICY, "policy-blank-before-colon", "B14", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Take the blank before the colon away.")
CHECK_RULE(POLICY_KEY_CASE, STEP_POLICY, "policy-key-case", "B12", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write the key in lower case.")
CHECK_RULE(POLICY_BAD_KEY, STEP_POLICY, "policy-bad-key", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove this line: that is no key.")
CHECK_RULE(POLICY_UNKNOWN_KEY, STEP_POLICY, "policy-unknown-key", "B21", EFFECT_NOTE, EFFECT_NOTE, "",
    "No sender makes use of this key: is it a slip?")
CHECK_RULE(POLICY_SECOND_COLON, STEP_POLICY, "policy-second-colon", "B22", EFFECT_NOTE, EFFECT_NO_POLICY, "go-mtasts",
    "Remove this line.")
CHECK_RULE(POLICY_NO_VALUE, STEP_POLICY, "policy-no-value", "B23", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove this line: it has no value.")
CHECK_RULE(POLICY_BAD_VALUE, STEP_POLICY, "policy-bad-value", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove this line: its value has bytes that no value has.")
CHECK_RULE(POLICY_UTF8, STEP_POLICY, "policy-utf8", "B24", EFFECT_NOTE, EFFECT_NO_POLICY, "resolver",
    "Write the policy in ASCII.")
CHECK_RULE(POLICY_VERSION_NOT_FIRST, STEP_POLICY, "policy-version-not-first", "B8", EFFECT_NOTE, EFFECT_NOTE, "",
    "Put version: STSv1 on the first line: Gmail asks for it.")
CHECK_RULE(POLICY_NO_VERSION, STEP_POLICY, "policy-no-version", "B9", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Begin with the line version: STSv1.")
CHECK_RULE(POLICY_WRONG_VERSION, STEP_POLICY, "policy-wrong-version", "B10", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write version: STSv1.")
CHECK_RULE(POLICY_VERSION_CASE, STEP_POLICY, "policy-version-case", "B11", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write STSv1 in exactly this case.")
CHECK_RULE(POLICY_VERSION_TWICE, STEP_POLICY, "policy-version-twice", "B20", EFFECT_NOTE, EFFECT_NO_POLICY, "KumoMTA",
    "Leave one version line.")
CHECK_RULE(POLICY_NO_MODE, STEP_POLICY, "policy-no-mode", "B28", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Add a line mode: testing, or enforce, or none.")
CHECK_RULE(POLICY_UNKNOWN_MODE, STEP_POLICY, "policy-unknown-mode", "B29", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write testing, enforce or none.")
CHECK_RULE(POLICY_MODE_CASE, STEP_POLICY, "policy-mode-case", "B30", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write the mode in lower case.")
CHECK_RULE(POLICY_MODE_TWICE, STEP_POLICY, "policy-mode-twice", "B18", EFFECT_NOTE, EFFECT_NO_POLICY, "KumoMTA",
    "Leave one mode line: senders differ in which they take.")
CHECK_RULE(POLICY_NO_MX, STEP_POLICY, "policy-no-mx", "B33", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Add an mx line for each MX host.")
CHECK_RULE(POLICY_NONE_WITHOUT_MX, STEP_POLICY, "policy-none-without-mx", "B32", EFFECT_NOTE, EFFECT_STALE, "chasquid, Stalwart, Mimecast",
    "Keep the mx lines of the policy before: chasquid keeps that one otherwise.")
CHECK_RULE(POLICY_MX_DOT, STEP_POLICY, "policy-mx-dot", "M1", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "tlspol, resolver, mailauth, Stalwart, KumoMTA, Mimecast",
    "Take the dot at the end away.")
CHECK_RULE(POLICY_MX_UPPER, STEP_POLICY, "policy-mx-upper", "M2", EFFECT_NOTE, EFFECT_NO_MAIL, "Mimecast",
    "Write the host in lower case.")
CHECK_RULE(POLICY_MX_UTF8, STEP_POLICY, "policy-mx-utf8", "M3", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "mailauth, KumoMTA, Mimecast",
    "Write the host as an A-label (xn--...).")
CHECK_RULE(POLICY_MX_STAR, STEP_POLICY, "policy-mx-star", "M4", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, go-mtasts, chasquid, Stalwart, KumoMTA",
    "Name the MX hosts: * alone stands for none.")
CHECK_RULE(POLICY_MX_INNER_STAR, STEP_POLICY, "policy-mx-inner-star", "M6", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, go-mtasts, chasquid, Stalwart, KumoMTA, Mimecast",
    "A * stands for the whole left-most label and nowhere else: name the hosts.")
CHECK_RULE(POLICY_MX_LEADING_DOT, STEP_POLICY, "policy-mx-leading-dot", "M7", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "mailauth, go-mtasts, chasquid, Stalwart, KumoMTA, Mimecast",
    "Write *. in front instead of the dot.")
CHECK_RULE(POLICY_MX_IPV4, STEP_POLICY, "policy-mx-ipv4", "M8", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, go-mtasts, chasquid, Stalwart, KumoMTA, Mimecast",
    "Write the MX host's name, not its address.")
CHECK_RULE(POLICY_MX_IPV6, STEP_POLICY, "policy-mx-ipv6", "M9", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, chasquid, Stalwart, KumoMTA, Mimecast",
    "Write the MX host's name, not its address.")
CHECK_RULE(POLICY_MX_MANY, STEP_POLICY, "policy-mx-many", "M10", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, go-mtasts, chasquid, Stalwart, KumoMTA, Mimecast",
    "Write an mx line for each host.")
CHECK_RULE(POLICY_MX_UNDERSCORE, STEP_POLICY, "policy-mx-underscore", "M11", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Rename the host: a host's name has no underscore.")
CHECK_RULE(POLICY_MX_EMPTY, STEP_POLICY, "policy-mx-empty", "M12", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Remove the line, or name a host.")
CHECK_RULE(POLICY_MX_BAD, STEP_POLICY, "policy-mx-bad", "", EFFECT_NO_POLICY, EFFECT_NO_MAIL, "resolver, mailauth, go-mtasts, chasquid",
    "Write a host's name.")
CHECK_RULE(POLICY_MX_TWICE, STEP_POLICY, "policy-mx-twice", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "One line for a host is enough.")
CHECK_RULE(POLICY_AGE_ZERO, STEP_POLICY, "policy-age-zero", "A1", EFFECT_NOTE, EFFECT_NO_POLICY, "tlspol, chasquid",
    "Set max_age to a day or more, also where the mode is none.")
CHECK_RULE(POLICY_NO_AGE, STEP_POLICY, "policy-no-age", "A2", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Add a max_age line.")
CHECK_RULE(POLICY_AGE_EMPTY, STEP_POLICY, "policy-age-empty", "A3", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Give max_age a value, in seconds.")
CHECK_RULE(POLICY_AGE_NEGATIVE, STEP_POLICY, "policy-age-negative", "A4", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Set max_age to 86400 to 31557599 seconds.")
CHECK_RULE(POLICY_AGE_OVER, STEP_POLICY, "policy-age-over", "A5", EFFECT_RISK, EFFECT_NO_POLICY, "resolver, mailauth, chasquid",
    "Set max_age to 86400 to 31557599 seconds.")
CHECK_RULE(POLICY_AGE_MAX, STEP_POLICY, "policy-age-max", "A6", EFFECT_NOTE, EFFECT_NOTE, "",
    "Stalwart keeps it for a day; of 31557599 it makes a year.")
CHECK_RULE(POLICY_AGE_DIGITS, STEP_POLICY, "policy-age-digits", "A7", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Set max_age to 86400 to 31557599 seconds.")
CHECK_RULE(POLICY_AGE_UNIT, STEP_POLICY, "policy-age-unit", "A8", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Write max_age in seconds, without a unit.")
CHECK_RULE(POLICY_AGE_BAD, STEP_POLICY, "policy-age-bad", "", EFFECT_NO_POLICY, EFFECT_NO_POLICY, "",
    "Set max_age to 86400 to 31557599 seconds.")
CHECK_RULE(POLICY_AGE_SHORT, STEP_POLICY, "policy-age-short", "A9", EFFECT_NOTE, EFFECT_NOTE, "",
    "Weeks are meant: an attacker needs only to outlast it.")
CHECK_RULE(POLICY_AGE_VERY_SHORT, STEP_POLICY, "policy-age-very-short", "A10", EFFECT_NOTE, EFFECT_NOTE, "",
    "Weeks are meant: an attacker needs only to outlast it.")
CHECK_RULE(POLICY_AGE_TWICE, STEP_POLICY, "policy-age-twice", "B19", EFFECT_NOTE, EFFECT_NO_POLICY, "KumoMTA",
    "Leave one max_age line: senders differ in which they take.")
CHECK_RULE(POLICY_MODE_NONE, STEP_POLICY, "policy-mode-none", "B31", EFFECT_NOTE, EFFECT_NOTE, "",
    "The policy says that there is none: right while it is taken back.")
CHECK_RULE(POLICY_NOT_CONFIGURED, STEP_POLICY, "policy-not-configured", "", EFFECT_STALE, EFFECT_STALE, "",
    "What is served is not what is configured: reload mta-stsd, or look where the policy host leads.")

/* --- mx */

CHECK_RULE(MX_DNS_FAILED, STEP_MX, "mx-dns-failed", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "See to it that the domain's name servers answer: without MX records mail waits.")
CHECK_RULE(MX_MISSING, STEP_MX, "mx-missing", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "The domain has neither MX nor address, and gets no mail.")
CHECK_RULE(MX_NULL, STEP_MX, "mx-null", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "The domain says that it takes no mail (RFC 7505): then it needs no policy.")
CHECK_RULE(MX_IMPLICIT, STEP_MX, "mx-implicit", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "Without MX records mail goes to the domain's own address (RFC 5321 section 5.1): publish an MX record.")
CHECK_RULE(MX_MANY, STEP_MX, "mx-many", "", EFFECT_UNSEEN, EFFECT_UNSEEN, "",
    "Not all of so many MX records were read: senders try a few, the preferred ones.")
CHECK_RULE(MX_NOT_IN_POLICY, STEP_MX, "mx-not-in-policy", "X1", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Add the host to the policy, then change the id; or remove its MX record.")
CHECK_RULE(MX_TWO_LABELS, STEP_MX, "mx-two-labels", "M5", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "A * stands for one label: add an mx line for this host, or *. and all but its first label.")
CHECK_RULE(MX_UPPER, STEP_MX, "mx-upper", "X6", EFFECT_NOTE, EFFECT_NO_MAIL, "Mimecast",
    "Write the MX record in lower case.")
CHECK_RULE(MX_UNUSED, STEP_MX, "mx-unused", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "No MX record has a host for this line: remove it if the host is gone.")

/* --- starttls */

CHECK_RULE(SMTP_DNS_FAILED, STEP_STARTTLS, "smtp-dns-failed", "", EFFECT_RISK, EFFECT_RISK, "",
    "See to it that the name servers answer for this MX host.")
CHECK_RULE(SMTP_NO_ADDRESS, STEP_STARTTLS, "smtp-no-address", "", EFFECT_RISK, EFFECT_RISK, "",
    "Give the MX host an address, or remove its MX record.")
CHECK_RULE(SMTP_LOCAL, STEP_STARTTLS, "smtp-local", "", EFFECT_RISK, EFFECT_RISK, "",
    "Senders elsewhere have no way to it, whatever is seen there from here: give the host a public address. If DNS tells others another one, check with --resolver and a resolver of theirs.")
CHECK_RULE(SMTP_UNSEEN, STEP_STARTTLS, "smtp-unseen", "", EFFECT_UNSEEN, EFFECT_UNSEEN, "",
    "This machine has no way to that address, or others there kept it waiting: check from another machine, this domain alone, or with --no-smtp.")
CHECK_RULE(SMTP_MANY, STEP_STARTTLS, "smtp-many", "", EFFECT_UNSEEN, EFFECT_UNSEEN, "",
    "Not all of so many MX hosts were visited: senders try a few, the preferred ones.")
CHECK_RULE(SMTP_REFUSED, STEP_STARTTLS, "smtp-refused", "", EFFECT_UNSEEN, EFFECT_UNSEEN, "",
    "It does not talk to this machine, whose address or name it may not like: check from one that sends mail, or with --no-smtp. If it answers others the same, look at its log.")
CHECK_RULE(SMTP_DEAD, STEP_STARTTLS, "smtp-dead", "", EFFECT_RISK, EFFECT_RISK, "",
    "Start the mail server on port 25 of this address. If every MX host is out of reach, port 25 may be closed from here: --no-smtp leaves this step out.")
CHECK_RULE(SMTP_BROKEN, STEP_STARTTLS, "smtp-broken", "", EFFECT_RISK, EFFECT_RISK, "",
    "The mail server does not speak SMTP as it should: look at its log.")
CHECK_RULE(SMTP_NO_STARTTLS, STEP_STARTTLS, "smtp-no-starttls", "X5", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Turn STARTTLS on (Postfix: smtpd_tls_security_level = may).")
CHECK_RULE(SMTP_TLS_FAILED, STEP_STARTTLS, "smtp-tls-failed", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Look at the mail server's log: the handshake fails.")
CHECK_RULE(SMTP_WRONG_NAME, STEP_STARTTLS, "smtp-wrong-name", "X2", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Get a certificate that has the MX host's own name.")
CHECK_RULE(SMTP_NO_SAN, STEP_STARTTLS, "smtp-no-san", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Get a certificate that has the MX host as a subject alternative name: the common name is not looked at.")
CHECK_RULE(SMTP_EXPIRED, STEP_STARTTLS, "smtp-expired", "X3", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Renew the certificate, and have the mail server read it.")
CHECK_RULE(SMTP_NOT_YET, STEP_STARTTLS, "smtp-not-yet", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Wait until the certificate is valid, or get another; look at the clocks.")
CHECK_RULE(SMTP_SELF_SIGNED, STEP_STARTTLS, "smtp-self-signed", "X4", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Get a certificate from a CA that everybody trusts.")
CHECK_RULE(SMTP_NO_INTERMEDIATE, STEP_STARTTLS, "smtp-no-intermediate", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Send the intermediate certificates too: fullchain.pem, not cert.pem.")
CHECK_RULE(SMTP_UNTRUSTED, STEP_STARTTLS, "smtp-untrusted", "", EFFECT_NO_MAIL, EFFECT_NO_MAIL, "",
    "Get a certificate from a CA that everybody trusts, and send its whole chain.")
CHECK_RULE(SMTP_ENDS_SOON, STEP_STARTTLS, "smtp-ends-soon", "", EFFECT_RISK, EFFECT_RISK, "",
    "Renew the certificate now.")

/* --- reports */

CHECK_RULE(REPORTS_MISSING, STEP_REPORTS, "reports-missing", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "Publish the record, and read the reports before you enforce: mta-sts dns prints it where rua is configured.")
CHECK_RULE(REPORTS_ALMOST, STEP_REPORTS, "reports-almost", "", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "It has to begin with v=TLSRPTv1; in exactly these characters.")
CHECK_RULE(REPORTS_DNS_FAILED, STEP_REPORTS, "reports-dns-failed", "", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "See to it that the domain's name servers answer.")
CHECK_RULE(REPORTS_TWO, STEP_REPORTS, "reports-two", "R1", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Leave one record that begins with v=TLSRPTv1; and write all addresses into it, with commas between.")
CHECK_RULE(REPORTS_BLANK_BEFORE_SEMICOLON, STEP_REPORTS, "reports-blank-before-semicolon", "R5", EFFECT_RISK, EFFECT_NO_REPORTS, "tlsrpt-reporter",
    "Write v=TLSRPTv1; without a blank before the semicolon.")
CHECK_RULE(REPORTS_VERSION_CASE, STEP_REPORTS, "reports-version-case", "R7", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Write v=TLSRPTv1 in exactly this case.")
CHECK_RULE(REPORTS_BAD_FIELD, STEP_REPORTS, "reports-bad-field", "", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Remove it: the version and rua are all that is needed.")
CHECK_RULE(REPORTS_UNKNOWN_FIELD, STEP_REPORTS, "reports-unknown-field", "", EFFECT_NOTE, EFFECT_NOTE, "",
    "No sender makes use of this field: is it a slip?")
CHECK_RULE(REPORTS_NO_RUA, STEP_REPORTS, "reports-no-rua", "R3", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Add rua=mailto: and an address that reads the reports.")
CHECK_RULE(REPORTS_RUA_NOT_SECOND, STEP_REPORTS, "reports-rua-not-second", "R4", EFFECT_NOTE, EFFECT_NO_REPORTS, "tlsrpt-reporter",
    "Put rua straight behind the version.")
CHECK_RULE(REPORTS_RUA_TWICE, STEP_REPORTS, "reports-rua-twice", "", EFFECT_RISK, EFFECT_NO_REPORTS, "mox",
    "Write one rua, with commas between the addresses.")
CHECK_RULE(REPORTS_RUA_COMMA, STEP_REPORTS, "reports-rua-comma", "R8", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Write a comma within an address as %2C, and mailto: in front of each address.")
CHECK_RULE(REPORTS_RUA_BANG, STEP_REPORTS, "reports-rua-bang", "R9", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Take the ! and what follows it away: that is DMARC's.")
CHECK_RULE(REPORTS_RUA_HTTP_ALONE, STEP_REPORTS, "reports-rua-http-alone", "R10", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Write mailto: and an address; http: is not taken.")
CHECK_RULE(REPORTS_RUA_HTTP, STEP_REPORTS, "reports-rua-http", "R11", EFFECT_RISK, EFFECT_NO_REPORTS, "tlsrpt-reporter",
    "Remove the http: URI.")
CHECK_RULE(REPORTS_RUA_BAD, STEP_REPORTS, "reports-rua-bad", "", EFFECT_NO_REPORTS, EFFECT_NO_REPORTS, "",
    "Write mailto: and an address, or https: and a URL.")
CHECK_RULE(REPORTS_RUA_HTTPS_ALONE, STEP_REPORTS, "reports-rua-https-alone", "R12", EFFECT_NOTE, EFFECT_NO_REPORTS, "mox",
    "Add a mailto: URI.")

/* clang-format on */
