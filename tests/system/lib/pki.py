"""Certificates of every kind that a server meets, from a throw-away CA: root, intermediate, leaf."""

import base64
import datetime
import functools
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID


@functools.lru_cache(maxsize=None)
def rsa_key(bits=2048, index=0):
    """RSA keys take long to make: one for each size and index, kept for the whole run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def new_key(kind):
    """kind: "p256", "p384", "p521", "rsa2048" (and other sizes) or "ed25519"."""
    if kind == "p256":
        return ec.generate_private_key(ec.SECP256R1())
    if kind == "p384":
        return ec.generate_private_key(ec.SECP384R1())
    if kind == "p521":
        return ec.generate_private_key(ec.SECP521R1())
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind.startswith("rsa"):
        return rsa_key(int(kind[3:]))
    raise ValueError(kind)


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _now():
    # cryptography takes times without a zone as UTC, in all its versions
    return datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0, tzinfo=None)


def _certificate(subject, public_key, issuer, issuer_key, start, end, extensions):
    builder = (x509.CertificateBuilder()
               .subject_name(_name(subject)).issuer_name(issuer)
               .public_key(public_key).serial_number(x509.random_serial_number())
               .not_valid_before(start).not_valid_after(end)
               .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
               .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                   issuer_key.public_key()), critical=False))
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(issuer_key, hashes.SHA256())


class _Issuer:
    def __init__(self, name, issuer=None):
        self.key = new_key("p256")
        usage = x509.KeyUsage(key_cert_sign=True, crl_sign=True, digital_signature=False,
                              content_commitment=False, key_encipherment=False,
                              data_encipherment=False, key_agreement=False,
                              encipher_only=False, decipher_only=False)
        self.certificate = _certificate(
            name, self.key.public_key(),
            issuer.certificate.subject if issuer else _name(name),
            issuer.key if issuer else self.key,
            _now() - datetime.timedelta(days=1000), _now() + datetime.timedelta(days=1000),
            [(x509.BasicConstraints(ca=True, path_length=None), True), (usage, True)])


class Authority:
    """A CA as the public ones are: leaves come from an intermediate, clients know only the root."""

    def __init__(self):
        self.root = _Issuer("Test root")
        self.intermediate = _Issuer("Test intermediate", self.root)

    def root_pem(self):
        return self.root.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, *names, kind="p256", days=90, since=-1, common_name=None, key=None):
        """A pair whose SANs are names, valid from since to days, both counted from now."""
        key = key or new_key(kind)
        leaf = _certificate(
            common_name or names[0], key.public_key(),
            self.intermediate.certificate.subject, self.intermediate.key,
            _now() + datetime.timedelta(days=since), _now() + datetime.timedelta(days=days),
            _of_leaf(names))
        return Pair(key, [leaf, self.intermediate.certificate])


def _of_leaf(names):
    extensions = [(x509.BasicConstraints(ca=False, path_length=None), True),
                  (x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]), False)]
    if names:
        extensions.append((x509.SubjectAlternativeName([x509.DNSName(n) for n in names]), False))
    return extensions


def self_signed(*names):
    """A pair for names that nobody has signed but itself."""
    key = new_key("p256")
    leaf = _certificate(names[0], key.public_key(), _name(names[0]), key, _now() - datetime.timedelta(days=1),
                        _now() + datetime.timedelta(days=90), _of_leaf(names))
    return Pair(key, [leaf])


class Pair:
    """A leaf, what signed it, and its key."""

    def __init__(self, key, chain):
        self.key = key
        self.chain = chain

    def with_chain(self, *chain):
        return Pair(self.key, list(chain))

    def with_key(self, key):
        return Pair(key, self.chain)

    @property
    def leaf(self):
        return self.chain[0]

    def leaf_der(self):
        """The bytes that a client sees as its peer's certificate."""
        return self.leaf.public_bytes(serialization.Encoding.DER)

    def chain_pem(self):
        return b"".join(c.public_bytes(serialization.Encoding.PEM) for c in self.chain)

    def key_pem(self):
        return self.key.private_bytes(serialization.Encoding.PEM,
                                      serialization.PrivateFormat.PKCS8,
                                      serialization.NoEncryption())

    def mixed_key_pem(self):
        """A P-256 key of which the file says that it is the certificate's, and which is another."""
        def private(key):
            return key.private_numbers().private_value.to_bytes(32, "big")
        der = self.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                     serialization.NoEncryption())
        mixed = der.replace(private(self.key), private(new_key("p256")))
        assert mixed != der
        return b"-----BEGIN PRIVATE KEY-----\n%b-----END PRIVATE KEY-----\n" % base64.encodebytes(mixed)

    def write(self, folder, certificate="fullchain.pem", key="privkey.pem", key_mode=0o600):
        """Writes both files so that each appears whole. key=None: the key goes into the certificate's file."""
        folder.mkdir(parents=True, exist_ok=True)
        if key is None:
            replace(folder / certificate, self.chain_pem() + self.key_pem(), key_mode)
            return
        replace(folder / key, self.key_pem(), key_mode)
        replace(folder / certificate, self.chain_pem(), 0o644)


def replace(path, content, mode=0o644):
    """Puts content at path in one step, as a careful ACME client does."""
    new = path.with_name(path.name + ".new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, mode)  # whatever the umask is
        file.write(content)
    os.replace(new, path)
