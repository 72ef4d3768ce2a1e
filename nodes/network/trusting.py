"""A trust file that follows the consortium: who came in is added, and old keys stay.

Old keys stay for the proofs that they signed. What a verifier asks for never sinks by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ledger.chain import Ledger
from ledger.tlog import Members, NoteMalformed, NoteVerifier
from ledger.witness import label_of
from nodes.membership import active_witnesses, witness_threshold
from nodes.network.founding import more_than_two_thirds
from traceability.bundle import Trust
from traceability.bundle.trust import KEYS_MAX


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a trust file is from the ledger. Names are those of the nodes."""

    missing: tuple[str, ...]
    """Active nodes whose present key it does not list."""
    gone: tuple[str, ...]
    """Witnesses that it counts and that no active node is any more."""

    @property
    def words(self) -> str:
        """For an operator; empty where there is nothing to say."""
        parts = []
        if self.missing:
            parts.append(f"it lacks the present keys of {', '.join(self.missing)}")
        if self.gone:
            parts.append(f"it still counts {', '.join(self.gone)}, no active node any more")
        return " and ".join(parts)


def drift_of(trust: Trust, witnesses: Sequence[NoteVerifier]) -> Drift:
    """Compare with the witness keys of the active nodes."""
    listed = set(trust.keys)
    active = {key.name for key in witnesses}
    keys = {key.public_key for key in witnesses}
    # The log's own name is every node's: whose key it is, another name of it tells.
    counted = [key for key in trust.keys if key.name != trust.origin]
    return Drift(
        missing=tuple(_label(key, trust) for key in witnesses if key not in listed),
        gone=tuple(
            sorted(
                {
                    _label(key, trust)
                    for key in counted
                    if key.name not in active and key.public_key not in keys
                }
            )
        ),
    )


def extended(trust: Trust, witnesses: Sequence[NoteVerifier], advised: int) -> Trust:
    """With the keys of these witnesses beside those of before, the threshold at least `advised`.

    Of more keys than a trust file holds the oldest are left out.
    """
    ordered = sorted(witnesses, key=lambda key: key.name)
    keys = tuple(dict.fromkeys([*ordered, *trust.keys]))[:KEYS_MAX]
    count = Members(keys, trust.origin).count
    return replace(trust, keys=keys, threshold=min(count, max(trust.threshold, advised)))


def trust_of_state(trust: Trust, ledger: Ledger) -> Trust:
    """The trust file with the nodes that a ledger names now, which has been checked by it."""
    return extended(trust, active_witnesses(ledger), witness_threshold(ledger))


def trust_of_keys(trust: Trust, vkeys: Iterable[str]) -> Trust:
    """The trust file with these nodes' witness keys, as the owner's own node names them."""
    witnesses = [key for vkey in vkeys if (key := _witness(vkey, trust.origin)) is not None]
    return extended(trust, witnesses, more_than_two_thirds(len(witnesses)))


def _witness(vkey: str, origin: str) -> NoteVerifier | None:
    try:
        key = NoteVerifier.parse(vkey)
    except NoteMalformed:
        return None
    return key if label_of(key.name, origin) is not None else None


def _label(key: NoteVerifier, trust: Trust) -> str:
    return label_of(key.name, trust.origin) or key.name
