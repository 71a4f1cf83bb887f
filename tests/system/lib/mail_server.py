"""An SMTP server on loopback that offers STARTTLS, or does not, with the certificate that a test gives it."""

import socket
import ssl
import threading


class MailServer:
    """pair: of lib.pki; None: no STARTTLS is offered. visits: how often somebody came."""

    def __init__(self, folder, pair=None):
        self.visits = 0
        self._context = None
        if pair is not None:
            (folder / "smtp.pem").write_bytes(pair.key_pem() + pair.chain_pem())
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(folder / "smtp.pem")
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self):
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.visits += 1
            try:
                self._talk(peer)
            except (OSError, ValueError):
                pass  # who does not trust it goes away
            finally:
                peer.close()

    def _talk(self, peer):
        peer.settimeout(10)
        peer.sendall(b"220 mail ESMTP\r\n")
        lines = peer.makefile("rb")
        for line in lines:
            word = line.split()[0].upper()
            if word == b"EHLO":
                peer.sendall(b"250-mail\r\n250 STARTTLS\r\n" if self._context else b"250 mail\r\n")
            elif word == b"STARTTLS" and self._context:
                peer.sendall(b"220 go\r\n")
                with self._context.wrap_socket(peer, server_side=True) as secure:
                    self._talk_on(secure)
                return
            else:
                peer.sendall(b"221 bye\r\n" if word == b"QUIT" else b"502 no\r\n")

    def _talk_on(self, secure):
        for line in secure.makefile("rb"):
            word = line.split()[0].upper()
            secure.sendall(b"250 mail\r\n" if word == b"EHLO" else b"221 bye\r\n")
            if word == b"QUIT":
                return
