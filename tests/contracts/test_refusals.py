"""Refusals in words: ids as hex, names as text, dates as dates, and what is to be done."""

from __future__ import annotations

import pytest
from eth_abi.abi import encode

from contracts import refusals
from contracts.abi import Function
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.refusal_values import NAMES, Value
from contracts.refusals import explain
from contracts.settlement.genesis import DEPOSITS_ARTIFACT
from ledger.state.keccak import keccak

pytestmark = pytest.mark.feature("A1")

IDS = {
    "account",
    "actual",
    "asset",
    "code",
    "id",
    "idOrKey",
    "key",
    "left",
    "node",
    "payment",
    "pledge",
    "pool",
    "ref",
    "right",
    "root",
    "rules",
    "terms",
}
PRINTABLE = b"\x5e" * 32


def _refused(name: str, types: tuple[str, ...], *values: object) -> bytes:
    return keccak(f"{name}({','.join(types)})".encode())[:4] + encode(types, values)


def _text(name: str, size: int = 32) -> bytes:
    return name.encode().ljust(size, b"\0")


def test_every_parameter_is_known_as_a_name_or_an_id() -> None:
    """A contract's new error cannot show a hash as text, nor an organisation as hex, unseen."""
    found = {
        parameter["name"]
        for attribute in dir(refusals)
        if attribute.endswith("_ARTIFACT")
        for entry in getattr(refusals, attribute).abi
        if entry["type"] == "error"
        for parameter in entry["inputs"]
        if parameter["type"] in ("bytes32", "bytes3")
    }
    assert found == NAMES | IDS


def test_an_id_of_printable_bytes_is_hex() -> None:
    said = explain(_refused("UnknownLot", ("bytes32",), PRINTABLE))
    assert said == f"there is no lot 0x{PRINTABLE.hex()}"


def test_who_has_chosen_no_bank_is_told_so() -> None:
    types = ("bytes32", "bytes32", "bytes3")
    nowhere = _refused("NoAccount", types, _text("green-farm"), bytes(32), b"CNY")
    there = _refused("NoAccount", types, _text("green-farm"), _text("town-bank"), b"CNY")
    assert explain(nowhere) == "green-farm has no account in CNY, and has chosen no bank for it"
    assert explain(there) == "green-farm has no account in CNY at town-bank"


def test_days_and_times_are_dates() -> None:
    day = explain(_refused("DateInFuture", ("uint32",), 20780))
    assert day == "the date 2026-11-23 has not begun anywhere"
    types = ("bytes32", "bytes32", "uint48")
    stands = explain(_refused("OfferStands", types, PRINTABLE, _text("town-bank"), 1_790_000_000))
    assert stands.endswith("until 2026-09-21T14:13:20Z")
    good = explain(_refused("OfferStands", types, PRINTABLE, _text("town-bank"), 0))
    assert good.endswith("stands for good")
    assert f"{Value((1 << 48) - 1):time}" == str((1 << 48) - 1), "beyond any calendar"


@pytest.mark.parametrize(
    ("name", "types", "values", "words"),
    [
        ("InvalidRequest", ("bytes32",), (_text("asset"),), "the applicant does not hold"),
        ("InvalidRequest", ("bytes32",), (_text("yearDays"),), "neither 360 nor 365"),
        ("InvalidPool", ("string",), ("servicer",), "two organisations"),
        ("InvalidPool", ("string",), ("rules",), "the pool's rules is missing"),
        ("WrongKeys", ("uint256",), (0,), "name the invoice in `invoices`"),
        ("PartyNotActive", ("bytes32",), (bytes(32),), "organisation (none) is unknown"),
    ],
)
def test_what_is_wrong_is_named(
    name: str, types: tuple[str, ...], values: tuple[object, ...], words: str
) -> None:
    assert words in explain(_refused(name, types, *values))


def test_fields_of_an_application_have_their_words() -> None:
    for field in ("expires", "quotesUntil", "revealUntil", "tableVersion", "amountMin", "purpose"):
        assert f"{Value(_text(field), name='field'):field}" != (
            f"{field} is missing or out of its bounds"
        )


def test_a_call_says_what_its_error_leaves_out() -> None:
    issue = Function.of(DEPOSITS_ARTIFACT, "issue").selector
    create = Function.of(RECEIVABLES_ARTIFACT, "create").selector
    unchanged = _refused("Unchanged", ())
    party = _refused("InvalidParty", ("bytes32",), _text("green-farm"))
    assert explain(unchanged) == "nothing would change"
    assert explain(unchanged, call=issue) == "a bank issues to its customers, not to itself"
    assert "creditor and debtor are two" in explain(party, call=create)
    assert "never its holder" in explain(party)


def test_every_call_that_is_named_is_there() -> None:
    named = {call for _, call in refusals._OF_CALL}
    assert named <= set(refusals._CALLS.values())
