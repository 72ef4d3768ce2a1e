"""A node that orders alone, opened in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ledger.crypto import NO_PASSPHRASE
from nodes.founding import MemberSpec, found_solo
from nodes.layout import NodeDirectory
from nodes.runtime import NodeRuntime
from nodes.settings import NodeSettings
from tests.nodes.test_runtime import quiet


@contextmanager
def solo_node(root: Path, members: Sequence[MemberSpec]) -> Iterator[NodeRuntime]:
    """Founded in a new folder, with these members; the first one's node it is."""
    place = NodeDirectory(root)
    found_solo(
        place,
        NodeSettings(name="Test"),
        members,
        origin_prefix="tallystick.example/test",
        passphrase=NO_PASSPHRASE,
    )
    with NodeRuntime.open(place.root, NO_PASSPHRASE, quiet) as node:
        yield node
