"""Who may do what, as docs/instruments tells people: written down a second time, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

STORE, BARN = "green-valley", "high-barn"
TRADER, MILL = "night-carrier", "stone-mill"
BANK, HARBOUR = "town-bank", "harbour-bank"
COURT, STRANGER = "river-court", "outsider"
ORGANISATIONS: Final = (STORE, BARN, TRADER, MILL, BANK, HARBOUR, COURT, STRANGER)
BANKS: Final = (BANK, HARBOUR)
WAREHOUSES: Final = (STORE, BARN)
TRADERS: Final = (STORE, BARN, TRADER, MILL)
"""Who holds and owes things; the stranger never does."""


@dataclass(frozen=True)
class Act:
    """A line of the table."""

    by: tuple[str, ...]
    states: tuple[str, ...]
    to: str | None = None
    pledged: str = "no"
    """`no`, `permit` or `free`."""
    frozen: bool = False
    locked: bool = False


LIVE: Final = ("live",)
IN_STORE: Final = ("live", "surrendered", "paper", "expired")
CONTROLLED: Final = ("live", "surrendered", "expired")
RECEIPT: Final = {
    "freeze": Act(("authority",), IN_STORE, None, "free", True, True),
    "unfreeze": Act(("authority",), IN_STORE, None, "free", True, True),
    "award": Act(("authority",), CONTROLLED, None, "free", True),
    "permit": Act(("pledgee",), CONTROLLED, None, "free"),
    "encumber": Act(("pledges",), LIVE),
    "disencumber": Act(
        ("pledges",),
        ("live", "surrendered", "expired", "delivered", "cancelled"),
        None,
        "free",
        True,
    ),
    "lock": Act(("settlement",), LIVE),
    "unlock": Act(("settlement",), ("live", "expired"), None, "free", True, True),
    "settle": Act(("settlement",), LIVE, None, "no", False, True),
    "nominate": Act(("owner",), LIVE, None, "permit"),
    "endorse": Act(("holder",), LIVE, None, "permit"),
    "transfer-holding": Act(("holder",), LIVE, None, "permit"),
    "transfer-both": Act(("holder",), LIVE, None, "permit"),
    "reject-ownership": Act(("owner",), LIVE, None, "free"),
    "reject-holding": Act(("holder",), LIVE, None, "free"),
    "reject-both": Act(("sole",), LIVE, None, "free"),
    "surrender": Act(("sole",), ("live", "expired"), "surrendered", "permit"),
    "recall": Act(("sole",), ("surrendered",), "live", "free"),
    "restore": Act(("warehouse",), ("surrendered",), "live", "free"),
    "shred": Act(("warehouse",), ("surrendered",), "delivered", "free"),
    "split": Act(("sole",), LIVE, "split", "permit"),
    "merge": Act(("sole",), LIVE, "merged"),
    "request-delivery": Act(("sole",), ("live", "expired"), None, "permit"),
    "deliver": Act(("warehouse",), ("live", "expired"), None, "free"),
    "expire": Act(("anybody",), LIVE, "expired", "free", False, True),
    "cancel": Act(("warehouse",), ("surrendered",), "cancelled", "permit"),
}

OPEN: Final = ("accepted", "disputed", "presented", "defaulted")
STANDING: Final = ("proposed", "confirmed", *OPEN)
RECEIVABLE: Final = {
    "freeze": Act(("authority",), STANDING, None, "free", True, True),
    "unfreeze": Act(("authority",), STANDING, None, "free", True, True),
    "encumber": Act(("pledges",), ("confirmed", "accepted")),
    "disencumber": Act(
        ("pledges",), ("confirmed", *OPEN, "paid", "lapsed", "annulled"), None, "free", True
    ),
    "lock": Act(("settlement",), ("confirmed", "accepted", "presented", "defaulted")),
    "unlock": Act(
        ("settlement",),
        ("confirmed", *OPEN, "paid", "lapsed", "annulled"),
        None,
        "free",
        True,
        True,
    ),
    "settle": Act(
        ("settlement",),
        ("confirmed", "accepted", "presented", "defaulted"),
        None,
        "no",
        False,
        True,
    ),
    "accept": Act(("debtor",), ("proposed",), "accepted"),
    "refuse": Act(("debtor",), ("proposed",), "refused"),
    "cancel": Act(("issuer",), ("proposed",), "cancelled"),
    "undertake": Act(
        ("holder",), ("confirmed", "accepted", "presented", "defaulted"), None, "free"
    ),
    "endorse": Act(("holder",), ("accepted",), None, "permit"),
    "reject": Act(("holder",), ("accepted",), None, "permit"),
    "split": Act(("holder",), ("confirmed", "accepted"), "split", "permit"),
    "present": Act(("holder", "pledgee"), ("accepted",), "presented", "free"),
    "confirm-payment": Act(("holder",), OPEN, None, "permit"),
    "discharge": Act(("settlement",), OPEN, None, "free", False, True),
    "dispute": Act(("debtor",), ("accepted",), "disputed", "free", False, True),
    "withdraw-dispute": Act(("debtor",), ("disputed",), "accepted", "free", False, True),
    "concede": Act(("holder",), ("disputed",), "accepted", "permit"),
    "declare-default": Act(("holder", "pledgee"), ("accepted", "presented"), "defaulted", "free"),
}

FORBIDDEN: Final = frozenset(
    {"DealNotEntitled", "NotBank", "NotDebtor", "NotEntitled", "NotParty", "NotWarehouse"}
    | {"NotCounter", "NotAuthority"}
)
STALE: Final = frozenset({"StaleRevision", "StaleDeal"})
SENSELESS: Final = frozenset(
    {"InvalidAmount", "InvalidParty", "InvalidPledgee", "InvalidQuantity"}
    | {"PartsDiffer", "GoodsDiffer"}
)


def status_of(refusal: str) -> int:
    """403: not theirs. 412: they were late. 422: it makes no sense. 404: not theirs to see."""
    if refusal == UNSEEN:
        return 404
    if refusal in FORBIDDEN:
        return 403
    if refusal in STALE:
        return 412
    return 422 if refusal in SENSELESS else 409


UNSEEN: Final = "(not found)"
