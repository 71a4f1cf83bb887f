"""ACME HTTP-01 answers (RFC 8555 section 8.3): the token's file, or TOKEN.THUMBPRINT, and nothing else."""

import os
import re
import shutil
import socket
import time

import pytest

from lib.client import connect, plain, request
from lib.processes import stopped
from lib.server import ORG, Server

PREFIX = "/.well-known/acme-challenge/"
TOKEN = "evaGxfADs6pSRb2LAv9IZf17Dt3juxGJ-PCt92wr_oA"
CONTENT = TOKEN.encode() + b".9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
THUMBPRINT = "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI"
SECRET = b"not for the world"
ACME = ["127.0.0.2:0"]  # a name of its own beside the HTTPS listener's


def get(server, path, host="example.net", method="GET", **options):
    with plain(server.acme) as connection:
        return connection.ask(host, path, method, **options)


def get_token(server, token=TOKEN, **options):
    return get(server, PREFIX + token, **options)


def put(folder, token=TOKEN, content=CONTENT, mode=0o644):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / token
    path.write_bytes(content)
    path.chmod(mode)
    return path


@pytest.fixture(scope="module")
def server(make_site):
    site = make_site()
    site.configure(ORG, acme=ACME, server=f"acme_dir = {site.acme}")
    put(site.acme)
    with Server(site) as running:
        yield running


@pytest.fixture
def folder(server):
    """The folder of the tokens, where a test puts what it likes."""
    return server.site.acme


# --- the file

@pytest.mark.parametrize("host", ["example.org", "mta-sts.example.org", "nobody.example", "127.0.0.1:80"])
def test_a_token_is_answered_for_any_host(server, host):
    response = get_token(server, host=host)
    assert (response.status, response.body) == (200, CONTENT)
    assert response.headers["content-type"] == "application/octet-stream"


def test_head_has_the_length_and_no_body(server):
    with plain(server.acme) as connection:
        head = connection.ask("x.example", PREFIX + TOKEN, "HEAD")
        assert (head.status, head.headers["content-length"]) == (200, str(len(CONTENT)))
        assert connection.ask("x.example", PREFIX + TOKEN).body == CONTENT


def test_a_query_changes_nothing_and_http_1_0_will_do(server):
    assert get_token(server, TOKEN + "?x=y").body == CONTENT
    assert get_token(server, host=None, version="HTTP/1.0").body == CONTENT


def test_the_bytes_of_the_file_are_the_answer(server, folder):
    content = bytes(range(256)) * 16
    put(folder, "binary", content)
    assert len(content) == 4096
    assert get_token(server, "binary").body == content


@pytest.mark.parametrize("token", ["a", "-", "_", "a" * 128, "0-_Z"])
def test_tokens_of_the_base64url_alphabet(server, folder, token):
    put(folder, token)
    assert get_token(server, token).body == CONTENT


# --- everything else is not found

OTHERS = ["/", "/.well-known/mta-sts.txt", PREFIX, PREFIX[:-1], "/.well-known/", "//", f"{PREFIX}/{TOKEN}",
          f"/.well-known/acme-challenge//{TOKEN}", f"/x{PREFIX}{TOKEN}", f"{PREFIX.upper()}{TOKEN}",
          f"{PREFIX}nothing", f"{PREFIX}{TOKEN}/", f"{PREFIX}{TOKEN}.", f"/?{PREFIX}{TOKEN}"]


