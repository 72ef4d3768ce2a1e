"""Eligibility rules as data: which assets a pool takes, and why it does not take one.

The rules are a JSON document whose canonical form (RFC 8785) has the hash that the pool's terms
name:

    {"version": 1,
     "rules": [{"field": "balance", "atLeast": 1, "atMost": 50000000},
               {"field": "region", "in": ["JS", "ZJ"]},
               {"field": "maturity", "atMost": "2029-12-31"},
               {"field": "product", "is": "auto"},
               {"field": "restructured", "not": "yes"}],
     "limits": [{"by": "debtor", "shareBpMax": 100}, {"by": "region", "shareBpMax": 4000}]}

Each rule looks at one field of an asset; `balance` and `daysPastDue` are whole numbers, and so are
fields that are compared with numbers. Dates are texts `YYYY-MM-DD`, which compare as dates do.
Each limit is about the whole pool: no value of the field has more than that share of the balance.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from contracts.pools.errors import RulesError
from ledger.canonical import JsonError, canonical_json, parse_json
from ledger.types import Hash32

Value = str | int
Check = Callable[[Mapping[str, Value]], str | None]

RULES_MAX: Final = 128
CHOICES_MAX: Final = 1_024
VALUES_MAX: Final = 5_000_000
"""Different values of a limited field in one pool."""
TEXT_MAX: Final = 256
_DOCUMENT_BYTES_MAX: Final = 65_536
_FIELD: Final = re.compile(r"[a-z][A-Za-z0-9_]{0,63}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}")
_BP: Final = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """No value of the field may have more than the share of the pool's balance."""

    by: str
    share_bp_max: int


@dataclass(frozen=True, slots=True)
class Excess:
    """A value that has too large a share."""

    by: str
    value: str
    balance: int
    share_bp: int
    share_bp_max: int


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules in force."""

    document: bytes = field(repr=False)
    """Canonical JSON."""
    fields: tuple[str, ...]
    """That rules and limits look at."""
    limits: tuple[Limit, ...]
    _checks: tuple[Check, ...] = field(repr=False)

    @classmethod
    def parse(cls, data: bytes) -> Rules:
        """The rules in a JSON document. Raises `RulesError`."""
        try:
            document = parse_json(data, size_bytes_max=_DOCUMENT_BYTES_MAX, depth_max=8)
        except JsonError as error:
            raise RulesError(f"eligibility rules: {error}") from error
        if not isinstance(document, dict) or document.get("version") != 1:
            raise RulesError('eligibility rules: an object with "version": 1 is meant')
        if unknown := set(document) - {"version", "rules", "limits"}:
            raise RulesError(f"eligibility rules: {', '.join(sorted(unknown))} is not known")
        rules = _objects(document, "rules")
        limits = tuple(_limit(one, index) for index, one in enumerate(_objects(document, "limits")))
        checks = tuple(
            check for index, one in enumerate(rules) for check in _checks(one, f"rule {index + 1}")
        )
        names = [str(one["field"]) for one in rules] + [limit.by for limit in limits]
        return cls(canonical_json(document), tuple(dict.fromkeys(names)), limits, checks)

    @property
    def hash(self) -> Hash32:
        """SHA-256 of the document: what the pool's terms name."""
        return Hash32(sha256(self.document).digest())

    def reasons(self, asset: Mapping[str, Value]) -> tuple[str, ...]:
        """Why the asset is not taken; empty: it is."""
        return tuple(reason for check in self._checks if (reason := check(asset)) is not None)


