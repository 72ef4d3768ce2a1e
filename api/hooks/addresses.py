"""Where messages may go: https to public addresses, looked up once and connected to as looked up.

A name is resolved at each connection, and the connection goes to the very address that was
checked: a name that points elsewhere a moment later (DNS rebinding) leads nowhere.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
from collections.abc import Iterable
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpcore

from api.hooks.errors import AddressRefused

URL_LENGTH_MAX: Final = 2_048
_TRIED_MAX: Final = 4
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\.?|[0-9A-Fa-f:.]{2,45}")
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address


def check_url(url: str, *, allow_private: bool) -> SplitResult:
    """The parts of a URL that messages may be sent to. Raises `AddressRefused`.

    Without `allow_private`, https alone; with it, http too, but to private addresses only, which
    the connection itself sees to.
    """
    if len(url) > URL_LENGTH_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(
            f"a URL is at most {URL_LENGTH_MAX} printable ASCII characters without spaces "
            "(international names as xn--…)"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused(f"{url[:100]!r} is no URL: {error}") from error
    if parts.scheme not in (("https", "http") if allow_private else ("https",)):
        raise AddressRefused(f"{url[:100]!r}: https is needed")
    if parts.username is not None or parts.password is not None or "#" in url:
        raise AddressRefused("a URL with a user, a password or a fragment is not taken")
    if not _HOST.fullmatch(host) or port == 0:
        raise AddressRefused(f"{url[:100]!r} names no host, or port 0")
    literal = _literal(host)
    if literal is not None:
        allowed([literal], allow_private=allow_private, plain=parts.scheme == "http")
    return parts


def allowed(addresses: Iterable[IpAddress], *, allow_private: bool, plain: bool) -> list[IpAddress]:
    """Those that may be connected to. Raises `AddressRefused` where there is none."""
    found = list(addresses)
    if plain:
        # Without TLS only where nobody can listen in, or where the operator has said so.
        usable = [one for one in found if allow_private and not _public(one)]
    else:
        usable = [one for one in found if _public(one) or (allow_private and _reachable(one))]
    if not usable:
        raise AddressRefused("the name leads to no address that messages may be sent to")
    return usable


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """Connects to checked addresses only, and to no sockets of this machine."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self._inner = httpcore.AnyIOBackend()
        self.plain_ports: set[tuple[str, int]] = set()
        """Hosts and ports that are spoken to without TLS."""

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Raises `AddressRefused`, and httpcore's `ConnectError` and `ConnectTimeout`."""
        plain = (host.lower(), port) in self.plain_ports
        usable = allowed(await _resolve(host, port), allow_private=self._allow_private, plain=plain)
        failed: Exception | None = None
        for address in usable[:_TRIED_MAX]:
            try:
                return await self._inner.connect_tcp(
                    str(address), port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failed = error
        raise httpcore.ConnectError(f"no address of {host} takes a connection") from failed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def _resolve(host: str, port: int) -> list[IpAddress]:
    literal = _literal(host)
    if literal is not None:
        return [literal]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise httpcore.ConnectError(f"{host} cannot be looked up") from error
    return [ipaddress.ip_address(str(place[0]).partition("%")[0]) for *_, place in found]


def _literal(host: str) -> IpAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _public(address: IpAddress) -> bool:
    """Whether it is anybody's on the Internet, also behind an address of IPv6 that wraps IPv4."""
    for inner in _wrapped(address):
        if not inner.is_global or inner.is_multicast or inner.is_reserved:
            return False
    return True


def _reachable(address: IpAddress) -> bool:
    return not (address.is_multicast or address.is_unspecified)


def _wrapped(address: IpAddress) -> list[IpAddress]:
    """The address and what it stands for (RFC 4291 mapped, 6to4, Teredo, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    inner: list[IpAddress] = [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    if address in _NAT64:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    return inner
