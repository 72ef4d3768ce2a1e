"""Whose keys are whose: how many members stand behind a set of keys (docs/proof-format.md, 4)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ledger.tlog.keys import NoteVerifier

KeyIdentity = tuple[str, bytes]
"""Name and key id: all that a signature line tells of its key."""


def identity_of(key: NoteVerifier) -> KeyIdentity:
    """What the signature lines of this key bear."""
    return key.name, key.key_id


class Members:
    """The members that a list of keys belongs to.

    Keys that are one public key are one member's, under however many names and types they stand.
    Keys of one name are one member's too, so that a key that was changed counts once with the one
    that follows it; but not those of the log's own name, under which every node signs. Both hold
    across several keys: old and new key of a name, and the same new key as the log's.
    """

    def __init__(self, keys: Sequence[NoteVerifier], log_name: str) -> None:
        """`log_name` is the origin of the checkpoints."""
        parents: dict[object, object] = {}

        def root(node: object) -> object:
            while parents.setdefault(node, node) != node:
                node = parents[node]
            return node

        for key in keys:
            own = root(key.public_key)
            if key.name != log_name:
                parents[root(key.name)] = own
        self._members = {identity_of(key): root(key.public_key) for key in keys}
        self.count = len(set(self._members.values()))
        """How many members there are."""

    def among(self, signed: Iterable[KeyIdentity]) -> int:
        """How many different members these keys belong to; unknown keys are nobody's."""
        return len({self._members[one] for one in signed if one in self._members})
