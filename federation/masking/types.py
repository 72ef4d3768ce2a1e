"""The words of masked sums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.masking.errors import GroupRefused

PARTIES_MAX: Final = 64
"""Above about fifty the complete graph of masks is worth replacing (Bell et al. 2020)."""
LENGTH_MAX: Final = 1 << 22
STEP_CHARACTERS_MAX: Final = 64
SUM_MAX: Final = (1 << 63) - 1
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Group:
    """Who adds up, who may see the sum, and how many of them must stay.

    Raises `GroupRefused` for a group in which a sum could show a single vector.
    """

    server: str
    """The party that adds; it may be one of the members."""
    keys: Mapping[str, bytes]
    """Every member's long-term Ed25519 public key (32 bytes), known before and not from it."""
    threshold: int
    """So many members, at the least, must be left at the end of a step."""
    noisy: bool = False
    """Every vector carries noise of differential privacy of its own: two members are enough."""

    def __post_init__(self) -> None:
        count = len(self.keys)
        if not 2 <= count <= PARTIES_MAX:
            raise GroupRefused(f"{count} members; a masked sum has 2 to {PARTIES_MAX}")
        if any(len(key) != KEY_BYTES for key in self.keys.values()):
            raise GroupRefused("a long-term key is not one of Ed25519: 32 bytes")
        if len(set(self.keys.values())) != count:
            raise GroupRefused("two members have the same long-term key")
        if any(not 0 < len(name) <= 200 for name in (*self.keys, self.server)):
            raise GroupRefused("a member's name is empty or longer than 200 characters")
        least = self.least_threshold(count, server_is_member=self.server in self.keys)
        if count == 2 and self.noisy:
            least = 2
        if count == 2 and not self.noisy:
            raise GroupRefused(
                "with two members each could subtract its own vector from the sum: "
                "three are needed, or noise of differential privacy"
            )
        if not self.noisy:
            least = max(least, 3)
        if not least <= self.threshold <= count:
            raise GroupRefused(
                f"a threshold of {self.threshold} among {count} members; it must be "
                f"{least} to {count}, so that no two disjoint halves can be asked"
            )

    @staticmethod
    def least_threshold(count: int, *, server_is_member: bool) -> int:
        """The smallest threshold t with 2t > n + (members that help the server).

        Bonawitz et al. 2017, theorem 6.5 (active adversaries): otherwise a server that tells two
        parts of the members different sets of survivors gets both kinds of share of one of them.
        """
        return (count + int(server_is_member)) // 2 + 1

    @classmethod
    def of(
        cls,
        server: str,
        keys: Mapping[str, bytes],
        *,
        threshold: int | None = None,
        noisy: bool = False,
    ) -> Group:
        """A group with the least threshold that is allowed, where none is given."""
        if threshold is None:
            least = cls.least_threshold(len(keys), server_is_member=server in keys)
            threshold = min(len(keys), least if noisy else max(least, 3))
        return cls(server, dict(keys), threshold, noisy)

    @property
    def members(self) -> tuple[str, ...]:
        """The members in the order of their names; a member's place in it is its share's place."""
        return tuple(sorted(self.keys))

    def place(self, member: str) -> int:
        """Where the member's share lies on the polynomial: from 1."""
        return self.members.index(member) + 1

    def bound_max(self) -> int:
        """The largest bound of one vector's numbers of which no sum leaves 64 bits."""
        return SUM_MAX // len(self.keys)


@dataclass(frozen=True, slots=True)
class Fault:
    """What was wrong with a party in a step, as the server saw it."""

    party: str
    step: str
    kind: str
    """`gone`, `silent`, `invalid` (a message that is none) or `share` (of a secret, wrong)."""
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """The sum of a step's vectors."""

    step: str
    values: NDArray[np.int64]
    parties: tuple[str, ...]
    """Whose vectors are in it."""
    faults: tuple[Fault, ...]
    """What happened in this step; who is named here is asked no more, but for kind `share`."""
