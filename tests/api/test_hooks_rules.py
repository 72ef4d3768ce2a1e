"""Where webhooks may lead, and what their signatures are worth."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.hooks import AddressRefused, SecretMalformed, SignatureInvalid, check_url
from api.hooks.addresses import allowed
from api.hooks.signing import new_secret, sign_message, verify_message

pytestmark = pytest.mark.feature("A1")

SECRET = new_secret()
PUBLIC = ipaddress.ip_address("93.184.216.34")


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/hook",
        "https://example.org:8443/hook?x=1",
        "https://xn--bcher-kva.example/",
        "https://93.184.216.34/",
        "https://[2606:2800:220:1:248:1893:25c8:1946]/",
    ],
)
def test_public_https_is_taken(url: str) -> None:
    assert check_url(url, allow_private=False).scheme == "https"


@pytest.mark.parametrize(
    "url",
    [
        "http://example.org/hook",
        "ftp://example.org/",
        "https://user@example.org/",
        "https://user:word@example.org/",
        "https://example.org/#part",
        "https:///nowhere",
        "https://bücher.example/",
        "https://example.org/a b",
        "https://example.org:0/",
        "https://example.org:70000/",
        "https://ex ample.org/",
        "https://example.org/\r\nX: y",
        "https://" + "a" * 2100,
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://192.168.1.1/",
        "https://172.16.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "https://224.0.0.1/",
        "https://255.255.255.255/",
        "https://[::1]/",
        "https://[::]/",
        "https://[fe80::1]/",
        "https://[fd00::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://[2002:7f00:1::]/",
    ],
)
def test_anything_else_is_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, allow_private=False)


def test_without_tls_only_private_addresses_and_only_where_the_operator_allows_it() -> None:
    loopback = ipaddress.ip_address("127.0.0.1")
    assert check_url("http://127.0.0.1:8080/", allow_private=True)
    assert allowed([loopback], allow_private=True, plain=True) == [loopback]
    with pytest.raises(AddressRefused):
        allowed([PUBLIC], allow_private=True, plain=True)
    with pytest.raises(AddressRefused):
        check_url("http://93.184.216.34/", allow_private=True)


def test_of_several_addresses_only_the_public_ones_are_used() -> None:
    found = [ipaddress.ip_address("10.0.0.1"), PUBLIC]
    assert allowed(found, allow_private=False, plain=False) == [PUBLIC]


@given(st.binary(max_size=300), st.integers(1, 10**10))
def test_what_is_signed_is_verified(body: bytes, now: int) -> None:
    headers = sign_message(SECRET, "7-0-0", now, body)
    assert verify_message(SECRET, headers, body, now_s=now) == "7-0-0"
    upper = {name.title(): value for name, value in headers.items()}
    assert verify_message(SECRET, upper, body, now_s=now + 299) == "7-0-0"
    with pytest.raises(SignatureInvalid):
        verify_message(SECRET, headers, body + b"x", now_s=now)
    with pytest.raises(SignatureInvalid):
        verify_message(SECRET, {**headers, "webhook-id": "7-0-1"}, body, now_s=now)
    with pytest.raises(SignatureInvalid, match="away from this clock"):
        verify_message(SECRET, headers, body, now_s=now + 301)
    with pytest.raises(SignatureInvalid):
        verify_message(new_secret(), headers, body, now_s=now)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    secret = "whsec_" + base64.b64encode(b"k" * 24).decode()
    expected = hmac.new(b"k" * 24, b'msg_1.1614265330.{"a": 1}', hashlib.sha256).digest()
    headers = sign_message(secret, "msg_1", 1614265330, b'{"a": 1}')
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(expected).decode()}"


def test_one_good_signature_among_several_is_enough() -> None:
    headers = sign_message(SECRET, "1-0-0", 50, b"x")
    several = f"v1,{base64.b64encode(b'0' * 32).decode()} v2,abc {headers['webhook-signature']}"
    assert verify_message(SECRET, {**headers, "webhook-signature": several}, b"x", now_s=50)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"webhook-id": "", "webhook-timestamp": "50", "webhook-signature": "v1,x"},
        {"webhook-id": "1", "webhook-timestamp": "-50", "webhook-signature": "v1,x"},
        {"webhook-id": "1", "webhook-timestamp": "５０", "webhook-signature": "v1,x"},
        {"webhook-id": "1", "webhook-timestamp": "50", "webhook-signature": "v1,é"},
    ],
)
def test_malformed_headers_are_no_signature(headers: dict[str, str]) -> None:
    with pytest.raises(SignatureInvalid):
        verify_message(SECRET, headers, b"x", now_s=50)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_" + "QUFB", "a" * 43 + "="])
def test_what_is_no_secret_is_told(secret: str) -> None:
    with pytest.raises(SecretMalformed):
        sign_message(secret, "1", 1, b"")
