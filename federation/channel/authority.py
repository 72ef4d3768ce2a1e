"""The consortium's own small certificate authority (RFC 5280).

One self-signed root signs the certificates of the parties, for the parties alone: it is no part of
any public system. A certificate lives for weeks; who may take part is decided by the ledger, and
whoever does not stand in a run's agreement is refused whatever it shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from federation.channel.errors import IdentityInvalid
from federation.channel.identity import (
    Identity,
    check_organisation,
    load_key,
    make_identity,
    new_request,
    organisation_name,
    private_pem,
)

AUTHORITY_DAYS = 3650
IDENTITY_DAYS = 90
IDENTITY_DAYS_MAX = 825
CLOCK_SLACK = timedelta(minutes=5)
"""How far clocks of the parties may be apart."""


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority itself: who holds its key can make anybody's certificate."""

    certificate_pem: bytes
    key_pem: bytes = field(repr=False)


def create_authority(name: str, *, now: datetime | None = None) -> Authority:
    """A new authority with a key of its own. Raises `IdentityInvalid`."""
    if not 1 <= len(name) <= 64:
        raise IdentityInvalid("", "the name of an authority has 1 to 64 characters")
    key = ec.generate_private_key(ec.SECP256R1())
    start = (now or datetime.now(UTC)) - CLOCK_SLACK
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    public = key.public_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(public),
            critical=False,
        )
        .sign(key, SHA256())
    )
    return Authority(certificate.public_bytes(Encoding.PEM), private_pem(key))


def issue_certificate(
    authority: Authority,
    request_pem: bytes,
    organisation: str,
    *,
    days: int = IDENTITY_DAYS,
    now: datetime | None = None,
) -> bytes:
    """The certificate (PEM) for a request, for the organisation that was asked for elsewhere.

    Whoever runs the authority has made sure that the request is that organisation's. Raises
    `IdentityInvalid` where the request names another, or is not signed by its own key.
    """
    check_organisation(organisation)
    if not 1 <= days <= IDENTITY_DAYS_MAX:
        raise IdentityInvalid(organisation, f"{days} days; 1 to {IDENTITY_DAYS_MAX} are meant")
    public = _requested_key(request_pem, organisation)
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem)
    key = load_key(authority.key_pem, "")
    start = (now or datetime.now(UTC)) - CLOCK_SLACK
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(min(start + timedelta(days=days), issuer.not_valid_after_utc))
        .add_extension(organisation_name(organisation), critical=True)  # the subject is empty
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage(
                [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            ),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
        )
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM)


def issue_identity(
    authority: Authority,
    organisation: str,
    *,
    days: int = IDENTITY_DAYS,
    now: datetime | None = None,
) -> Identity:
    """Key and certificate in one step, where one process acts for all (demo, tests, embedded)."""
    key_pem, request_pem = new_request(organisation)
    certificate_pem = issue_certificate(authority, request_pem, organisation, days=days, now=now)
    return make_identity(certificate_pem, key_pem, authority.certificate_pem)


def _requested_key(request_pem: bytes, organisation: str) -> ec.EllipticCurvePublicKey:
    try:
        request = x509.load_pem_x509_csr(request_pem)
        named = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        valid = request.is_signature_valid
        public = request.public_key()
    except (ValueError, x509.ExtensionNotFound, InvalidSignature) as error:
        raise IdentityInvalid(organisation, "the request cannot be read") from error
    if not valid or named != organisation_name(organisation):
        raise IdentityInvalid(organisation, "the request is another's, or not signed by its key")
    if not isinstance(public, ec.EllipticCurvePublicKey) or public.curve.name != "secp256r1":
        raise IdentityInvalid(organisation, "the request is not for a P-256 key")
    return public


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
