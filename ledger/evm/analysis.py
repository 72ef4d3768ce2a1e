"""What can be known of a contract's code before it runs: constants and jump targets."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

_JUMPDEST = 0x5B
_PUSH0 = 0x5F
_CODE_SIZE_BYTES_MAX = 24_576
_REMEMBERED_MAX = 64
"""An analysis may take 90 times the memory of its code: 64 of 24 kB take 140 MB at most."""
# A push with as many of its bytes as there are. What stands between two matches are
# one-byte instructions, so that the search never begins inside a constant.
_PUSHES = re.compile(
    b"|".join(b"\\x%02x[\\x00-\\xff]{0,%d}" % (_PUSH0 + size, size) for size in range(1, 33))
)


class Analysis(NamedTuple):
    """Of one piece of code."""

    constants: dict[int, int]
    """Position of a push instruction to the number that it pushes."""
    jump_targets: frozenset[int]
    """Positions of JUMPDEST instructions that are not part of a constant."""


def analyse(code: bytes) -> Analysis:
    """Analyse code. The latest pieces are remembered, but for those longer than a contract's."""
    return _remembered(code) if len(code) <= _CODE_SIZE_BYTES_MAX else _analyse(code)


def _analyse(code: bytes) -> Analysis:
    constants: dict[int, int] = {}
    bare = bytearray(code)
    for match in _PUSHES.finditer(code):
        at, end = match.span()
        size = code[at] - _PUSH0
        # Code that ends inside a constant goes on with zeros (yellow paper, section 9.4.1).
        constants[at] = int.from_bytes(code[at + 1 : end], "big") << 8 * (size - (end - at - 1))
        bare[at + 1 : end] = bytes(end - at - 1)
    return Analysis(
        constants, frozenset(at for at, opcode in enumerate(bare) if opcode == _JUMPDEST)
    )


_remembered = lru_cache(maxsize=_REMEMBERED_MAX)(_analyse)
