"""What a verifier remembers: each log must go on from where this user last saw it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence

from ledger.witness import HistoryKind, PeerAnswerRefused, read_consistency
from nodes.cli.output import err, out
from nodes.client import NodeAddress, NodeClient, remembered
from nodes.errors import NodeError
from traceability.bundle import Outcome, SeenHistory, SeenStore, Verdict, checkpoint_note

TIMEOUT_S = 5.0
WORDS = {
    HistoryKind.FIRST: "first seen now; it is remembered, and must go on from here",
    HistoryKind.SAME: "as it was when last seen here",
    HistoryKind.CONSISTENT: "goes on from what was seen here before: nothing was changed",
    HistoryKind.UNKNOWN: "whether it goes on from what was seen here before could not be checked "
    "now: no node gave a proof (--url names one)",
    HistoryKind.BROKEN: "CONTRADICTS WHAT WAS SEEN HERE BEFORE: entries were changed or taken "
    "away, or the node cannot show that they were not",
}


def check_histories(
    checked: Iterable[tuple[bytes, Verdict]], address: NodeAddress | None
) -> tuple[SeenHistory, ...]:
    """Compare the checkpoints of valid bundles with what was seen, log by log.

    `address` is asked for consistency proofs, where any is needed. Broken histories are kept.
    """
    notes: dict[str, list[str]] = {}
    for data, verdict in checked:
        note = checkpoint_note(data)
        if verdict.outcome is Outcome.VALID and verdict.statement and note:
            notes.setdefault(verdict.statement.origin, []).append(note)
    store = SeenStore()

    def of_log(origin: str) -> SeenHistory:
        return store.check(notes[origin], lambda from_, to: _path(address, origin, from_, to))

    return tuple(of_log(origin) for origin in notes)


def known_address(url: str | None) -> NodeAddress | None:
    """The node to ask: the option, `TALLY_URL`, or the node last started here; else none."""
    known = remembered()
    chosen = url or os.environ.get("TALLY_URL") or (known.url if known else None)
    return NodeAddress(chosen.rstrip("/")) if chosen else None  # no key: nothing is written


def _path(
    address: NodeAddress | None, origin: str, size1: int, size2: int
) -> tuple[bytes, ...] | None:
    if address is None:
        return None
    try:
        with NodeClient(address, TIMEOUT_S) as node:
            return read_consistency(node.consistency(size1, size2), origin, size1, size2)
    except (NodeError, PeerAnswerRefused):
        return None  # out of reach, or another log's node: unknown, never broken


def is_broken(histories: Sequence[SeenHistory]) -> bool:
    """Whether any log contradicts what was seen of it."""
    return any(one.history.kind is HistoryKind.BROKEN for one in histories)


def history_json(one: SeenHistory) -> dict[str, object]:
    """For machines."""
    return {
        "origin": one.origin,
        "kind": str(one.history.kind),
        "size": one.size,
        "seenSize": one.seen_size,
        "evidence": None if one.evidence is None else str(one.evidence),
    }


def print_histories(histories: Sequence[SeenHistory]) -> None:
    """A line for each log; a broken history on standard error, too, with its evidence."""
    for one in histories:
        if one.history.kind is not HistoryKind.BROKEN:
            out.print(f"log {one.origin}: {WORDS[one.history.kind]}", markup=False)
            continue
        err.print(f"log {one.origin}: {WORDS[HistoryKind.BROKEN]}", markup=False, style="bold red")
        err.print(
            f"  Do not rely on its proofs. Both signed states are kept in {one.evidence}: "
            "show that file to a member you know, or to an arbitrator.",
            markup=False,
        )
