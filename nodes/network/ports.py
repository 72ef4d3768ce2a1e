"""Free ports for the nodes of one machine."""

from __future__ import annotations

import random
import socket
from typing import Final

from nodes.network.errors import FoundingRefused

LOWEST: Final = 20_000
HIGHEST: Final = 32_000
"""Below the ports that Linux gives to outgoing connections, which would take one at any time."""
TRIES_MAX: Final = 200


def free_ports(host: str, count: int) -> tuple[int, ...]:
    """`count` different ports in a row that nobody listens on now. Raises `FoundingRefused`."""
    for _ in range(TRIES_MAX):
        first = random.randrange(LOWEST, HIGHEST - count)
        if all(_is_free(host, first + index) for index in range(count)):
            return tuple(range(first, first + count))
    raise FoundingRefused(f"no {count} free ports in a row were found on {host}")


def _is_free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
