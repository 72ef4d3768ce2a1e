"""The consortium's authority: whose certificates it makes, and what a party makes of its files."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from federation.channel import (
    Authority,
    IdentityInvalid,
    create_authority,
    issue_certificate,
    issue_identity,
    load_identity,
    make_identity,
    new_request,
    save_identity,
)
from federation.channel.identity import organisation_of, tls_context

pytestmark = pytest.mark.feature("D3")


@pytest.fixture(scope="module")
def authority() -> Authority:
    return create_authority("Test consortium")


def certificate_of(pem: bytes) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pem)


def test_a_party_keeps_its_key_and_gets_a_certificate_for_its_request(
    authority: Authority,
) -> None:
    key_pem, request_pem = new_request("mill")
    assert b"PRIVATE" not in request_pem
    certificate_pem = issue_certificate(authority, request_pem, "mill", days=30)
    identity = make_identity(certificate_pem, key_pem, authority.certificate_pem)
    assert identity.organisation == "mill"
    certificate = certificate_of(certificate_pem)
    assert organisation_of(certificate) == "mill"
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert lifetime == timedelta(days=30)
    assert certificate.not_valid_before_utc < datetime.now(UTC)


def test_a_request_for_another_organisation_is_refused(authority: Authority) -> None:
    _, request_pem = new_request("thief")
    with pytest.raises(IdentityInvalid, match="another's"):
        issue_certificate(authority, request_pem, "mill")


def test_a_request_is_for_a_key_of_the_right_kind(authority: Authority) -> None:
    name = x509.SubjectAlternativeName([x509.UniformResourceIdentifier("tally:org:mill")])
    for key in (
        rsa.generate_private_key(65537, 2048),
        ec.generate_private_key(ec.SECP384R1()),
    ):
        request = (
            x509.CertificateSigningRequestBuilder()
            .subject_name(x509.Name([]))
            .add_extension(name, critical=True)
            .sign(key, SHA256())
        )
        with pytest.raises(IdentityInvalid, match="P-256"):
            issue_certificate(authority, request.public_bytes(serialization.Encoding.PEM), "mill")


def test_a_request_signed_by_another_key_is_refused(authority: Authority) -> None:
    _, request_pem = new_request("mill")
    der = bytearray(x509.load_pem_x509_csr(request_pem).public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    altered = x509.load_der_x509_csr(bytes(der)).public_bytes(serialization.Encoding.PEM)
    with pytest.raises(IdentityInvalid, match="not signed by its key"):
        issue_certificate(authority, altered, "mill")


@pytest.mark.parametrize("request_pem", [b"", b"-----BEGIN CERTIFICATE REQUEST-----\n"])
def test_what_is_no_request_is_refused(authority: Authority, request_pem: bytes) -> None:
    with pytest.raises(IdentityInvalid):
        issue_certificate(authority, request_pem, "mill")


@pytest.mark.parametrize("organisation", ["", "a b", "a/b", "x" * 129, "-a", "ä", "a\n"])
def test_an_id_that_may_not_stand_in_a_certificate_is_refused(organisation: str) -> None:
    with pytest.raises(IdentityInvalid):
        new_request(organisation)


@pytest.mark.parametrize("days", [0, -1, 826])
def test_a_certificate_lives_for_a_bounded_time(authority: Authority, days: int) -> None:
    with pytest.raises(IdentityInvalid, match="days"):
        issue_identity(authority, "mill", days=days)


def test_no_certificate_outlives_its_authority() -> None:
    nearly_over = create_authority("Old", now=datetime.now(UTC) - timedelta(days=3640))
    certificate = certificate_of(issue_identity(nearly_over, "mill").certificate_pem)
    issuer = certificate_of(nearly_over.certificate_pem)
    assert certificate.not_valid_after_utc == issuer.not_valid_after_utc


def test_files_are_kept_private_and_read_back(authority: Authority, tmp_path: Path) -> None:
    identity = issue_identity(authority, "mill")
    save_identity(identity, tmp_path / "mill")
    assert load_identity(tmp_path / "mill") == identity
    key = tmp_path / "mill" / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    with pytest.raises(IdentityInvalid, match="nothing is overwritten"):
        save_identity(identity, tmp_path / "mill")
    key.chmod(0o644)
    with pytest.raises(IdentityInvalid, match="others may read"):
        load_identity(tmp_path / "mill")
    key.unlink()
    with pytest.raises(IdentityInvalid, match="cannot be read"):
        load_identity(tmp_path / "mill")


def test_what_does_not_belong_together_is_no_identity(authority: Authority) -> None:
    mill, other = issue_identity(authority, "mill"), issue_identity(authority, "other")
    stranger = create_authority("Test consortium")
    with pytest.raises(IdentityInvalid, match="another key"):
        make_identity(mill.certificate_pem, other.key_pem, mill.authority_pem)
    with pytest.raises(IdentityInvalid, match="another authority"):
        make_identity(mill.certificate_pem, mill.key_pem, stranger.certificate_pem)
    with pytest.raises(IdentityInvalid, match="cannot be read"):
        make_identity(b"", mill.key_pem, mill.authority_pem)
    with pytest.raises(IdentityInvalid, match="key cannot be read"):
        make_identity(mill.certificate_pem, b"", mill.authority_pem)


@pytest.mark.parametrize(
    "uris", [[], ["tally:org:a", "tally:org:b"], ["https://a"], ["tally:org:"], ["tally:org:a b"]]
)
def test_a_certificate_names_one_organisation(uris: list[str]) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=1))
    )
    if uris:
        names = [x509.UniformResourceIdentifier(uri) for uri in uris]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    with pytest.raises(IdentityInvalid):
        organisation_of(builder.sign(key, SHA256()))


def test_a_key_stands_in_no_representation(authority: Authority) -> None:
    identity = issue_identity(authority, "mill")
    for one in (authority, identity):
        assert "PRIVATE" not in repr(one)


def test_only_tls_1_3_and_only_our_authority_are_accepted(authority: Authority) -> None:
    identity = issue_identity(authority, "mill")
    for server_side in (True, False):
        context = tls_context(identity, server_side=server_side)
        assert context.minimum_version.name == "TLSv1_3"
        assert context.verify_mode.name == "CERT_REQUIRED"
        assert [one["subject"] for one in context.get_ca_certs()] == [
            ((("commonName", "Test consortium"),),)
        ]
