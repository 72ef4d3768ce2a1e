"""The seam between an algorithm and the rounds in which it is carried out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from federation.horizontal.documents import Document, Round
from federation.horizontal.settings import Common, Privacy
from federation.horizontal.shapes import Shape, Work
from federation.masking import Sum
from federation.tables import Table

Progress: TypeAlias = Callable[[Round, bytes], None]
"""Told after each round: its record, and the state from which it can go on."""
Save: TypeAlias = Callable[[bytes], None]
"""Told after each answer of a bank: its state from which it can go on."""

K = TypeVar("K", bound=Document)
"""What the parties of a training know so far."""
M = TypeVar("M", bound=Document)
"""The model that comes out of it."""
_M = TypeVar("_M", bound=Document, covariant=True)
_K = TypeVar("_K", bound=Document, contravariant=True)


class BankSide(Protocol[_K]):
    """A bank's part of an algorithm: works on its own rows."""

    def work(self, ask: str, known: _K) -> Work:
        """The answer. Raises `DocumentInvalid` where what is known does not fit the ask."""
        ...


class Rounds(Protocol):
    """The server's way to the banks; one ask is one round."""

    def ask(self, ask: str, known: Document, *, tell: Document | None = None) -> Sum:
        """The masked sum of all banks' answers. `tell`: what they are told, if not `known`."""
        ...

    def deviation(self, ask: str, known: Document) -> float:
        """By how much noise moves a number of that sum: one standard deviation, or 0."""
        ...

    def gather(self, ask: str, known: Document) -> dict[str, NDArray[np.float64]]:
        """Every bank's answer by itself (without masks)."""
        ...

    def blame(self, party: str, kind: str, detail: str, *, leave_out: bool) -> None:
        """Write down what was wrong with a bank's answer; ask it no more if so wanted."""
        ...

    def learnt(self, known: Document, loss: float | None = None) -> None:
        """End the round: what the parties know now is recorded and can be gone on from."""
        ...


class Algorithm(Protocol[K, _M]):
    """An algorithm as both sides know it."""

    @property
    def settings(self) -> Common:
        """What the parties agreed on."""
        ...

    @property
    def privacy(self) -> Privacy | None:
        """Noise of every sum, if that was agreed."""
        ...

    @property
    def asks(self) -> Mapping[str, int]:
        """What the server may ask for, and how many times in a run."""
        ...

    @property
    def nothing(self) -> K:
        """What is known before the first round."""
        ...

    def known(self, data: bytes) -> K:
        """What the parties know, read. Raises `DocumentInvalid`."""
        ...

    def model(self, data: bytes) -> _M:
        """The finished model, read. Raises `DocumentInvalid`."""
        ...

    def shape(self, ask: str, known: K) -> Shape:
        """Of what a bank answers. Raises `DocumentInvalid` where the ask does not fit."""
        ...

    def side(self, table: Table, label: NDArray[np.uint8]) -> BankSide[K]:
        """A bank's part. Raises `TableRefused`."""
        ...

    def lead(self, rounds: Rounds, known: K) -> _M:
        """The server's part, from what is known to the model."""
        ...
