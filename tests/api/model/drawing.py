"""What stories are drawn from: who, which record, how much, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from tests.api.model.instruments import Instrument
from tests.api.model.tables import ORGANISATIONS, TRADERS

Body = Mapping[str, Any] | Callable[[Any], Mapping[str, Any]]
"""Of an act: as it is, or for a record."""
PICK = st.sampled_from([one for one in range(48) if one % 4] + list(range(0, 48, 4)))
"""Which record, and whether one is sought for which the act makes sense (see `aimed`)."""
WHO = st.sampled_from((None,) * 32 + ORGANISATIONS)
"""None: who may."""
TO = st.sampled_from(TRADERS)
SEEN = st.sampled_from(("any",) * 4 + ("now",) * 6 + ("before", "later"))
QUANTITY = st.sampled_from((4_000, 1_000, 1, 10_000, 30_000, 60_000, 0))
AMOUNT = st.sampled_from((5_000, 1_000, 1, 20_000, 45_000, 70_000, 0))
CHANCE = st.sampled_from((False,) * 6 + (True,))
HOLDERS = ("reject-ownership", "reject-holding", "reject-both", "recall", "expire")
STORES = ("restore", "shred", "shred", "deliver", "deliver", "cancel")
DEBTORS = ("accept", "accept", "accept", "refuse", "dispute", "withdraw-dispute")
CREDITORS = ("cancel", "endorse", "endorse", "reject", "undertake", "present", "declare-default")
GOODS = st.sampled_from(("wheat", "wheat", "wheat", "maize"))


Play = tuple[str, dict[str, Any]]
PLAYS: list[st.SearchStrategy[Play]] = []
Method = TypeVar("Method", bound=Callable[..., None])


def play(weight: int = 1, **drawn: st.SearchStrategy[Any]) -> Callable[[Method], Method]:
    """A thing that may happen in a story.

    All of them are one rule for Hypothesis, which otherwise leaves most rules out of each story:
    what needs an offer and a consent would hardly come about.
    """

    def note(method: Method) -> Method:
        name = st.just(method.__name__)
        PLAYS.extend([st.tuples(name, st.fixed_dictionaries(drawn))] * weight)
        return method

    return note


def one_of(some: Sequence[Any], pick: int) -> Any:
    """The last ones first: a story goes on where it was."""
    return some[-1 - pick % len(some)]


def aimed(some: Sequence[Any], pick: int, fits: Callable[[Any], bool]) -> Any:
    """Three times of four one that fits, where there is one."""
    fitting = [one for one in some if fits(one)] if pick % 4 else []
    return one_of(fitting or some, pick // 4)


def sound(one: Instrument) -> bool:
    """Whether its holder may pledge or sell it."""
    return not one.by_contract("lock", "settlement") and one.disposes(one.holder)


def natural(one: Instrument, act: str) -> str:
    """Somebody who may do it, as far as there is one."""
    meant = one.table()[act].by
    for name in ORGANISATIONS:
        if one.roles(name) & set(meant):
            return name
    return one.holder


def revision(one: Instrument, seen: str) -> int:
    """As If-Match tells it: whichever, the one of now, one that has passed or is to come."""
    if seen == "any":
        return 0
    if seen == "before" and one.revision > 1:
        return one.revision - 1
    return one.revision + (seen == "later")


def parts_of(whole: int, first: int, wrong: bool) -> list[int]:
    """Two parts, which make the whole or not."""
    if not 0 < first < whole:
        first = whole // 2
    return [first, whole - first + wrong]