@pytest.mark.parametrize("path", OTHERS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_another_path_is_not_found(server, path, method):
    assert get(server, path, method=method).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_another_method_is_not_found(server, method):
    assert get_token(server, method=method).status == 404


def test_policies_are_not_served_without_tls(server):
    response = get(server, "/.well-known/mta-sts.txt", "mta-sts.example.org")
    assert response.status == 404
    assert b"STSv1" not in response.body


@pytest.mark.parametrize("bad", [b"GET /\r\n\r\n", request(None), b"\0\0\0\r\n\r\n", b"\x16\x03\x01\x00\x05hello\r\n"])
def test_what_is_malformed_is_a_bad_request(server, bad):
    with plain(server.acme) as connection:
        connection.send(bad)
        assert connection.response().status == 400
        assert connection.rest() == b""


@pytest.mark.parametrize("token", [
    "..", ".", "../secret", "..%2fsecret", "%2e%2e/secret", "%2e%2e%2fsecret", "..%2Fsecret", "%2E%2E%2Fsecret",
    "..%252fsecret", "%c0%ae%c0%ae/secret", "..\\secret", "..%5csecret", "./" + TOKEN, "x/../" + TOKEN,
    "../acme/" + TOKEN, "%2e/" + TOKEN, "%65" + TOKEN[1:], TOKEN + "%00", TOKEN + "%00.txt", "%00" + TOKEN,
    TOKEN + "%20", TOKEN + "%0a", "/etc/passwd", "%2fetc%2fpasswd", "....//secret", "~", "*", TOKEN + ";x",
    "a" * 129, "a" * 1000, TOKEN + "=", "sub/file", "sub", ".hidden", "with.dot"])
def test_no_path_trick_leaves_the_folder(server, folder, token):
    put(folder.parent, "secret", SECRET)
    put(folder / "sub", "file", SECRET)
    for name in (".hidden", "with.dot", "a" * 129):
        put(folder, name, SECRET)
    # a backslash is no byte of a target and so a bad request; all others are read and not found
    expected = {400} if "\\" in token else {404}
    response = get_token(server, token)
    assert response.status in expected
    assert SECRET not in response.body and CONTENT not in response.body


def test_a_nul_in_the_target_is_a_bad_request(server):
    with plain(server.acme) as connection:
        connection.send(request("x.example", PREFIX + TOKEN + "\0"))
        assert connection.response().status == 400


def test_an_overlong_target_is_too_long(server):
    assert get_token(server, "a" * 8000).status == 414


# --- what lies in the folder may be anybody's doing

def test_links_are_not_followed(server, folder):
    secret = put(folder.parent, "secret", SECRET)
    (folder / "link").symlink_to(secret)
    (folder / "link-to-token").symlink_to(TOKEN)
    (folder / "dangling").symlink_to("nothing")
    for token in ("link", "link-to-token", "dangling"):
        assert get_token(server, token).status == 404


@pytest.mark.parametrize("link", [".well-known", ".well-known/acme-challenge"])
def test_links_below_the_webroot_are_not_followed(site, serve, link):
    private = site.folder / "private"
    put(private if link == ".well-known/acme-challenge" else private / "acme-challenge", "token", SECRET)
    private.chmod(0o700)
    server = serve(ORG, acme=ACME, server=f"acme_webroot = {site.acme}")
    put(site.acme / ".well-known" / "acme-challenge")
    assert get_token(server).body == CONTENT
    shutil.rmtree(site.acme / link)
    (site.acme / link).symlink_to(private)
    assert get_token(server, "token").status == 404
    server.wait_for(r"ACME token token is not taken: it, or a directory below acme_webroot, is a symbolic link")


def test_a_link_into_proc_shows_nothing_of_the_keeper(site, serve):
    server = serve(ORG, acme=ACME, server=f"acme_webroot = {site.acme}")
    (site.acme / ".well-known").mkdir(parents=True)
    (site.acme / ".well-known" / "acme-challenge").symlink_to("/proc/self")
    for token in ("maps", "status", "cmdline"):
        assert get_token(server, token).status == 404


def test_hard_links_are_not_served(server, folder):
    os.link(put(folder.parent, "linked-secret", SECRET), folder / "hard")
    assert get_token(server, "hard").status == 404


def test_fifos_folders_and_sockets_are_not_served(server, folder):
    os.mkfifo(folder / "fifo", 0o666)
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        here = os.open(folder, os.O_PATH)
        listening.bind(f"/proc/self/fd/{here}/socket")  # the path itself may be too long for bind
        os.close(here)
    for token in ("fifo", "folder", "socket"):
        assert get_token(server, token).status == 404
    assert get_token(server).status == 200


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o660, 0o000, 0o641])
def test_what_the_world_may_not_read_is_not_served(server, folder, mode):
    name = f"mode-{mode:o}"
    put(folder, name, SECRET, mode)
    assert get_token(server, name).status == 404


def test_what_is_empty_or_over_4_kilobytes_is_not_served(server, folder):
    put(folder, "empty", b"")
    put(folder, "large", b"x" * 4097)
    assert get_token(server, "empty").status == 404
    assert get_token(server, "large").status == 404


# --- folders that come and go

def test_acme_webroot_is_the_folder_above_well_known(site, serve):
    server = serve(ORG, acme=ACME, server=f"acme_webroot = {site.acme}")
    assert get_token(server).status == 404, "nothing is there yet"
    put(site.acme / ".well-known" / "acme-challenge")
    assert get_token(server).body == CONTENT
    put(site.acme, "top", SECRET)
    assert get_token(server, "top").status == 404


def test_the_folder_may_come_and_go(site, serve):
    # certbot makes and removes it for each challenge
    server = serve(ORG, acme=ACME, server=f"acme_webroot = {site.acme}")
    for round in range(3):
        put(site.acme / ".well-known" / "acme-challenge", content=b"round %d" % round)
        assert get_token(server).body == b"round %d" % round
        shutil.rmtree(site.acme)
        assert get_token(server).status == 404


def test_a_folder_swapped_for_another_is_the_one_that_counts(site, serve):
    server = serve(ORG, acme=ACME, server=f"acme_dir = {site.acme}")
    put(site.acme)
    assert get_token(server).body == CONTENT
    site.acme.rename(site.folder / "old")
    put(site.acme, content=b"another")
    assert get_token(server).body == b"another"


def test_the_folder_itself_may_be_a_link(site, serve):
    # only a token's own name may not be one
    put(site.folder / "elsewhere")
    site.acme.symlink_to("elsewhere")
    server = serve(ORG, acme=ACME, server=f"acme_dir = {site.acme}")
    assert get_token(server).body == CONTENT


