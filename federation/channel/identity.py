"""Who a party is: a certificate of the consortium's own authority, and its key.

The organisation stands in the certificate's subject alternative name as one URI,
`tally:org:<id>`; nothing else of the certificate says who somebody is (RFC 5280, section
4.2.1.6; RFC 6125 on why not the subject).
"""

from __future__ import annotations

import os
import re
import secrets
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from federation.channel.errors import IdentityInvalid

URI_PREFIX = "tally:org:"
APPLICATION = "tally-channel/1"
"""Name of the protocol within TLS (ALPN, RFC 7301): no other service's connection is taken."""

_ORGANISATION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_FILES = ("certificate.pem", "key.pem", "authority.pem")
_PEM_BYTES_MAX = 1 << 16


@dataclass(frozen=True, slots=True)
class Identity:
    """What a party shows and what it believes. The key is shown in no representation."""

    organisation: str
    certificate_pem: bytes
    key_pem: bytes = field(repr=False)
    authority_pem: bytes
    """The only authority whose certificates are believed."""


def check_organisation(organisation: str) -> str:
    """The id, if it may stand in a certificate. Raises `IdentityInvalid`."""
    if not _ORGANISATION.fullmatch(organisation):
        raise IdentityInvalid(organisation[:128], "its id may not stand in a certificate")
    return organisation


def organisation_of(certificate: x509.Certificate) -> str:
    """The one organisation that a certificate names. Raises `IdentityInvalid`."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        uris = extension.value.get_values_for_type(x509.UniformResourceIdentifier)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError) as error:
        raise IdentityInvalid("", "a certificate without an organisation") from error
    if len(uris) != 1 or not uris[0].startswith(URI_PREFIX):
        raise IdentityInvalid("", f"a certificate must name one organisation as {URI_PREFIX}<id>")
    return check_organisation(uris[0].removeprefix(URI_PREFIX))


def organisation_of_der(data: bytes) -> str:
    """The same from DER. Raises `IdentityInvalid`."""
    try:
        certificate = x509.load_der_x509_certificate(data)
    except ValueError as error:
        raise IdentityInvalid("", "a certificate that cannot be read") from error
    return organisation_of(certificate)


def new_request(organisation: str) -> tuple[bytes, bytes]:
    """A new key and the request for its certificate (PKCS#10), both PEM.

    The request goes to the authority; the key stays. Raises `IdentityInvalid`.
    """
    check_organisation(organisation)
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder()
        .subject_name(x509.Name([]))
        .add_extension(organisation_name(organisation), critical=True)
        .sign(key, SHA256())
    )
    return private_pem(key), request.public_bytes(serialization.Encoding.PEM)


def organisation_name(organisation: str) -> x509.SubjectAlternativeName:
    """The extension that names an organisation."""
    return x509.SubjectAlternativeName([x509.UniformResourceIdentifier(URI_PREFIX + organisation)])


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as PKCS#8 PEM, not encrypted."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def load_key(pem: bytes, organisation: str) -> ec.EllipticCurvePrivateKey:
    """A P-256 key from PEM. Raises `IdentityInvalid`."""
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise IdentityInvalid(organisation, "its key cannot be read") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise IdentityInvalid(organisation, "its key is no key of an elliptic curve")
    return key


def make_identity(certificate_pem: bytes, key_pem: bytes, authority_pem: bytes) -> Identity:
    """Put together what the authority answered and the key that was kept.

    Raises `IdentityInvalid` where key, certificate and authority do not belong together.
    """
    try:
        certificate = x509.load_pem_x509_certificate(certificate_pem)
        authority = x509.load_pem_x509_certificate(authority_pem)
    except ValueError as error:
        raise IdentityInvalid("", "a certificate cannot be read") from error
    organisation = organisation_of(certificate)
    if load_key(key_pem, organisation).public_key() != certificate.public_key():
        raise IdentityInvalid(organisation, "its certificate is of another key")
    try:
        certificate.verify_directly_issued_by(authority)
    except Exception as error:  # ValueError, TypeError or InvalidSignature: all mean no
        raise IdentityInvalid(organisation, "its certificate is of another authority") from error
    return Identity(organisation, certificate_pem, key_pem, authority_pem)


def save_identity(identity: Identity, folder: Path) -> None:
    """Write an identity's files, the key readable by its owner alone. Nothing is overwritten.

    Raises `IdentityInvalid` where the folder has one already.
    """
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    contents = (identity.certificate_pem, identity.key_pem, identity.authority_pem)
    for name, content in zip(_FILES, contents, strict=True):
        try:
            handle = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            reason = f"{folder.name}/{name} is there already; nothing is overwritten"
            raise IdentityInvalid(identity.organisation, reason) from error
        with os.fdopen(handle, "wb") as file:
            file.write(content)


def load_identity(folder: Path) -> Identity:
    """Read what `save_identity` wrote. Raises `IdentityInvalid`, also for a key others may read."""
    contents = []
    for name in _FILES:
        path = folder / name
        try:
            with path.open("rb") as file:
                contents.append(file.read(_PEM_BYTES_MAX))
            mode = path.stat().st_mode
        except OSError as error:
            reason = f"{folder.name}/{name} cannot be read: {error.strerror}"
            raise IdentityInvalid("", reason) from error
        if name == "key.pem" and os.name == "posix" and mode & 0o077:
            raise IdentityInvalid("", f"others may read {folder.name}/{name}: set its mode to 600")
    return make_identity(*contents)


def tls_context(identity: Identity, *, server_side: bool) -> ssl.SSLContext:
    """TLS 1.3 alone, both sides with certificates, the consortium's authority alone believed.

    Raises `IdentityInvalid`.
    """
    purpose = ssl.PROTOCOL_TLS_SERVER if server_side else ssl.PROTOCOL_TLS_CLIENT
    context = ssl.SSLContext(purpose)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # who it is, is checked by `organisation_of_der`
    context.verify_mode = ssl.CERT_REQUIRED
    context.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT
    context.set_alpn_protocols([APPLICATION])
    if server_side:
        context.num_tickets = 0  # every connection shows its certificates anew
    try:
        context.load_verify_locations(cadata=identity.authority_pem.decode("ascii"))
        _load_own(context, identity)
    except (ssl.SSLError, ValueError) as error:
        reason = f"certificate, key and authority do not fit together: {error}"
        raise IdentityInvalid(identity.organisation, reason) from error
    return context


def _load_own(context: ssl.SSLContext, identity: Identity) -> None:
    """Load certificate and key. The module takes files only, so the key is encrypted in its."""
    password = secrets.token_hex(32).encode()
    key = load_key(identity.key_pem, identity.organisation).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password),
    )
    with tempfile.TemporaryDirectory(prefix="tally-") as folder:
        certificate_path, key_path = Path(folder) / "certificate.pem", Path(folder) / "key.pem"
        certificate_path.write_bytes(identity.certificate_pem)
        key_path.write_bytes(key)
        context.load_cert_chain(certificate_path, key_path, password=password)
