"""Who has signed which head of the log: the recent sizes in memory, and the newest with enough."""

from __future__ import annotations

from bisect import insort
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ledger.tlog import KeyIdentity, Members, NoteSignature, NoteVerifier, identity_of

SIZES_MAX = 1_024
"""Sizes that are kept besides the newest with enough signatures."""
SLACK = 128
"""How many more there may be before the oldest are dropped, together."""
KEYS_OF_NAME_MAX = 2
"""Under one head: the old and the new one."""
_POLICIES_MAX = 8


@dataclass(slots=True)
class Head:
    """The log's head of one size, and who cosigned it."""

    size: int
    root: bytes
    cosignatures: dict[KeyIdentity, NoteSignature] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Policy:
    """So many members of these keys must have signed."""

    threshold: int
    keys: tuple[KeyIdentity, ...]


class _Newest:
    """The newest head that meets one policy."""

    def __init__(self, members: Members, threshold: int) -> None:
        self._members = members
        self._threshold = threshold
        self.size: int | None = None

    def offer(self, head: Head, own: Iterable[KeyIdentity]) -> None:
        if self.size is not None and head.size <= self.size:
            return
        if self._members.among((*own, *head.cosignatures)) >= self._threshold:
            self.size = head.size


class Board:
    """Not thread-safe: its user takes turns.

    `own` are keys whose signature can be made of any head at any time: the log's own.
    """

    def __init__(self, origin: str, own: Sequence[KeyIdentity]) -> None:
        self._origin = origin
        self._own = tuple(own)
        self._heads: dict[int, Head] = {}
        self._sizes: list[int] = []
        self._newest: OrderedDict[Policy, _Newest] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sizes)

    def head(self, size: int) -> Head | None:
        """The head of a size, None where it was never put up, or dropped."""
        return self._heads.get(size)

    def last(self) -> Head | None:
        """The head of the greatest size."""
        return self._heads[self._sizes[-1]] if self._sizes else None

    def oldest(self) -> int:
        """The smallest of the recent sizes; 0 where there is none."""
        return self._sizes[max(0, len(self._sizes) - SIZES_MAX)] if self._sizes else 0

    def heads(self, size_min: int) -> Iterator[Head]:
        """All of at least this size, ascending."""
        for size in self._sizes:
            if size >= size_min:
                yield self._heads[size]

    def put(self, size: int, root: bytes) -> Head:
        """The head of a size, put up where it is new."""
        head = self._heads.get(size)
        if head is None:
            head = self._heads[size] = Head(size, root)
            insort(self._sizes, size)
            self._offer(head)
        return head

    def sign(self, head: Head, signature: NoteSignature) -> bool:
        """Add a verified cosignature; whether it is new."""
        key = (signature.name, signature.key_id)
        if key in head.cosignatures:
            return False
        # Whoever changes its key again and again takes no room from the others.
        if sum(name == signature.name for name, _ in head.cosignatures) >= KEYS_OF_NAME_MAX:
            return False
        head.cosignatures[key] = signature
        self._offer(head)
        return True

    def cosigned_by(self, key: KeyIdentity) -> int | None:
        """The greatest size that a key has cosigned; None where it has none."""
        for size in reversed(self._sizes):
            if key in self._heads[size].cosignatures:
                return size
        return None

    def newest(self, threshold: int, keys: Sequence[NoteVerifier]) -> Head | None:
        """The newest head that `threshold` members of `keys` have signed."""
        policy = Policy(threshold, tuple(identity_of(key) for key in keys))
        known = self._newest.get(policy)
        if known is None:
            known = self._newest[policy] = _Newest(Members(keys, self._origin), threshold)
            for size in reversed(self._sizes):
                known.offer(self._heads[size], self._own)
                if known.size is not None:
                    break
            while len(self._newest) > _POLICIES_MAX:
                self._newest.popitem(last=False)
        self._newest.move_to_end(policy)
        return None if known.size is None else self._heads.get(known.size)

    def prune(self, keep: int) -> int | None:
        """Drop the oldest sizes but `keep`, once there are too many: below which size, or None."""
        if len(self._sizes) <= SIZES_MAX + SLACK:
            return None
        floor = self._sizes[-SIZES_MAX]
        for size in self._sizes[:-SIZES_MAX]:
            if size != keep:
                del self._heads[size]
        self._sizes = sorted(self._heads)
        return floor

    def _offer(self, head: Head) -> None:
        for newest in self._newest.values():
            newest.offer(head, self._own)