LINK = (r"/acme/\.well-known is a symbolic link, and links below acme_webroot are not followed: set acme_dir to the "
        r"directory that the link leads to$")


def test_a_webroot_with_a_link_below_is_a_warning(site, serve):
    site.acme.mkdir()
    (site.acme / ".well-known").symlink_to("/proc")
    server = serve(ORG, acme=ACME, server=f"acme_webroot = {site.acme}")
    server.wait_for(r"mta-stsd\.ini:5: warning: .*" + LINK)
    status, lines = site.test()
    assert status == 0 and any(re.search(r"mta-stsd\.ini:5: warning: .*" + LINK, line) for line in lines)


@pytest.mark.parametrize("key", ["acme_webroot", "acme_dir"])
def test_a_missing_folder_is_a_warning(site, serve, key):
    warning = rf"mta-stsd\.ini:5: warning: {key} = {site.acme}: No such file or directory$"
    server = serve(ORG, acme=ACME, server=f"{key} = {site.acme}")
    server.wait_for(warning)
    status, lines = site.test()
    assert status == 0 and any(re.search(warning, line) for line in lines)
    site.acme.mkdir()
    since = server.mark()
    site.configure(ORG, acme=ACME, server=f"{key} = {site.acme}\nmax_tls = 100")
    assert server.reload().startswith("ready: generation 2")
    assert server.messages("warning", since) == []
    site.acme.rmdir()
    site.configure(ORG, acme=ACME, server=f"{key} = {site.acme}")
    assert server.reload().startswith("ready: generation 3")
    server.wait_for(warning, since=since)
    assert not any("acme" in line for line in site.configure(ORG).test()[1]), "no key, no warning"


def test_a_keeper_that_stands_still_is_not_waited_for(site, serve):
    put(site.acme)
    server = serve(ORG, acme=ACME, server=f"acme_dir = {site.acme}")
    assert get_token(server).status == 200
    with stopped(*server.children()):
        before = time.monotonic()
        assert get_token(server).status in (404, 503)
        assert 0.8 < time.monotonic() - before < 3
        assert get(server, "/").status == 404  # and who asks for no token does not wait
    assert get_token(server).body == CONTENT


def test_a_token_is_read_anew_each_time(server, folder):
    with plain(server.acme) as connection:
        for content in (b"one", b"two"):
            put(folder, "changing", content)
            assert connection.ask("x.example", PREFIX + "changing").body == content
        (folder / "changing").unlink()
        assert connection.ask("x.example", PREFIX + "changing").status == 404


# --- without files

def test_a_thumbprint_answers_any_token(serve):
    server = serve(ORG, acme=ACME, server=f"acme_thumbprint = {THUMBPRINT}")
    response = get_token(server)
    assert (response.status, response.body) == (200, f"{TOKEN}.{THUMBPRINT}".encode())
    assert get_token(server, "a" * 128).status == 200
    assert get_token(server, method="HEAD").status == 200
    for token in ("", "a" * 129, "a.b", "%61", "a/b"):
        assert get_token(server, token).status == 404, token
    assert get(server, "/").status == 404


def test_a_file_goes_before_the_thumbprint(site, serve):
    server = serve(ORG, acme=ACME, server=f"acme_dir = {site.acme}\nacme_thumbprint = {THUMBPRINT}")
    assert get_token(server).body == f"{TOKEN}.{THUMBPRINT}".encode()
    put(site.acme, content=b"the file")
    assert get_token(server).body == b"the file"


def test_without_folder_and_thumbprint_nothing_is_found(serve):
    server = serve(ORG, acme=ACME)
    assert get_token(server).status == 404


# --- the listener

def test_over_ipv6(site, serve):
    server = serve(ORG, acme=["[::1]:0"], server=f"acme_dir = {site.acme}")
    put(site.acme)
    assert server.acme[0] == "::1"
    assert get_token(server).body == CONTENT


def test_pipelined_tokens_are_answered_in_order(server, folder):
    for number in range(10):
        put(folder, f"pipelined{number}", b"%d" % number)
    with plain(server.acme) as connection:
        connection.send(b"".join(request("x.example", f"{PREFIX}pipelined{number}") for number in range(10)))
        assert [connection.response().body for _ in range(10)] == [b"%d" % number for number in range(10)]


def test_no_answer_is_lost_to_a_reset(server):
    with plain(server.acme) as connection:
        connection.send(request("x.example", PREFIX + TOKEN, headers=["Content-Length: 400000"]),
                        b"x" * 400000)
        assert connection.response().body == CONTENT
        assert connection.rest() == b""


def test_clients_that_leave_while_the_keeper_is_asked_do_not_matter(server):
    for _ in range(50):
        with connect(server.acme) as stream:
            stream.sendall(request("x.example", PREFIX + TOKEN))
    assert get_token(server).body == CONTENT
