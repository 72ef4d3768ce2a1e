"""Calls and logs of the Stock contract, and counts to be signed.

All builders of calldata raise `CalldataValueError` or `OrganisationIdError` for what does not fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from contracts.abi import Function
from contracts.consortium import organisation_id_text, organisation_id_word
from contracts.errors import CalldataError, CalldataValueError, LogError
from contracts.events import LogDecoder, Values, address_of
from contracts.genesis import STOCK_ADDRESS
from contracts.instruments.records import arranged, code_text, code_word, members_of, struct
from contracts.stock.genesis import STOCK_ARTIFACT
from contracts.stock.types import (
    Adjusted,
    Agreement,
    AgreementChanged,
    Count,
    Counted,
    CounterChanged,
    Lot,
    LotEntrusted,
    LotRegistered,
    Nature,
    ShortfallBegan,
    ShortfallEnded,
    StockEvent,
    StockMoved,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Log

UNIT_SIZE_BYTES: Final = 3
SIGNATURE_SIZE_BYTES: Final = 65


def _function(name: str) -> Function:
    return Function.of(STOCK_ARTIFACT, name)


_REGISTER_LOT: Final = _function("registerLot")
_SET_AGREEMENT: Final = _function("setAgreement")
_SET_COUNTER: Final = _function("setCounter")
_ENTRUST: Final = _function("entrust")
_COUNT: Final = _function("count")
_COUNT_SIGNED: Final = _function("countSigned")
_ADJUST: Final = _function("adjust")
_LOT_OF: Final = _function("lotOf")
_SEQUENCE_OF: Final = _function("sequenceOf")
_AGREEMENT_MEMBERS: Final = members_of(STOCK_ARTIFACT, "setAgreement", "agreement")
_COUNT_MEMBERS: Final = members_of(STOCK_ARTIFACT, "count", "told")
_LOT_MEMBERS: Final = members_of(STOCK_ARTIFACT, "Counted", "lot")

# ---- calldata -----------------------------------------------------------------------------------


def register_lot_calldata(
    place: Hash32, lot: Hash32, agreement: Agreement, counters: Sequence[str]
) -> bytes:
    """Register goods that 1 to 8 organisations count. Organisations with the role Warehouse."""
    words = [organisation_id_word(one) for one in counters]
    return _REGISTER_LOT.calldata(place, lot, _agreement_tuple(agreement), words)


def set_agreement_calldata(key: Hash32, agreement: Agreement) -> bytes:
    """Change what was agreed, while no live receipt stands for the goods. Their warehouse."""
    return _SET_AGREEMENT.calldata(key, _agreement_tuple(agreement))


def set_counter_calldata(key: Hash32, organisation: str, may: bool) -> bytes:
    """Let an organisation count, or no longer. The warehouse of unused goods, or an authority."""
    return _SET_COUNTER.calldata(key, organisation_id_word(organisation), may)


def entrust_calldata(key: Hash32, warehouse: str, decision: Hash32) -> bytes:
    """Entrust goods of a warehouse that is active no longer to another. Regulators, arbitrators."""
    return _ENTRUST.calldata(key, organisation_id_word(warehouse), decision)


def count_calldata(count: Count) -> bytes:
    """Tell a count. A device or account of a counting organisation."""
    return _COUNT.calldata(_count_tuple(count))


def count_signed_calldata(count: Count, signature: bytes) -> bytes:
    """Bring a count that a device has signed (`count_digest`): r, s and v, 65 bytes. Anybody."""
    if len(signature) != SIGNATURE_SIZE_BYTES:
        raise CalldataValueError(
            f"a signature is {SIGNATURE_SIZE_BYTES} bytes (r, s, v), not {len(signature)}"
        )
    v = signature[64] if signature[64] >= 27 else signature[64] + 27
    return _COUNT_SIGNED.calldata(_count_tuple(count), v, signature[:32], signature[32:64])


def adjust_calldata(key: Hash32, counted: int, reason: str) -> bytes:
    """Book what grew, dried or died, within what was agreed. The warehouse."""
    return _ADJUST.calldata(key, counted, reason)


def lot_of_calldata(key: Hash32) -> bytes:
    """Calldata of `lotOf`, to be called, not sent."""
    return _LOT_OF.calldata(key)


def decode_lot_of(output: bytes) -> Lot | None:
    """The lot, or None where the key is unknown. Raises `CalldataError`."""
    (found,) = _LOT_OF.result(output)
    values = struct(_LOT_MEMBERS, found)
    if not any(values["warehouse"]):
        return None
    try:
        return _lot(values)
    except ValueError as error:
        raise CalldataError(f"result of lotOf: {error}") from error


def sequence_of_calldata(key: Hash32, counter: Address) -> bytes:
    """Calldata of `sequenceOf`, to be called, not sent."""
    return _SEQUENCE_OF.calldata(key, counter)


def decode_sequence_of(output: bytes) -> int:
    """The highest sequence that the counter has used for the lot. Raises `CalldataError`."""
    return int(_SEQUENCE_OF.result(output)[0])


# ---- keys and counts to be signed ---------------------------------------------------------------


def lot_key(warehouse: str, place: Hash32, lot: Hash32) -> Hash32:
    """Key of a lot. Raises `OrganisationIdError`."""
    words = [organisation_id_word(warehouse), place, lot]
    return Hash32(keccak(encode(["bytes32", "bytes32", "bytes32"], words)))


def count_typed_data(
    count: Count, chain_id: int, contract: Address = STOCK_ADDRESS
) -> dict[str, object]:
    """What a counter signs, as EIP-712 typed data for wallets and devices' libraries."""
    return {
        "types": {
            "EIP712Domain": [
                {"name": "name", "type": "string"},
                {"name": "version", "type": "string"},
                {"name": "chainId", "type": "uint256"},
                {"name": "verifyingContract", "type": "address"},
            ],
            "Count": [
                {"name": "key", "type": "bytes32"},
                {"name": "quantity", "type": "uint128"},
                {"name": "countedAt", "type": "uint48"},
                {"name": "sequence", "type": "uint64"},
                {"name": "evidence", "type": "bytes32"},
            ],
        },
        "primaryType": "Count",
        "domain": {
            "name": "Tallystick Stock",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": f"0x{contract.hex()}",
        },
        "message": {
            "key": f"0x{count.key.hex()}",
            "quantity": count.quantity,
            "countedAt": count.counted_at,
            "sequence": count.sequence,
            "evidence": f"0x{count.evidence.hex()}",
        },
    }


