"""Events of PoolBook and Pools, and answers of what they can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.abi import Function
from contracts.artifact import Artifact
from contracts.consortium import organisation_id_text
from contracts.events import LogDecoder, Values, address_of
from contracts.instruments.records import code_text, hash_of, organisation_of
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.pools.types import (
    Account,
    AssetsAdmitted,
    AssetsDismissed,
    BookEvent,
    CashEvent,
    Collected,
    Collection,
    CollectionVoided,
    Day,
    DayCommitted,
    Distributed,
    Distribution,
    Fee,
    FeesAgreed,
    Limits,
    Open,
    Owed,
    Payment,
    PaymentConfirmed,
    PaymentDue,
    PaymentKind,
    Pool,
    PoolAct,
    PoolChanged,
    PoolState,
    RulesPublished,
    Terms,
    Tranche,
    TrancheAgreed,
    UnitsMoved,
    date_of,
)
from ledger.types import Hash32, Log


def decode_book_log(log: Log) -> BookEvent:
    """The event in a log of PoolBook. Raises `LogError` where it is none of its events."""
    return _BOOK_EVENTS.decode(log)


def decode_log(log: Log) -> CashEvent:
    """The event in a log of Pools. Raises `LogError` where it is none of its events."""
    return _CASH_EVENTS.decode(log)


# ---- structs: by the names of their members, all the way down ------------------------------------


def _parameter(artifact: Artifact, event: str, name: str) -> Mapping[str, Any]:
    entry = next(e for e in artifact.abi if e["type"] == "event" and e["name"] == event)
    found: Mapping[str, Any] = next(p for p in entry["inputs"] if p["name"] == name)
    return found


def _named(shape: Mapping[str, Any], value: Any) -> Any:
    """A struct as a dictionary, with the structs within it."""
    if not str(shape["type"]).startswith("tuple"):
        return value
    if str(shape["type"]).endswith("]"):
        inner = {**shape, "type": "tuple"}
        return [_named(inner, one) for one in value]
    parts: Sequence[Mapping[str, Any]] = shape["components"]
    return {part["name"]: _named(part, one) for part, one in zip(parts, value, strict=True)}


_POOL: Final = _parameter(POOL_BOOK_ARTIFACT, "PoolChanged", "pool")
_FEES: Final = _parameter(POOL_BOOK_ARTIFACT, "FeesAgreed", "fees")
_TRANCHE: Final = _parameter(POOL_BOOK_ARTIFACT, "TrancheAgreed", "tranche")
_DAY: Final = _parameter(POOL_BOOK_ARTIFACT, "DayCommitted", "day")
_COLLECTION: Final = _parameter(POOLS_ARTIFACT, "Collected", "content")
_OPEN: Final = _parameter(POOLS_ARTIFACT, "Collected", "open")
_DISTRIBUTION: Final = _parameter(POOLS_ARTIFACT, "Distributed", "content")
_OWED: Final = _parameter(POOLS_ARTIFACT, "Distributed", "tranches")
_ACCOUNT: Final = _parameter(POOLS_ARTIFACT, "Distributed", "account")
_PAYMENT: Final = _parameter(POOLS_ARTIFACT, "PaymentDue", "content")


def _pool(value: Any) -> Pool:
    values = _named(_POOL, value)
    accepted = values["accepted"]
    trustee, servicer = values["nominees"]
    last = values["lastDate"]
    return Pool(
        arranger=organisation_id_text(values["arranger"]),
        number=code_text(values["number"]),
        terms=_terms(values["terms"]),
        state=PoolState(values["state"]),
        trustee_accepted=bool(accepted & 1),
        servicer_accepted=bool(accepted & 2),
        last_date=date_of(last) if last else None,
        nominated_trustee=organisation_of(trustee),
        nominated_servicer=organisation_of(servicer),
    )


def _terms(values: Mapping[str, Any]) -> Terms:
    limits = values["limits"]
    return Terms(
        trustee=organisation_id_text(values["trustee"]),
        servicer=organisation_id_text(values["servicer"]),
        residual=organisation_id_text(values["residual"]),
        currency=code_text(values["currency"]),
        basis=values["basis"],
        start=date_of(values["start"]),
        sequential_bp=values["sequentialBp"],
        turbo_bp=values["turboBp"],
        rules=Hash32(values["rules"]),
        terms=Hash32(values["terms"]),
        limits=Limits(limits["assetsMax"], date_of(limits["admitUntil"]), limits["balanceMax"]),
    )


def _fees(value: Any) -> tuple[Fee, ...]:
    return tuple(
        Fee(organisation_id_text(one["payee"]), one["rateBp"], one["fixedAmount"])
        for one in _named(_FEES, value)
    )


def _tranche(value: Any) -> Tranche:
    values = _named(_TRANCHE, value)
    name = code_text(values["name"])
    return Tranche(name, values["seniority"], values["rateBp"], values["principal"])


def _day(value: Any) -> Day:
    values = _named(_DAY, value)
    return Day(
        root=Hash32(values["root"]),
        delta=hash_of(values["delta"]),
        performing=values["performing"],
        overdue=values["overdue"],
        defaulted=values["defaulted"],
        count=values["count"],
        changed=values["changed"],
    )


def _collection(value: Any) -> Collection:
    values = _named(_COLLECTION, value)
    return Collection(
        payment=Hash32(values["payment"]),
        root=hash_of(values["root"]),
        count=values["count"],
        date=date_of(values["date"]),
        period=values["period"],
        principal=values["principal"],
        income=values["income"],
        voided=values["voided"],
    )


def _open(value: Any) -> Open:
    values = _named(_OPEN, value)
    return Open(values["principal"], values["income"], values["revision"])


def _distribution(value: Any) -> Distribution:
    values = _named(_DISTRIBUTION, value)
    return Distribution(
        end=date_of(values["end"]),
        revision=values["revision"],
        sequential=values["sequential"],
        turbo=values["turbo"],
        first_payment=values["firstPayment"],
        payments=values["payments"],
        collected=values["collected"],
        fees=values["fees"],
        interest=values["interest"],
        principal=values["principal"],
        residual=values["residual"],
    )


def _owed(value: Any) -> tuple[Owed, ...]:
    return tuple(
        Owed(one["repaid"], one["carried"], one["remainder"]) for one in _named(_OWED, value)
    )


def _account(value: Any) -> Account:
    values = _named(_ACCOUNT, value)
    return Account(
        periods=values["periods"],
        period_end=values["periodEnd"],
        collections=values["collections"],
        payments=values["payments"],
        unconfirmed=values["unconfirmed"],
        shortfall=values["shortfall"],
        defaulted_peak=values["defaultedPeak"],
    )


def _payment(value: Any) -> Payment:
    values = _named(_PAYMENT, value)
    return Payment(
        payee=organisation_id_text(values["payee"]),
        period=values["period"],
        kind=PaymentKind(values["kind"]),
        index=values["index"],
        amount=values["amount"],
        principal=values["principal"],
        settled=hash_of(values["settled"]),
    )


# ---- events -------------------------------------------------------------------------------------


def _id(values: Values) -> Hash32:
    return Hash32(values["id"])


def _by(values: Values) -> str:
    return organisation_id_text(values["by"])


def _assets(values: Values) -> tuple[Hash32, ...]:
    return tuple(Hash32(one) for one in values["assets"])


def _holders(values: Values) -> tuple[tuple[str, int], ...]:
    names = [organisation_id_text(one) for one in values["holders"]]
    return tuple(zip(names, values["units"], strict=True))


_BOOK_EVENTS: Final = LogDecoder[BookEvent](
    POOL_BOOK_ARTIFACT,
    PoolChanged=lambda v: PoolChanged(
        _id(v), _by(v), PoolAct(v["act"]), _pool(v["pool"]), v["remark"]
    ),
    FeesAgreed=lambda v: FeesAgreed(_id(v), _fees(v["fees"])),
    TrancheAgreed=lambda v: TrancheAgreed(_id(v), v["index"], _tranche(v["tranche"]), _holders(v)),
    RulesPublished=lambda v: RulesPublished(_id(v), Hash32(v["rules"]), v["payload"]),
    UnitsMoved=lambda v: UnitsMoved(
        _id(v),
        organisation_id_text(v["from"]),
        organisation_id_text(v["to"]),
        v["index"],
        v["units"],
        v["fromUnits"],
        v["toUnits"],
    ),
    DayCommitted=lambda v: DayCommitted(
        _id(v), date_of(v["date"]), _by(v), v["revision"], _day(v["day"]), v["reason"]
    ),
    AssetsAdmitted=lambda v: AssetsAdmitted(_id(v), address_of(v["instrument"]), _assets(v)),
    AssetsDismissed=lambda v: AssetsDismissed(
        _id(v), address_of(v["instrument"]), _assets(v), v["reason"]
    ),
)

_CASH_EVENTS: Final = LogDecoder[CashEvent](
    POOLS_ARTIFACT,
    Collected=lambda v: Collected(
        _id(v), _by(v), v["number"], _collection(v["content"]), _open(v["open"])
    ),
    CollectionVoided=lambda v: CollectionVoided(
        _id(v), Hash32(v["payment"]), _by(v), v["number"], _open(v["open"]), v["reason"]
    ),
    Distributed=lambda v: Distributed(
        _id(v),
        v["period"],
        _by(v),
        _distribution(v["content"]),
        _owed(v["tranches"]),
        _owed(v["fees"]),
        _account(v["account"]),
    ),
    PaymentDue=lambda v: PaymentDue(_id(v), v["number"], _payment(v["content"])),
    PaymentConfirmed=lambda v: PaymentConfirmed(
        _id(v), organisation_id_text(v["payee"]), _by(v), v["number"], Hash32(v["settled"])
    ),
)

# ---- answers ------------------------------------------------------------------------------------

_POOL_OF: Final = Function.of(POOL_BOOK_ARTIFACT, "poolOf")
_DAY_OF: Final = Function.of(POOL_BOOK_ARTIFACT, "dayOf")
_OPEN_OF: Final = Function.of(POOLS_ARTIFACT, "openOf")
_ACCOUNT_OF: Final = Function.of(POOLS_ARTIFACT, "accountOf")
_OWED_OF: Final = Function.of(POOLS_ARTIFACT, "owedOf")
_PAYMENT_OF: Final = Function.of(POOLS_ARTIFACT, "paymentOf")


def pool_calldata(id_: Hash32) -> bytes:
    """Calldata of `poolOf` (PoolBook), to be called, not sent."""
    return _POOL_OF.calldata(id_)


def decode_pool(output: bytes) -> Pool | None:
    """The pool, or None where the id is unknown. Raises `CalldataError`."""
    (found,) = _POOL_OF.result(output)
    return _pool(found) if any(found[0]) else None


def day_calldata(id_: Hash32, days: int, revision: int = 0) -> bytes:
    """Calldata of `dayOf` (PoolBook); `days` since 1970-01-01, revision 0: the newest."""
    return _DAY_OF.calldata(id_, days, revision)


def decode_day(output: bytes) -> Day:
    """The state of a date. Raises `CalldataError`."""
    return _day(_DAY_OF.result(output)[0])


def open_calldata(id_: Hash32, period: int) -> bytes:
    """Calldata of `openOf` (Pools), to be called, not sent."""
    return _OPEN_OF.calldata(id_, period)


def decode_open(output: bytes) -> Open:
    """What was collected for a period. Raises `CalldataError`."""
    return _open(_OPEN_OF.result(output)[0])


def account_calldata(id_: Hash32) -> bytes:
    """Calldata of `accountOf` (Pools), to be called, not sent."""
    return _ACCOUNT_OF.calldata(id_)


def decode_account(output: bytes) -> Account:
    """Where the pool's money stands. Raises `CalldataError`."""
    return _account(_ACCOUNT_OF.result(output)[0])


def owed_calldata(id_: Hash32) -> bytes:
    """Calldata of `owedOf` (Pools), to be called, not sent."""
    return _OWED_OF.calldata(id_)


def decode_owed(output: bytes) -> tuple[tuple[Owed, ...], tuple[Owed, ...]]:
    """What tranches and payees of fees have had and are owed. Raises `CalldataError`."""
    tranches, fees = _OWED_OF.result(output)
    return _owed(tranches), _owed(fees)


def payment_calldata(id_: Hash32, number: int) -> bytes:
    """Calldata of `paymentOf` (Pools), to be called, not sent."""
    return _PAYMENT_OF.calldata(id_, number)


def decode_payment(output: bytes) -> Payment:
    """A payment. Raises `CalldataError`."""
    return _payment(_PAYMENT_OF.result(output)[0])
