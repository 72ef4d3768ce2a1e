"""What parties are told of an act: the seam between a room's events and the feed of notices.

A room offers `notices(log: Log) -> tuple[Notice, ...]` beside its projection: a function of the log
alone, which says what happened and who is a party afterwards. Who was one before the act, and who
has goods in a lot that runs short, the feed knows by itself (`contracts.notices`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from ledger.types import Log

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"

NOTICES_PER_LOG_MAX: Final = 16
QUANTITIES: Final = frozenset(
    {
        # goods
        *("counted", "former", "free", "last_count", "live", "missing", "quantity", "requested"),
        # receivables, deposits and deals
        *("amount", "balance", "claim", "held", "limit", "outstanding", "paid", "rest"),
        *("set_aside",),
        # loans and prices
        *("accrued", "amount_max", "amount_min", "interest", "interest_paid", "lent", "principal"),
        # pools
        *("balance_max", "carried", "collected", "defaulted", "defaulted_peak", "fees"),
        *("fixed_amount", "income", "overdue", "performing", "recipient_units", "repaid"),
        *("residual", "sender_units", "shortfall", "units"),
        # models
        *("amounts", "delta", "epsilon", "price", "reported"),
    }
)
"""Names of quantities and amounts (uint128): decimal text in JSON, for no reader of JSON takes
more than 53 bits for the number that it is (RFC 8259 section 6). One list for all rooms: a name is
an amount everywhere or nowhere."""
_INTEGER_MAX: Final = (1 << 53) - 1


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that happened to one record."""

    kind: str
    """`<room>.<what happened>`, such as `receipt.issue` or `stock.shortfall-began`; at most 64
    characters of a-z, 0-9, `-` and one dot."""
    id: str
    """Of the record: `0x` and 64 hex digits."""
    parties: frozenset[str] | None
    """Organisations that are parties to the record after the act. None: as before it, with those
    that join, without those that leave."""
    body: Mapping[str, Json]
    """The record after the act, and what the act names."""
    by: tuple[str, ...] = ()
    """Who acted, or is told of this act alone without being a party."""
    joining: frozenset[str] = frozenset()
    leaving: frozenset[str] = frozenset()
    topic: str = ""
    """What the record lives on, such as the key of a receipt's lot. Empty: as before the act."""
    final: bool = False
    """The record is at its end: alarms of its topic no longer concern its parties."""
    alarm: bool = False
    """Concerns the parties of every live record whose topic is this notice's `id`."""


Source: TypeAlias = Callable[[Log], tuple[Notice, ...]]
"""`notices` of a room. Raises `LogError` where the log is none of the contract's events."""


def organisations(*names: str | None) -> frozenset[str]:
    """Those that are named at all."""
    return frozenset(name for name in names if name)


def as_json(value: object) -> Json:
    """A record for a notice's body.

    Names in camelCase, bytes as `0x…`, dates as `YYYY-MM-DD`, members of enumerations by their
    names in lower case with hyphens; whole numbers as such, but as decimal text in members that
    are named in `QUANTITIES` and wherever they have more than 53 bits. Raises `TypeError` for what
    no record has.
    """
    if isinstance(value, Enum):
        return value.name.lower().replace("_", "-")
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int):
        return value if -_INTEGER_MAX <= value <= _INTEGER_MAX else str(value)
    if isinstance(value, bytes):
        return f"0x{value.hex()}"
    if isinstance(value, date):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return {camel: _member(name, getattr(value, name)) for camel, name in _names(type(value))}
    if isinstance(value, list | tuple | frozenset | set):
        items = sorted(value) if isinstance(value, frozenset | set) else value
        return [as_json(one) for one in items]
    if isinstance(value, Mapping):
        return {str(key): as_json(one) for key, one in value.items()}
    raise TypeError(f"{type(value).__name__} does not go into a notice")


def _member(name: str, value: object) -> Json:
    """A member by that name: an amount is text also in a list of several."""
    if name in QUANTITIES:
        if isinstance(value, int) and not isinstance(value, bool | Enum):
            return str(value)
        if isinstance(value, list | tuple):
            return [_member(name, one) for one in value]
    return as_json(value)


@lru_cache(maxsize=512)
def _names(record: type[DataclassInstance]) -> tuple[tuple[str, str], ...]:
    """Of a dataclass's members: as JSON has them, and as Python does."""
    return tuple((camel_case(one.name), one.name) for one in fields(record))


def camel_case(name: str) -> str:
    """A member's name as JSON has it."""
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(part.capitalize() for part in rest)