_DOMAIN_TYPE: Final = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_COUNT_TYPE: Final = keccak(
    b"Count(bytes32 key,uint128 quantity,uint48 countedAt,uint64 sequence,bytes32 evidence)"
)


def count_digest(count: Count, chain_id: int, contract: Address = STOCK_ADDRESS) -> Hash32:
    """EIP-712 hash that a counter signs. Raises `CalldataValueError` for what does not fit."""
    _COUNT.calldata(_count_tuple(count))  # the bounds of each member
    domain = encode(
        ["bytes32", "bytes32", "bytes32", "uint256", "address"],
        [_DOMAIN_TYPE, keccak(b"Tallystick Stock"), keccak(b"1"), chain_id, contract],
    )
    content = encode(
        ["bytes32", "bytes32", "uint128", "uint48", "uint64", "bytes32"],
        [
            _COUNT_TYPE,
            count.key,
            count.quantity,
            count.counted_at,
            count.sequence,
            count.evidence,
        ],
    )
    return Hash32(keccak(b"\x19\x01" + keccak(domain) + keccak(content)))


def _agreement_tuple(agreement: Agreement) -> tuple[object, ...]:
    try:
        unit = code_word(agreement.unit, UNIT_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"unit: {error}") from error
    values = {
        "nature": int(agreement.nature),
        "unit": unit,
        "shortfallBp": agreement.shortfall_bp,
        "adjustmentBp": agreement.adjustment_bp,
        "countAgeMax": agreement.count_age_max_seconds,
    }
    return arranged(_AGREEMENT_MEMBERS, values)


