"""Codes in words, cursors of pages, and a sentence for every refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql, sqlite

from contracts import financing, pledges, receipts, receivables, settlement
from contracts.abi import canonical_type
from contracts.claims import CLAIMS_ARTIFACT
from contracts.instruments import CursorInvalid, Machine
from contracts.instruments.columns import Uint128
from contracts.instruments.pages import bounded, parse_cursor
from contracts.instruments.records import code_text, code_word, named
from contracts.pledges import PLEDGES_ARTIFACT
from contracts.receipts import MACHINE, RECEIPTS_ARTIFACT
from contracts.refusals import explain, record_named
from contracts.stock import STOCK_ARTIFACT
from ledger.state.keccak import keccak
from ledger.types import Hash32

pytestmark = [pytest.mark.feature("F1"), pytest.mark.feature("A1")]
ARTIFACTS = (CLAIMS_ARTIFACT, STOCK_ARTIFACT, PLEDGES_ARTIFACT, RECEIPTS_ARTIFACT)


@given(st.binary(max_size=32).map(lambda content: content.ljust(32, b"\0")))
def test_every_word_has_one_text_and_comes_back(word: bytes) -> None:
    assert code_word(code_text(word), 32) == word


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=32))
def test_every_code_comes_back_as_itself_or_in_hex(text: str) -> None:
    shown = code_text(code_word(text, 32))
    assert shown == text or text.startswith("0x")
    assert code_word(shown, 32) == code_word(text, 32)


@pytest.mark.parametrize("text", ["", "a b", "\u00e9", "x" * 33, "\0", "0x" + "g" * 64])
def test_a_code_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"printable ASCII|hexadecimal"):
        code_word(text, 32)


@given(st.text(max_size=60), st.integers(1, 2))
def test_a_cursor_is_numbers_or_refused(text: str, parts: int) -> None:
    try:
        found = parse_cursor(text, parts)
    except CursorInvalid:
        return
    assert found is not None
    assert len(found) == parts
    assert all(0 <= number < 2**63 for number in found)


def test_limits_are_bounded() -> None:
    assert [bounded(limit) for limit in (-5, 0, 1, 50, 10**9)] == [1, 1, 1, 50, 1_000]
    assert parse_cursor(None, 1) is None


@pytest.mark.parametrize("value", [-1, 2**128])
def test_what_is_no_uint128_is_not_stored(value: int) -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        with pytest.raises(ValueError, match="between 0"):
            Uint128().process_bind_param(value, dialect)


def test_states_of_later_versions_have_names_too() -> None:
    assert named(MACHINE.states, 1, "state") == "live"
    assert named(MACHINE.states, 31, "state") == "state-31"


def errors() -> list[tuple[str, str, bytes]]:
    return [
        (artifact.name, *_encoded(entry))
        for artifact in ARTIFACTS
        for entry in artifact.abi
        if entry["type"] == "error"
    ]


def _encoded(entry: Mapping[str, Any]) -> tuple[str, bytes]:
    types = [canonical_type(one) for one in entry["inputs"]]
    values = []
    for kind in types:
        if kind == "address":
            values.append(f"0x{'ab' * 20}")
        elif kind.startswith("bytes"):
            values.append(b"bank".ljust(int(kind[5:]), b"\0"))
        else:
            values.append(2)
    selector = keccak(f"{entry['name']}({','.join(types)})".encode())[:4]
    return entry["name"], selector + encode(types, values)


@pytest.mark.parametrize(("contract", "name", "data"), errors(), ids=lambda v: str(v)[:40])
def test_every_refusal_has_a_sentence(contract: str, name: str, data: bytes) -> None:
    words = explain(data)
    assert not words.startswith(f"{name}("), f"{contract}: add {name} to contracts.refusals"
    assert "{" not in words
    assert "proposal" not in words, f"{contract}: {name} has a sentence of Governance"


ID = b"\x01" * 32
SHOWN = f"0x{ID.hex()}"


def refusal(name: str, *values: object) -> bytes:
    kinds = ["bytes32", "uint8", "uint8" if isinstance(values[1], int) else "bytes32"]
    return keccak(f"{name}({','.join(kinds)})".encode())[:4] + encode(kinds, [ID, *values])


def test_acts_and_states_are_named_by_the_table() -> None:
    machine: Machine = MACHINE
    act, state = machine.act("transfer-holding").number, machine.states.index("split")
    data = refusal("WrongState", act, state)
    assert explain(data, machine) == (
        f"transfer-holding is not possible while {SHOWN} is split: it is while live"
    )
    assert explain(data) == f"this act is not possible while {SHOWN} is as it is now"


@pytest.mark.parametrize(
    ("machine", "act", "told"),
    [
        (receipts.MACHINE, "shred", "the warehouse"),
        (receipts.MACHINE, "split", "who holds and owns it"),
        (receipts.MACHINE, "lock", "who holds and owns it"),
        (receivables.MACHINE, "lock", "the holder"),
        (receipts.MACHINE, "seize", "the pledgee"),
        (receipts.MACHINE, "freeze", "an arbitrator or a regulator"),
        (financing.MACHINE, "approve", "a bank that the application is open to"),
        (settlement.MACHINE, "accept", "the named buyer, or any of the named role"),
    ],
)
def test_whom_an_act_is_for_is_told_by_the_table(machine: Machine, act: str, told: str) -> None:
    deal = "Deal" if machine is settlement.MACHINE else ""
    data = refusal(f"{deal}NotEntitled", machine.act(act).number, b"bank".ljust(32, b"\0"))
    of = f"of deal {SHOWN}" if deal else f"of {SHOWN}"
    assert explain(data, machine) == f"{act} {of} is not for bank: it is for {told}"
    assert explain(data) == f"this act {of} is not for bank"


@pytest.mark.parametrize(
    "machine", [receipts.MACHINE, receivables.MACHINE, financing.MACHINE, settlement.MACHINE]
)
def test_every_act_of_a_table_can_be_refused_in_words(machine: Machine) -> None:
    deal = "Deal" if machine is settlement.MACHINE else ""
    wrong = "DealState" if deal else "WrongState"
    for act in machine.acts:
        late = explain(refusal(wrong, act.number, 0), machine)
        assert late.startswith(f"{act.name} is not possible while ")
        assert all(state in late for state in act.states)
        other = explain(refusal(f"{deal}NotEntitled", act.number, bytes(32)), machine)
        assert other.startswith(f"{act.name} of ")
        assert "it is for " in other
        assert "{" not in late + other


def test_an_act_that_the_error_does_not_name_is_named_by_its_call() -> None:
    late = keccak(b"WrongState(bytes32,uint8)")[:4] + encode(["bytes32", "uint8"], [ID, 4])
    other = keccak(b"NotParty(bytes32,bytes32)")[:4] + ID + b"bank".ljust(32, b"\0")
    assert record_named(late) == record_named(other) == ID
    cure = pledges.cure_calldata(Hash32(ID))
    accept = pledges.accept_calldata(Hash32(ID))
    assert explain(late, pledges.MACHINE, cure) == (
        f"cure is not possible while pledge {SHOWN} is released: it is while defaulted"
    )
    assert explain(other, pledges.MACHINE, accept) == (
        f"accept of pledge {SHOWN} is not for bank: it is for the pledgee"
    )
    for call in (b"", b"\1\2\3\4", pledges.accept_calldata(Hash32(ID))):
        machine = pledges.MACHINE if call != accept else None
        assert explain(late, machine, call).startswith(f"pledge {SHOWN} is released: ")
        assert explain(other, machine, call).startswith("bank is not the one who ")


def test_numbers_that_the_table_has_not_are_told_without_names() -> None:
    assert explain(refusal("WrongState", 250, 250), MACHINE) == (
        f"this act is not possible while {SHOWN} is as it is now"
    )


def test_the_record_is_known_where_its_table_is_needed() -> None:
    assert record_named(refusal("WrongState", 1, 1)) == ID
    assert record_named(refusal("DealNotEntitled", 1, bytes(32))) == ID
    assert record_named(refusal("WrongState", 1, 1)[:30]) is None
    assert record_named(keccak(b"UnknownInstrument(bytes32)")[:4] + ID) is None
    assert record_named(b"") is None
