"""Addresses of nodes: `HOST:PORT` of the engine, URL of the HTTP interface."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

URL_SIZE_MAX: Final = 256
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*\.?", re.IGNORECASE)
_HOST_SIZE_MAX: Final = 253


@dataclass(frozen=True, slots=True)
class PeerEndpoint:
    """Where an engine listens for, or is reached by, its peers."""

    host: str
    """Name, IPv4 address, or IPv6 address without brackets."""
    port: int
    """1 to 65535."""

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_endpoint(text: str) -> PeerEndpoint:
    """Read `HOST:PORT`; IPv6 stands in brackets. Raises `ValueError` saying what is wrong."""
    host, colon, port = text.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit() and len(port) <= 5):
        raise ValueError(f"{text[:80]!r} is not HOST:PORT")
    if not 1 <= int(port) <= 65535:
        raise ValueError(f"{text[:80]!r}: a port is 1 to 65535")
    if host.startswith("[") and host.endswith("]"):
        try:
            if "%" in host:  # a zone means something on one machine only, and to no engine
                raise ValueError
            return PeerEndpoint(str(ipaddress.IPv6Address(host[1:-1])), int(port))
        except ValueError:
            raise ValueError(f"{text[:80]!r}: no IPv6 address stands in the brackets") from None
    if len(host) > _HOST_SIZE_MAX or not _NAME.fullmatch(host):
        raise ValueError(f"{text[:80]!r}: {host[:60]!r} is no host name or address")
    return PeerEndpoint(host.lower(), int(port))


def check_url(text: str) -> str:
    """An `http://` or `https://` URL without query, and without a slash at its end.

    Raises `ValueError` saying what is wrong.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as bad:
        raise ValueError(f"{text[:80]!r} is no URL: {bad}") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise ValueError(f"{text[:80]!r} is no http:// or https:// address")
    if parts.query or parts.fragment or parts.username is not None:
        raise ValueError(f"{text[:80]!r}: a node's address has no user, query or fragment")
    if len(text) > URL_SIZE_MAX or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError(f"{text[:80]!r}: up to {URL_SIZE_MAX} ASCII characters without spaces")
    return text.rstrip("/")
