"""The words of an instrument's table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class WhilePledged(IntEnum):
    """What a pledge does to an act."""

    NO = 0
    """Not possible."""
    PERMIT = 1
    """Possible once the pledgee has permitted this very call."""
    FREE = 2
    """Possible as if there were no pledge."""


@dataclass(frozen=True, slots=True)
class Act:
    """One row of the table."""

    number: int
    name: str
    """Lower case with hyphens, as in paths of the API."""
    states: frozenset[str]
    """In which it is possible."""
    to: str | None
    """The state it leads to; None: it stays as it is."""
    leads: tuple[tuple[str, str], ...]
    """From which state to which: acts of all instruments, which otherwise leave it as it is."""
    by: tuple[str, ...]
    """Parties, any of whom may."""
    while_pledged: WhilePledged
    while_frozen: bool
    while_locked: bool
    text: str
    text_zh: str


@dataclass(frozen=True, slots=True)
class Machine:
    """The whole table of one instrument."""

    name: str
    title: str
    title_zh: str
    states: tuple[str, ...]
    """By number."""
    parties: tuple[str, ...]
    """By bit: those that all instruments have, then its own."""
    acts: tuple[Act, ...]
    """By number."""

    def act(self, name: str) -> Act:
        """The act of that name. Raises `KeyError`."""
        for act in self.acts:
            if act.name == name:
                return act
        raise KeyError(name)

    def after(self, act: Act, state: str) -> str:
        """The state that an act leads to."""
        return dict(act.leads).get(state, state) if act.to is None else act.to
