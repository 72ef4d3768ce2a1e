"""Parameters of contracts' errors as people read them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from contracts.instruments.types import Act, Machine
from contracts.network.genesis import NODE_ID_SIZE_BYTES
from contracts.pledges.types import State

NAMES: Final = frozenset(
    {
        "askedBy",
        "attestor",
        "authority",
        "bank",
        "best",
        "creditor",
        "currency",
        "debtor",
        "field",
        "holder",
        "name",
        "number",
        "organisation",
        "payer",
        "pledgee",
        "warehouse",
    }
)
"""Parameters of fixed bytes that are text: organisations, codes, numbers. All others are ids and
hashes: hex, whatever their bytes look like."""
NODES: Final = frozenset({"idOrKey", "node"})
"""Parameters that are ids of nodes: shorter than their 32 bytes."""

_PARTIES: Final = {
    "anybody": "anybody",
    "authority": "an arbitrator or a regulator",
    "bank": "the bank whose offer was accepted",
    "buyer": "the named buyer, or any of the named role",
    "invited": "a bank that the application is open to",
    "itself": "its contract alone",
    "named": "the named buyer",
    "operator": "a platform (role Operator)",
    "sole": "who holds and owns it",
}
"""Parties of tables that are more than `the <party>`."""
_ON_BEHALF: Final = {
    **dict.fromkeys(("encumber", "lock", "settle"), "{}"),
    **dict.fromkeys(("disencumber", "seize"), "the pledgee"),
    "unfreeze": "the authority that has frozen it, or any once that one is active, or an "
    "authority, no longer",
}
"""Whom acts are for that another contract does for somebody, or that one of several may do."""

_FIELDS: Final = {
    "amount": "amount is nothing, or more than there is",
    "amountMin": "amountMin is nothing, or more than the amount",
    "asset": "the applicant does not hold the instrument",
    "assetRevision": "the instrument has changed since the revision that was named: look again",
    "currency": "currency is not three capital letters (ISO 4217)",
    "expires": "expires is past, or too far ahead",
    "graceSeconds": "graceSeconds is too long",
    "mode": "mode is missing",
    "noticeSeconds": "noticeSeconds is too long",
    "number": "number is not 1 to 32 printable ASCII characters without spaces",
    "penaltyBp": "penaltyBp is higher than possible",
    "purpose": "purpose is missing",
    "quotesUntil": "quotesUntil is past, or is told where nobody quotes under seal",
    "rateBpMax": "rateBpMax is higher than possible, or is missing where banks quote under seal, "
    "or is told where they do not",
    "revealUntil": "revealUntil is not after quotesUntil and before expires",
    "tableVersion": "a bank has no such version of its table in this currency, or one is named "
    "where banks quote under seal",
    "termDays": "termDays is nothing, or longer than possible",
    "yearDays": "yearDays is neither 360 nor 365",
}
"""What an application's field would have to be."""
_PARTS: Final = {
    "office": "trustee and servicer are to be two organisations",
    "servicer": "trustee and servicer are to be two organisations",
}
"""Parts of a pool that are refused for what they are to each other."""

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Value:
    """A parameter of an error, shown as the sentence wants it."""

    def __init__(self, value: Any, machine: Machine | None = None, name: str = "") -> None:
        """`name` is that of the parameter; `machine` the table of the record that it is about."""
        self._value = value
        self._machine = machine
        self._name = name

    def __str__(self) -> str:
        value = self._value
        if isinstance(value, bytes):
            return self._named if self._name in NAMES else self._hex
        return "".join(c if c.isprintable() else "\ufffd" for c in str(value))

    def __format__(self, how: str) -> str:
        """By the machine's table `act`, `state`, and of an act `while` (the states it is possible
        in) and `by` (whom it is for); `pledge`: as the states of pledges. `date` of days since
        1970-01-01, `time` of Unix seconds, `from` and
        `until` of those where 0 is ever. `at`: the bank of
        an account, if any. `field` of an application, `part` of a pool."""
        value = self._value
        match how:
            case "act":
                act = self._act
                return "this act" if act is None else act.name
            case "while" | "by":
                return "" if (act := self._act) is None else self._told(act, how)
            case "state":
                return self._state
            case "pledge":
                known = value in set(State)
                return State(value).word if known else "of an unknown state"
            case "date":
                return _moment(value, timedelta(days=1)).partition("T")[0]
            case "time":
                return _moment(value, timedelta(seconds=1))
            case "from":
                return f"from {self:time} " if value else ""
            case "until":
                return f"until {self:time}" if value else "for good"
            case "at":
                return f" at {self}" if any(value) else ", and has chosen no bank for it"
            case "field":
                return _FIELDS.get(str(self), f"{self} is missing or out of its bounds")
            case "part":
                return _PARTS.get(value, f"the pool's {self} is missing or out of its bounds")
        return str(self)

    @property
    def _named(self) -> str:
        stripped: bytes = self._value.rstrip(b"\0")
        if not stripped:
            return "(none)"
        readable = all(0x20 < byte < 0x7F for byte in stripped)
        return stripped.decode("ascii") if readable else self._hex

    @property
    def _hex(self) -> str:
        value: bytes = self._value
        short = self._name in NODES and not any(value[NODE_ID_SIZE_BYTES:])
        return f"0x{value[:NODE_ID_SIZE_BYTES].hex() if short else value.hex()}"

    @property
    def _act(self) -> Act | None:
        acts = () if self._machine is None else self._machine.acts
        return acts[self._value] if self._is_in(acts) else None

    @property
    def _state(self) -> str:
        states = () if self._machine is None else self._machine.states
        return states[self._value] if self._is_in(states) else "as it is now"

    def _is_in(self, names: Sequence[object]) -> bool:
        return isinstance(self._value, int) and self._value < len(names)

    def _told(self, act: Act, how: str) -> str:
        if how == "by":
            return f": it is for {self._entitled(act)}"
        states = () if self._machine is None else self._machine.states
        possible = [one for one in states if one in act.states]
        return f": it is while {_either(possible)}" if possible else ""

    def _entitled(self, act: Act) -> str:
        parties = () if self._machine is None else self._machine.parties
        disposes = "sole" if "sole" in parties else "holder"
        if act.name in _ON_BEHALF:
            return _ON_BEHALF[act.name].format(_party(disposes))
        return _either(_party(one) for one in act.by)


def _moment(count: int, unit: timedelta) -> str:
    """ISO 8601 in UTC; the bare number beyond what a calendar has."""
    try:
        return (_FIRST + count * unit).strftime("%Y-%m-%dT%H:%M:%SZ")
    except OverflowError:
        return str(count)


def _party(name: str) -> str:
    return _PARTIES.get(name, f"the {name}")


def _either(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
