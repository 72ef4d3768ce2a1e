"""Kinds of the messages of a scorecard, and how wide the numbers in them are."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from federation.channel import Message, get_array, get_list
from federation.scorecard.coding import EVIDENCE_MAX
from federation.scorecard.errors import PartyWrong
from federation.scorecard.moments import RESPONSE_MAX, WEIGHT_OF_ROW_BITS
from federation.sums import Offer

BEGIN: Final = "scorecard/begin"
"""Guest to host: the key's public part, the settings, the rows, their sealed labels."""
COUNTS: Final = "scorecard/counts"
"""Host to guest: rows of each group, sealed bads of each group."""
EVIDENCE: Final = "scorecard/evidence"
"""Guest to host: the weight of evidence of each group."""
STEP: Final = "scorecard/step"
"""Guest to host: sealed, of each row, what the moments are of."""
ROWS: Final = "scorecard/rows"
"""Host to host: weights of rows times own evidence, sealed by the guest's key and blinded."""
MOMENTS: Final = "scorecard/moments"
"""Host to guest: sealed moments of its features with the guest's, its own, former hosts'."""
WEIGHTS: Final = "scorecard/weights"
"""Guest to host: the weights of its features."""
SEED: Final = "scorecard/seed"
"""Host to host: from which both draw the same masks."""
ASK: Final = "scorecard/ask"
"""Guest to host: how many aligned rows to score."""
FORWARD: Final = "scorecard/forward"
"""Host to guest: its masked part of each row's margin."""

_WEIGHT_BITS: Final = WEIGHT_OF_ROW_BITS - 1
_EVIDENCE_BITS: Final = EVIDENCE_MAX.bit_length()
_RESPONSE_BITS: Final = RESPONSE_MAX.bit_length()


def guest_bits(rows: int) -> int:
    """Of a total over rows of weight times the guest's evidence times a host's, with its sign."""
    widest = max(_WEIGHT_BITS + _EVIDENCE_BITS, _RESPONSE_BITS)
    return widest + _EVIDENCE_BITS + rows.bit_length() + 1


def host_bits(rows: int) -> int:
    """Of a total over rows of weight times two features of hosts, with its sign."""
    return _WEIGHT_BITS + 2 * _EVIDENCE_BITS + rows.bit_length() + 1


def label_bits(rows: int) -> int:
    """Of a count of bads, with its sign."""
    return rows.bit_length() + 1


def read_whole(message: Message, key: str, lengths: list[int], most: int) -> list[list[int]]:
    """Lists of just these lengths, of whole numbers of at most that size. Raises `PartyWrong`."""
    lists = get_list(message, key, length_max=len(lengths))
    found: list[list[int]] = []
    for numbers in lists:
        if not isinstance(numbers, list):
            raise PartyWrong(message.party, f"{message.kind} {key}: not lists of numbers")
        whole = [one for one in numbers if isinstance(one, int) and not isinstance(one, bool)]
        if len(whole) != len(numbers) or any(abs(one) > most for one in whole):
            raise PartyWrong(message.party, f"{message.kind} {key}: not whole numbers to {most}")
        found.append(whole)
    if [len(one) for one in found] != lengths:
        raise PartyWrong(message.party, f"{message.kind} {key}: other lengths than are meant")
    return found


def read_sealed(message: Message, key: str, count: int, width: int) -> NDArray[np.uint8]:
    """So many sealed numbers. Raises `MessageInvalid` of `federation.channel`."""
    return get_array(message, key, dtype="<u1", shape=(count, width))


def scalars(message: Message) -> Offer:
    """A map of plain values: an offer. Raises `PartyWrong` for one that holds others."""
    found: Offer = {}
    for name, value in message.body.items():
        if value is not None and not isinstance(value, bool | int | float | str | bytes):
            raise PartyWrong(message.party, f"{message.kind} {name}: not a plain value")
        found[name] = value
    return found
