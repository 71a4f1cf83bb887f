"""TXT records of MTA-STS (rows D), and what DNS does to them."""

from lib.setups.setup import ALL, Setup


def text(name, how, record, codes, counts, rows="", why=""):
    """A set-up whose record, or records, are these strings."""
    records = (record,) if isinstance(record, str) else record
    return Setup(name, how, codes, counts, rows, why, record=tuple(f'TXT "{record}"' for record in records))


def fails(name, how, trick):
    """A set-up whose record nobody gets, for what the name server does."""
    return Setup(name, how, "record-dns-failed", "", "D22", dns={"_mta-sts.@": trick})


TAKES_ANY = "resolver asks no more than that there is an id"
TAKES_FIELDS = "resolver takes whatever stands beside the fields it knows"

SETUPS = [
    Setup("no-record", "no TXT record", "record-missing", "", record=()),
    text("two-records", "two records that begin v=STSv1;", ("v=STSv1; id=1;", "v=STSv1; id=2;"), "record-two", "",
         "D1"),
    text("beside", "another TXT record beside", ("v=STSv1; id=1;", "google-site-verification=x"), "record-beside",
         "rfc resolver", "D2", "go-mtasts wants one record; KumoMTA joins them all"),
    Setup("split", "the record is two strings", "record-split", "rfc resolver", "D3",
          "Mimecast joins them with a blank", record=('TXT "v=STSv1; id=" "1;"',)),
    text("no-id", "no id", "v=STSv1;", "record-no-id", "", "D4"),
    text("empty-id", "id= and nothing", "v=STSv1; id=;", "record-empty-id", "resolver", "D5", TAKES_ANY),
    text("long-id", "id of 33 characters", f"v=STSv1; id={'1' * 33};", "record-long-id", "resolver", "D6", TAKES_ANY),
    text("bad-id", "id with -", "v=STSv1; id=2026-11-24;", "record-bad-id", "resolver", "D7", TAKES_ANY),
    text("blank-before", "blank before the first ;", "v=STSv1 ; id=1;", "record-blank-before-semicolon", "rfc resolver",
         "D10", "the ABNF allows it, and the text does not; chasquid and Halon look for v=STSv1;"),
    text("blank-at-end", "blank at the end, no ; before it", "v=STSv1; id=1 ", "record-blank-at-end", "resolver", "D11",
         TAKES_FIELDS),
    text("blank-after-last", "blank behind the last ;", "v=STSv1; id=1; ", "record-blank-after-last", "rfc resolver",
         "D12", "KumoMTA reads a field without = there"),
    text("empty-field", ";;", "v=STSv1;; id=1;", "record-empty-field", "resolver", "D13", TAKES_FIELDS),
    text("capital-v", "V=STSv1", "V=STSv1; id=1;", "record-version-name-case", "", "D14"),
    text("version-case", "v=stsv1", "v=stsv1; id=1;", "record-version-case", "", "D15"),
    text("v-not-first", "v behind id", "id=1; v=STSv1;", "record-version-not-first", "", "D16"),
    text("quoted", "quotation marks in the record", r"\"v=STSv1; id=1;\"", "record-almost", ""),
    text("blank-in-front", "blank in front", " v=STSv1; id=1;", "record-almost", ""),
    text("unknown-field", "unknown field", "v=STSv1; id=1; a=b;", "record-unknown-field", ALL, "D17"),
    text("colon", "unknown field with a : in its value", "v=STSv1; id=1; a=b:c;", "record-colon", "rfc resolver", "D18",
         "mailauth takes what stands before : for a header's name"),
    text("no-equals", "a word without = between ;", "v=STSv1; id=1; word;", "record-no-equals", "resolver", "D19",
         TAKES_FIELDS),
    text("bad-field", "a blank in a field's name", "v=STSv1; id=1; a b=c;", "record-bad-field", "resolver", "",
         TAKES_FIELDS),
    text("id-twice", "id twice", "v=STSv1; id=1; id=2;", "record-id-twice", "rfc resolver", "D20",
         "mox refuses what it has not read"),

    # --- what DNS does
    fails("servfail", "SERVFAIL for the record", "servfail"),
    fails("refused", "REFUSED for the record", "refused"),
    fails("silent", "no answer for the record", "silent"),
    fails("wrong-id", "an answer whose id is not the question's", "wrong-id"),
    fails("wrong-question", "an answer to another question", "wrong-question"),
    fails("garbage", "bytes that are no DNS", "garbage"),
    fails("cut", "an answer too long for UDP, and no TCP", "truncated-alone"),
    Setup("other-name", "an answer with a record of another name", "record-dns-failed", "resolver", "",
          "c-ares, by which resolver asks, takes a record of any name", dns={"_mta-sts.@": "other-name"}),
    Setup("circle", "CNAMEs that lead in a circle", "record-dns-failed", "", "D22",
          record=("CNAME circle.@.",), more=("circle.@. CNAME _mta-sts.@.",)),
]
