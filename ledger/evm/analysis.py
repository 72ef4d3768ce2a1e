"""What can be known of a contract's code before it runs: constants and jump targets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import NamedTuple

from ledger.evm.stretches import NONE, Stretches

_JUMPDEST = 0x5B
_PUSH0 = 0x5F
_PUSH32 = 0x7F
_CODE_SIZE_BYTES_MAX = 24_576
_REMEMBERED_MAX = 64
"""An analysis may take 110 times the memory of its code, and as much again for how often each of
its positions was visited: 64 of 24 kB take 360 MB at most."""
_REMEMBERED_LARGE_MAX = 16
"""Of these each takes twice its code: 16 of 96 KiB (`ledger.rpc.params`) take 3 MB."""
# A push with as many of its bytes as there are. What stands between two matches are
# one-byte instructions, so that the search never begins inside a constant.
_PUSHES = re.compile(
    b"|".join(b"\\x%02x[\\x00-\\xff]{0,%d}" % (_PUSH0 + size, size) for size in range(1, 33))
)


class Analysis(NamedTuple):
    """Of one piece of code."""

    constants: Mapping[int, int]
    """Position of a push instruction to the number that it pushes."""
    jump_targets: AbstractSet[int]
    """Positions of JUMPDEST instructions that are not part of a constant."""
    stretches: Stretches
    """What of it is translated."""


def analyse(code: bytes) -> Analysis:
    """Analyse code. The latest pieces are remembered.

    What is longer than a contract (creation code, the code of a call's state overrides) runs once
    or seldom, and every frame of a deep recursion may have other code and holds its analysis: that
    takes no more memory than the code, and is slower to ask.
    """
    return _remembered(code) if len(code) <= _CODE_SIZE_BYTES_MAX else _remembered_large(code)


def _analyse(code: bytes) -> Analysis:
    large = _analyse_large(code)
    constants, jump_targets = dict(large.constants), frozenset(large.jump_targets)
    return Analysis(constants, jump_targets, Stretches(code, constants, jump_targets))


def _analyse_large(code: bytes) -> Analysis:
    bare = _bare(code)
    return Analysis(_Constants(code, bare), _JumpTargets(bare), NONE)


def _bare(code: bytes) -> bytes:
    """The code with zeros in place of all constants."""
    bare = bytearray(code)
    for match in _PUSHES.finditer(code):
        at, end = match.span()
        bare[at + 1 : end] = bytes(end - at - 1)
    return bytes(bare)


def _constant(code: bytes, at: int) -> int:
    # Code that ends inside a constant goes on with zeros (yellow paper, section 9.4.1).
    size = code[at] - _PUSH0
    given = code[at + 1 : at + 1 + size]
    return int.from_bytes(given, "big") << 8 * (size - len(given))


class _Constants(Mapping[int, int]):
    """Reads each constant from the code whenever it is asked for."""

    __slots__ = ("_bare", "_code")

    def __init__(self, code: bytes, bare: bytes) -> None:
        self._code = code
        self._bare = bare

    def __getitem__(self, at: int) -> int:
        if not _PUSH0 < self._bare[at] <= _PUSH32:
            raise KeyError(at)
        return _constant(self._code, at)

    def __iter__(self) -> Iterator[int]:
        return (at for at, opcode in enumerate(self._bare) if _PUSH0 < opcode <= _PUSH32)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class _JumpTargets(AbstractSet[int]):
    """Looks each position up in the bare code."""

    __slots__ = ("_bare",)

    def __init__(self, bare: bytes) -> None:
        self._bare = bare

    def __contains__(self, at: object) -> bool:
        return isinstance(at, int) and 0 <= at < len(self._bare) and self._bare[at] == _JUMPDEST

    def __iter__(self) -> Iterator[int]:
        return (at for at, opcode in enumerate(self._bare) if opcode == _JUMPDEST)

    def __len__(self) -> int:
        return self._bare.count(_JUMPDEST)


_remembered = lru_cache(maxsize=_REMEMBERED_MAX)(_analyse)
_remembered_large = lru_cache(maxsize=_REMEMBERED_LARGE_MAX)(_analyse_large)
