"""Running the parties of an alignment as threads, for tests."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from federation.alignment import AlignmentSettings, align_as_guest, align_as_host
from federation.channel import Channel, Tap, local_channels

Part: TypeAlias = Callable[[Channel], object]
GUEST = "bank"
SMALL = AlignmentSettings(threads=1)


def run_parts(
    parts: Mapping[str, Part], *, run: str = "0x01", timeout_s: float = 20, tap: Tap | None = None
) -> dict[str, object]:
    """Each part in a thread of its own: what it returns or raises. Who raises, closes."""
    channels = local_channels(run, parts, timeout_s=timeout_s, tap=tap)
    results: dict[str, object] = {}

    def act(party: str) -> None:
        try:
            results[party] = parts[party](channels[party])
        except Exception as error:  # handed to the test, which looks at it
            results[party] = error
            channels[party].close()

    threads = [threading.Thread(target=act, args=(party,)) for party in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def guest_part(
    hosts: Sequence[str], ids: Sequence[str], settings: AlignmentSettings = SMALL
) -> Part:
    return lambda channel: align_as_guest(channel, hosts, ids, settings)


def host_part(ids: Sequence[str], settings: AlignmentSettings = SMALL) -> Part:
    return lambda channel: align_as_host(channel, GUEST, ids, settings)


def align(
    sets: Sequence[Sequence[str]],
    *,
    run: str = "0x01",
    settings: AlignmentSettings = SMALL,
    tap: Tap | None = None,
) -> list[object]:
    """Align the guest's set (the first) with those of the hosts: the rows, or errors, of each."""
    hosts = [f"host{n}" for n in range(1, len(sets))]
    parts = {GUEST: guest_part(hosts, sets[0], settings)}
    parts |= {host: host_part(ids, settings) for host, ids in zip(hosts, sets[1:], strict=True)}
    results = run_parts(parts, run=run, tap=tap)
    return [results[party] for party in (GUEST, *hosts)]