class Concentration:
    """Balances by the values of the limited fields, asset by asset."""

    def __init__(self, limits: tuple[Limit, ...]) -> None:
        self._limits = limits
        self._balances: tuple[dict[str, int], ...] = tuple({} for _ in limits)
        self._total = 0

    def add(self, asset: Mapping[str, Value], balance: int) -> None:
        """Count an asset in. Raises `RulesError` where there are too many values."""
        self._total += balance
        for limit, balances in zip(self._limits, self._balances, strict=True):
            value = str(asset.get(limit.by, ""))
            balances[value] = balances.get(value, 0) + balance
            if len(balances) > VALUES_MAX:
                raise RulesError(f"more than {VALUES_MAX} values of {limit.by}")

    def excesses(self) -> tuple[Excess, ...]:
        """Values over their limits, the largest first."""
        found = [
            Excess(limit.by, value, balance, balance * _BP // self._total, limit.share_bp_max)
            for limit, balances in zip(self._limits, self._balances, strict=True)
            for value, balance in balances.items()
            if balance * _BP > self._total * limit.share_bp_max
        ]
        return tuple(sorted(found, key=lambda one: (-one.balance, one.by, one.value)))


def _objects(document: Mapping[str, object], name: str) -> list[dict[str, object]]:
    found = document.get(name, [])
    if not isinstance(found, list) or len(found) > RULES_MAX:
        raise RulesError(f"eligibility rules: {name} is a list of at most {RULES_MAX}")
    for one in found:
        if not isinstance(one, dict):
            raise RulesError(f"eligibility rules: {name} has something that is no object")
    return found


def _limit(one: Mapping[str, object], index: int) -> Limit:
    place = f"limit {index + 1}"
    if set(one) != {"by", "shareBpMax"}:
        raise RulesError(f"eligibility rules: {place} has by and shareBpMax, and nothing else")
    share = one["shareBpMax"]
    if isinstance(share, bool) or not isinstance(share, int) or not 1 <= share <= _BP:
        raise RulesError(f"eligibility rules: {place}: shareBpMax is 1 to {_BP}")
    return Limit(_field(one["by"], place), share)


def _field(name: object, place: str) -> str:
    if not isinstance(name, str) or not _FIELD.fullmatch(name):
        raise RulesError(f"eligibility rules: {place}: {str(name)[:80]!r} is no field's name")
    return name


def _value(value: object, place: str) -> Value:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise RulesError(f"eligibility rules: {place} compares with texts or whole numbers")
    if isinstance(value, str) and len(value) > TEXT_MAX:
        raise RulesError(f"eligibility rules: {place}: a text has at most {TEXT_MAX} characters")
    return value


def _checks(one: Mapping[str, object], place: str) -> list[Check]:
    if "field" not in one or len(one) < 2:
        raise RulesError(f"eligibility rules: {place} has a field and a condition")
    name = _field(one["field"], place)
    found: list[Check] = []
    for word, wanted in one.items():
        if word == "field":
            continue
        if word in ("in", "notIn"):
            found.append(_choice(name, word, wanted, place))
        elif word in _COMPARISONS:
            found.append(_comparison(name, word, _value(wanted, place)))
        else:
            raise RulesError(f"eligibility rules: {place}: {word[:80]!r} is no condition")
    return found


def _order(found: Value, wanted: Value) -> int:
    """Below 0, 0 or above 0; numbers as numbers, everything else as texts."""
    if isinstance(found, int) and isinstance(wanted, int):
        return (found > wanted) - (found < wanted)
    return (str(found) > str(wanted)) - (str(found) < str(wanted))


_COMPARISONS: Final[Mapping[str, tuple[str, Callable[[int], bool]]]] = {
    "is": ("is not", lambda order: order == 0),
    "not": ("is", lambda order: order != 0),
    "atLeast": ("is below", lambda order: order >= 0),
    "atMost": ("is above", lambda order: order <= 0),
}
"""What a refusal says, and which orders of found and wanted are meant."""


def _comparison(name: str, word: str, wanted: Value) -> Check:
    verb, holds = _COMPARISONS[word]
    number = isinstance(wanted, int)

    def check(asset: Mapping[str, Value]) -> str | None:
        found = asset.get(name)
        if found is None or found == "":
            return f"{name} is missing"
        if number and isinstance(found, str):
            if not _NUMBER.fullmatch(found):
                return f"{name} {found[:40]!r} is no whole number"
            found = int(found)
        return None if holds(_order(found, wanted)) else f"{name} {found} {verb} {wanted}"

    return check


def _choice(name: str, word: str, wanted: object, place: str) -> Check:
    if not isinstance(wanted, list) or not 1 <= len(wanted) <= CHOICES_MAX:
        raise RulesError(f"eligibility rules: {place}: {word} is a list of 1 to {CHOICES_MAX}")
    choices = frozenset(str(_value(one, place)) for one in wanted)
    must = word == "in"

    def check(asset: Mapping[str, Value]) -> str | None:
        found = asset.get(name)
        if found is None or found == "":
            return f"{name} is missing"
        if (str(found) in choices) == must:
            return None
        return f"{name} {str(found)[:40]} is {'not ' if must else ''}among those of {place}"

    return check