def _count_tuple(count: Count) -> tuple[object, ...]:
    values = {
        "key": count.key,
        "quantity": count.quantity,
        "countedAt": count.counted_at,
        "sequence": count.sequence,
        "evidence": count.evidence,
    }
    return arranged(_COUNT_MEMBERS, values)


# ---- logs ---------------------------------------------------------------------------------------


def decode_log(log: Log) -> StockEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    return _EVENTS.decode(log)


def _agreement(values: tuple[object, ...]) -> Agreement:
    found = struct(_AGREEMENT_MEMBERS, values)
    return Agreement(
        nature=Nature(found["nature"]),
        unit=code_text(found["unit"]),
        shortfall_bp=found["shortfallBp"],
        adjustment_bp=found["adjustmentBp"],
        count_age_max_seconds=found["countAgeMax"],
    )


def _lot(values: Values) -> Lot:
    return Lot(
        warehouse=organisation_id_text(values["warehouse"]),
        place=Hash32(values["place"]),
        lot=Hash32(values["lot"]),
        agreement=_agreement(values["agreement"]),
        counted=values["counted"],
        live=values["live"],
        last_count=values["lastCount"],
        counted_at=values["countedAt"],
        short=values["short"],
    )


def _registered(values: Values) -> StockEvent:
    return LotRegistered(
        key=Hash32(values["key"]),
        warehouse=organisation_id_text(values["warehouse"]),
        place=Hash32(values["place"]),
        lot=Hash32(values["lot"]),
        agreement=_agreement(values["agreement"]),
        counters=tuple(organisation_id_text(word) for word in values["counters"]),
    )


def _agreement_changed(values: Values) -> StockEvent:
    return AgreementChanged(Hash32(values["key"]), _agreement(values["agreement"]))


def _entrusted(values: Values) -> StockEvent:
    return LotEntrusted(
        key=Hash32(values["key"]),
        warehouse=organisation_id_text(values["warehouse"]),
        by=organisation_id_text(values["by"]),
        former=organisation_id_text(values["former"]),
        decision=Hash32(values["decision"]),
    )


def _counter_changed(values: Values) -> StockEvent:
    organisation = organisation_id_text(values["organisation"])
    return CounterChanged(Hash32(values["key"]), organisation, values["may"])


def _counted(values: Values) -> StockEvent:
    told = struct(_COUNT_MEMBERS, values["count"])
    key = Hash32(values["key"])
    if told["key"] != key:
        raise LogError("the count is about another lot than the event")
    count = Count(
        key=key,
        quantity=told["quantity"],
        counted_at=told["countedAt"],
        sequence=told["sequence"],
        evidence=Hash32(told["evidence"]),
    )
    return Counted(
        key=key,
        counter=address_of(values["counter"]),
        organisation=organisation_id_text(values["organisation"]),
        count=count,
        lot=_lot(struct(_LOT_MEMBERS, values["lot"])),
    )


def _adjusted(values: Values) -> StockEvent:
    by = organisation_id_text(values["by"])
    return Adjusted(
        Hash32(values["key"]), by, values["former"], values["counted"], values["reason"]
    )


def _moved(values: Values) -> StockEvent:
    instrument = address_of(values["instrument"])
    return StockMoved(Hash32(values["key"]), instrument, values["counted"], values["live"])


def _began(values: Values) -> StockEvent:
    warehouse = organisation_id_text(values["warehouse"])
    return ShortfallBegan(Hash32(values["key"]), warehouse, values["counted"], values["live"])


def _ended(values: Values) -> StockEvent:
    warehouse = organisation_id_text(values["warehouse"])
    return ShortfallEnded(Hash32(values["key"]), warehouse, values["counted"], values["live"])


_EVENTS: Final = LogDecoder[StockEvent](
    STOCK_ARTIFACT,
    LotRegistered=_registered,
    AgreementChanged=_agreement_changed,
    CounterChanged=_counter_changed,
    LotEntrusted=_entrusted,
    Counted=_counted,
    Adjusted=_adjusted,
    StockMoved=_moved,
    ShortfallBegan=_began,
    ShortfallEnded=_ended,
)
