"""A node under measurement, in its own process and folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from nodes.cli.dev import DEV_MEMBER
from nodes.founding import found_solo
from nodes.layout import NodeDirectory
from nodes.settings import ApiSettings, NodeSettings
from tests.acceptance.running import RunningNode, start_node

UNLIMITED = 100_000_000
"""Requests per minute: the rate limit is not what is measured here."""


@contextmanager
def node_under_load() -> Iterator[RunningNode]:
    """A fresh development node whose rate limit does not bite."""
    base = Path(tempfile.mkdtemp(prefix="tally-bench-"))
    place = NodeDirectory(base / "node")
    found_solo(
        place,
        NodeSettings(api=ApiSettings(requests_per_minute=UNLIMITED)),
        [DEV_MEMBER],
        origin_prefix="tallystick.example/bench",
        passphrase="",
        developer_of=DEV_MEMBER.id,
    )
    node = start_node(place.root, base / "home")
    try:
        yield node
    finally:
        node.stop()
        shutil.rmtree(base, ignore_errors=True)


def host_port(url: str) -> tuple[str, int]:
    """Host and port of an address."""
    parts = urlsplit(url)
    return str(parts.hostname), int(parts.port or 80)
