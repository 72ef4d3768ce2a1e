"""Addresses of nodes: read strictly, written as read."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ledger.consensus.cometbft import PeerAddress
from nodes.endpoints import check_url, parse_endpoint

pytestmark = pytest.mark.feature("N1")


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:1", "127.0.0.1", 1),
        ("acme.example:26656", "acme.example", 26656),
        ("ACME.example:65535", "acme.example", 65535),
        ("[::1]:80", "::1", 80),
        ("[2001:db8:0:0::1]:80", "2001:db8::1", 80),
        ("host:00080", "host", 80),
    ],
)
def test_an_endpoint_is_a_host_and_a_port(text: str, host: str, port: int) -> None:
    found = parse_endpoint(text)
    assert (found.host, found.port) == (host, port)
    assert parse_endpoint(str(found)) == found


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "host",
        "host:",
        ":80",
        "host:0",
        "host:65536",
        "host:-1",
        "host:８０",
        "::1:80",
        "[::1:80",
        "[x]:80",
        "[::1%x]:26656",
        "[fe80::1%eth0]:26656",
        "a b:80",
        "a_b:80",
        "-a:80",
        "a..b:80",
        "a" * 300 + ":80",
        "host:8 0",
        "http://host:80",
        "id@host:80",
        "host:80,other:80",
        'host":80',
    ],
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="HOST:PORT|port|host|IPv6"):  # noqa: RUF043
        parse_endpoint(text)


_HOSTS = st.one_of(
    st.text(max_size=20),
    st.from_regex(r"[a-z0-9._%-]{1,60}", fullmatch=True),
    st.ip_addresses().map(str),
    st.builds(
        "[{}{}]".format,
        st.ip_addresses(v=6),
        st.sampled_from(["", "%", "%x", "%eth0", "/64", "%1]:2@[::1"]),
    ),
)


@given(st.one_of(st.text(max_size=40), st.builds("{}:{}".format, _HOSTS, st.integers(0, 70_000))))
@example("[::1%x]:26656")
def test_any_text_is_refused_or_read_and_fit_for_the_engine(text: str) -> None:
    try:
        found = parse_endpoint(text)
    except ValueError:
        return
    assert parse_endpoint(str(found)) == found
    peer = PeerAddress.parse(f"{'ab' * 20}@{found}")
    assert peer.port == found.port
    assert peer.host == (f"[{found.host}]" if ":" in found.host else found.host)


def test_a_nodes_url_loses_its_last_slash() -> None:
    assert check_url("https://acme.example/") == "https://acme.example"
    assert check_url("http://[::1]:8080") == "http://[::1]:8080"
    assert check_url("https://acme.example/ledger/") == "https://acme.example/ledger"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "acme.example",
        "ftp://acme.example",
        "http://",
        "http://a?b",
        "http://a#b",
        "http://a b",
        "http://u@a",
        "http://a:0",
        "http://a:99999",
        "http://[",
        "http://é",
        "http://" + "a" * 300,
    ],
)
def test_what_is_no_nodes_url_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        check_url(text)
