"""Unified social credit codes (GB 32100-2015) of firms that do not exist.

18 characters: registering department (9: market regulation), kind (1: enterprise), division
(GB/T 2260), organisation code (GB 11714-1997: eight characters and a check character), check
character. No division begins with 99, so that no code made here is anybody's.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from federation.generating.errors import CreditCodeInvalid, SettingsInvalid

ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100-2015, table 2: no I, O, S, V, Z."""
INVENTED_PROVINCE = "99"
CODES_MAX = 31**6

_WEIGHTS = np.array([pow(3, place, 31) for place in range(17)], dtype=np.int64)
_BODY_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64)
_BODY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LETTERS = np.frombuffer(ALPHABET.encode(), dtype=np.uint8)
_BODY_VALUES = np.array([_BODY_ALPHABET.index(letter) for letter in ALPHABET], dtype=np.int64)
_STEP = 580_083_577  # coprime to 31, about 31**6 divided by the golden ratio squared


def invented_codes(divisions: NDArray[np.int64], *, start: int) -> tuple[str, ...]:
    """A code for each row, all different, of the invented divisions 99dddd (0 <= dddd < 10,000).

    `start` (a seed) says where in the numbering they begin. Raises `SettingsInvalid` for more rows
    than there are codes, or divisions out of bounds.
    """
    rows = divisions.size
    if rows > CODES_MAX:
        raise SettingsInvalid(f"{rows} codes, there are {CODES_MAX}")
    if rows and not 0 <= int(divisions.min()) <= int(divisions.max()) < 10_000:
        raise SettingsInvalid("an invented division has four digits after its 99")
    numbers = np.empty((rows, 18), dtype=np.int64)
    numbers[:, :4] = [9, 1, 9, 9]
    for place in range(4):
        numbers[:, 4 + place] = divisions // 10 ** (3 - place) % 10
    numbers[:, 8:10] = [ALPHABET.index("M"), ALPHABET.index("A")]
    serial = (np.arange(rows, dtype=np.int64) + start % CODES_MAX) % CODES_MAX
    # The product stays below 2**63: both factors are below 31**6.
    serial = serial * _STEP % CODES_MAX
    for place in range(6):
        numbers[:, 10 + place] = serial // 31 ** (5 - place) % 31
    numbers[:, 16] = _body_check(numbers[:, 8:16])
    numbers[:, 17] = (31 - numbers[:, :17] @ _WEIGHTS % 31) % 31
    text = _LETTERS[numbers].tobytes().decode()
    return tuple(text[at : at + 18] for at in range(0, len(text), 18))


def require_credit_code(code: str) -> None:
    """Raise `CreditCodeInvalid` unless both check characters of a code are right."""
    if len(code) != 18 or any(letter not in ALPHABET for letter in code):
        raise CreditCodeInvalid("a credit code has 18 characters, digits and capitals but IOSVZ")
    numbers = np.array([[ALPHABET.index(letter) for letter in code]], dtype=np.int64)
    if int(_body_check(numbers[:, 8:16])[0]) != numbers[0, 16]:
        raise CreditCodeInvalid("the check character of the organisation code (17th) is wrong")
    if int(numbers[0] @ np.append(_WEIGHTS, 1)) % 31:
        raise CreditCodeInvalid("the check character (18th) is wrong")


def is_invented(code: str) -> bool:
    """Whether a code is of a division that does not exist."""
    return code[2:4] == INVENTED_PROVINCE


def _body_check(body: NDArray[np.int64]) -> NDArray[np.int64]:
    """The check character of organisation codes, as its place in the alphabet."""
    value = (11 - _BODY_VALUES[body] @ _BODY_WEIGHTS % 11) % 11
    return np.where(value == 10, ALPHABET.index("X"), value)
