"""A trust file that follows the consortium: who came in is added, and old keys stay.

Old keys stay for the proofs that they signed. What a verifier asks for never sinks by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ledger.chain import Ledger
from ledger.tlog import Members, NoteVerifier, identity_of
from ledger.witness import cosigner_of_text, label_of
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
    """Witnesses that it lists and that no active node is any more, for old proofs."""
    reachable: bool
    """Whether as many active nodes are listed as must sign."""
    gone_suffice: bool
    """Whether those who are gone could vouch for a log without any active node."""

    @property
    def words(self) -> str:
        """For an operator; empty where there is nothing to do."""
        parts = []
        if self.missing:
            parts.append(f"it lacks the present keys of {', '.join(self.missing)}")
        if not self.reachable:
            parts.append("too few active nodes stand in it to reach its threshold")
        if self.gone_suffice:
            parts.append(f"{', '.join(self.gone)} have gone and could still vouch without the rest")
        return "; ".join(parts)


def drift_of(trust: Trust, witnesses: Sequence[NoteVerifier]) -> Drift:
    """Compare with the witness keys of the active nodes."""
    names, keys = {key.name for key in witnesses}, {key.public_key for key in witnesses}
    # The log's own name is every node's: whose key it is, another name of it tells.
    gone = [
        key
        for key in trust.keys
        if trust.origin != key.name and key.name not in names and key.public_key not in keys
    ]
    listed, members = set(trust.keys), trust.members
    return Drift(
        missing=tuple(_label(key, trust) for key in witnesses if key not in listed),
        gone=tuple(sorted({_label(key, trust) for key in gone})),
        reachable=members.among(identity_of(key) for key in witnesses) >= trust.threshold,
        gone_suffice=members.among(identity_of(key) for key in gone) >= trust.threshold,
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
    witnesses = [key for vkey in vkeys if (key := cosigner_of_text(vkey, trust.origin)) is not None]
    return extended(trust, witnesses, more_than_two_thirds(len(witnesses)))


def _label(key: NoteVerifier, trust: Trust) -> str:
    return label_of(key.name, trust.origin) or key.name
