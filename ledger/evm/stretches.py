"""Which stretches of a contract's code are translated, and when."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from ledger.evm.translation import Stretch, Translation

VISITS_MIN: Final = 32
"""Visits of the interpreter to a position after which it is worth translating."""
_VISITS_AN_INSTRUCTION: Final = 12
"""Translating one takes some 10 µs, interpreting from one visit to the next 1 µs or more."""
_VISITS_MAX: Final = 1 << 19
"""Kept for later, and at first: translating takes no more than half a second at once."""
_INSTRUCTIONS_MAX: Final = 1 << 19
"""Translated at a time, of all code: some 100 bytes each, 50 MB."""
_OVERLAP: Final = 4
"""Stretches of one piece of code have so many instructions a byte of it: they overlap."""
_NEVER: Final = -(1 << 62)


class _Means:
    """What may be spent on translating, of all code together."""

    visits = _VISITS_MAX
    instructions = _INSTRUCTIONS_MAX


_MEANS: Final = _Means()


class Stretches:
    """The translated stretches of one piece of code.

    Translating takes as long as interpreting the same instructions some dozens of times. Whoever
    brings ever new code would have all others translate it, so the time for it is earned by
    interpreting, and what is translated at a time is bounded.
    """

    __slots__ = ("_left", "_means", "_translated", "_translation", "_visits", "ready")

    def __init__(
        self, code: bytes, constants: Mapping[int, int], jump_targets: AbstractSet[int]
    ) -> None:
        self._translation = Translation(code, constants, jump_targets)
        self._visits: dict[int, int] = {}
        self._means = _MEANS
        self._left = _OVERLAP * len(code)
        self._translated = 0
        self.ready: dict[int, Stretch] = {}
        """By the position where they begin."""

    def __del__(self) -> None:
        self._means.instructions += self._translated

    def visit(self, pc: int) -> bool:
        """The interpreter comes to `pc` after a jump, a branch, or an instruction of py-evm.

        Returns whether there is a stretch from it now.
        """
        count = self._visits.get(pc, 0) + 1
        self._visits[pc] = count
        if _MEANS.visits < _VISITS_MAX:
            _MEANS.visits += 1
        return count % VISITS_MIN == 0 and count > 0 and self._translate(pc)

    def _translate(self, pc: int) -> bool:
        if min(self._left, _MEANS.instructions, _MEANS.visits) <= 0:
            return False
        found = self._translation.stretch(pc, self._visits)
        if found is None:
            self._visits[pc] = _NEVER
            return False
        self.ready[pc] = found.run
        self._left -= found.instructions
        self._translated += found.instructions
        _MEANS.instructions -= found.instructions
        _MEANS.visits -= found.instructions * _VISITS_AN_INSTRUCTION
        return True


class _None(Stretches):
    """Of code that runs once or seldom."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(b"", {}, frozenset())

    def visit(self, pc: int) -> bool:
        """Nothing is counted."""
        del pc
        return False


NONE: Final = _None()
