"""What a story of finance is made of: scenes, who takes part, and what must go as it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from api.client import Done, Refused
from nodes.demo.places import StoryOrganisation

GRANARY: Final = "songliao-granary"
TRADER: Final = "heye-grain"
MILL: Final = "yulin-mill"
FARM: Final = "qingshan-farm"
SEEDS: Final = "lvyuan-seeds"
BANK: Final = "harvest-bank"
OTHER_BANK: Final = "river-bank"
FINANCE_ORGANISATIONS: Final = (
    StoryOrganisation(GRANARY, "Songliao Granary", "松辽粮库", "warehouse"),
    StoryOrganisation(TRADER, "Heye Grain Trading", "禾野粮贸", "manufacturer"),
    StoryOrganisation(MILL, "Yulin Flour Mill", "榆林面粉厂", "manufacturer"),
    StoryOrganisation(FARM, "Qingshan Farm", "青山农场", "manufacturer"),
    StoryOrganisation(SEEDS, "Lvyuan Seeds", "绿源种业", "retailer"),
    StoryOrganisation(BANK, "Harvest Bank", "丰收银行", "bank"),
    StoryOrganisation(OTHER_BANK, "River Bank", "江河银行", "bank"),
)
CURRENCY: Final = "CNY"
DAY: Final = 86_400


class StoryBroken(Exception):
    """The story did not go as it is told; the message says where."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One thing that happened."""

    text: str
    text_zh: str
    leaf: int | None = None
    """Index in the log of its first event; None for what was refused or only looked at."""
    refusal: str | None = None
    """The contract's error, where it was refused as it should be."""
    balances: Mapping[str, str] = field(default_factory=dict)
    """Deposits afterwards by organisation, in hundredths of the currency, where the scene is
    about money."""


def refused(text: str, text_zh: str, refusal: str, act: Callable[[], Done]) -> Scene:
    """A scene in which the contracts refuse. Raises `StoryBroken` where they do not."""
    try:
        act()
    except Refused as error:
        if error.refusal != refusal:
            raise StoryBroken(f"{text}: refused as {error.refusal}: {error}") from error
        return Scene(text, text_zh, refusal=refusal)
    raise StoryBroken(f"{text}: it was not refused")


def expect(what: str, found: object, wanted: object) -> None:
    """Raises `StoryBroken` where something is not as it is told."""
    if found != wanted:
        raise StoryBroken(f"{what}: {found!r} instead of {wanted!r}")


def yuan(hundredths: int | str) -> str:
    """An amount for people: whole yuan where there are no fen."""
    amount, rest = divmod(int(hundredths), 100)
    return f"{amount:,}" + (f".{rest:02d}" if rest else "")


def sha256(text: str) -> str:
    """The hash of a document that stays where it is."""
    return f"0x{hashlib.sha256(text.encode()).hexdigest()}"
