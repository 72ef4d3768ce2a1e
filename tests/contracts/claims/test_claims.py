"""Keys of claims, and claims as they go with receipts."""

from __future__ import annotations

import datetime
import hashlib
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.claims import (
    Claim,
    claim_of_calldata,
    decode_claim_of,
    find_claim,
    keys_of,
)
from contracts.genesis import CLAIMS_ADDRESS, RECEIPTS_ADDRESS
from contracts.instruments import ClaimInvalid, Invoice, goods_key, invoice_key, item_key
from contracts.receipts import (
    Purpose,
    cancel_calldata,
    decode_keys_of,
    deliver_calldata,
    issue_calldata,
    keys_of_calldata,
    part_id,
    permit_calldata,
    request_delivery_calldata,
    split_calldata,
    surrender_calldata,
)
from ledger.state.keccak import keccak
from ledger.types import Hash32
from tests.contracts.receipts.world import World, hash_of

pytestmark = pytest.mark.feature("F2")
SALT = "tallystick.example/demo"
INVOICE = Invoice(
    "91310000MA1FL0AB12", "3100204130", "00012345", datetime.date(2027, 1, 9), 11_300_00
)


def key_by_hand(domain: str, content: bytes) -> bytes:
    return keccak(keccak(domain.encode()) + content)


def stretched(data: bytes, salt: str = SALT) -> bytes:
    """scrypt of another library, with the parameters that docs/finance.md names."""
    return hashlib.scrypt(data, salt=salt.encode(), n=2**15, r=8, p=1, dklen=32, maxmem=2**26)


def test_keys_are_what_the_design_says() -> None:
    item = "urn:epc:id:sgtin:9521141.012345.400"
    assert item_key(item) == key_by_hand("tally:item", item.encode())
    goods = b'{"bags":40,"grade":"2","store":"9"}'
    told = {"grade": "2", "store": "9", "bags": 40}
    assert goods_key(told, SALT) == key_by_hand("tally:fingerprint", stretched(goods))
    fields = "91310000MA1FL0AB12\x1f3100204130\x1f00012345\x1f2027-01-09\x1f1130000"
    assert invoice_key(INVOICE, SALT) == key_by_hand("tally:invoice", stretched(fields.encode()))


def test_an_invoice_has_one_key_however_it_is_written() -> None:
    key = invoice_key(INVOICE, SALT)
    written = replace(INVOICE, seller_tax_number="９１３１ 0000-ma1f.l0ab12", number=" 0001 2345")
    assert invoice_key(written, SALT) == key
    at_noon = datetime.datetime(2027, 1, 9, 12, tzinfo=datetime.UTC)
    assert invoice_key(replace(INVOICE, date=at_noon), SALT) == key


@pytest.mark.parametrize(
    "change",
    [
        {"seller_tax_number": "91310000MA1FL0AB13"},
        {"code": ""},
        {"number": "12345"},
        {"date": datetime.date(2027, 9, 1)},
        {"total": 11_300_01},
        # what would be the same if fields were only joined
        {"code": "31002041300", "number": "0012345"},
    ],
)
def test_another_invoice_has_another_key(change: dict[str, object]) -> None:
    assert invoice_key(replace(INVOICE, **change), SALT) != invoice_key(INVOICE, SALT)


def test_ledgers_have_keys_of_their_own() -> None:
    assert invoice_key(INVOICE, SALT) != invoice_key(INVOICE, "other.example")
    assert goods_key("wheat", SALT) != goods_key("wheat", "other.example")
    assert goods_key("caf\u00e9", SALT) == goods_key("cafe\u0301", SALT)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: item_key("no uri"),
        lambda: item_key("urn:x y"),
        lambda: item_key("urn:" + "a" * 1_030),
        lambda: goods_key("a" * 70_000, SALT),
        lambda: goods_key({1, 2}, SALT),
        lambda: goods_key({"\u00e9": 1, "e\u0301": 2}, SALT),
        lambda: goods_key("wheat", ""),
        lambda: invoice_key(replace(INVOICE, number=" - "), SALT),
        lambda: invoice_key(replace(INVOICE, number="1" * 65), SALT),
        lambda: invoice_key(replace(INVOICE, number="1\x072"), SALT),
        lambda: invoice_key(replace(INVOICE, number="\ud800"), SALT),
        lambda: invoice_key(replace(INVOICE, total=0), SALT),
        lambda: invoice_key(replace(INVOICE, total=2**128), SALT),
    ],
)
def test_what_has_no_single_key_is_refused(wrong: object) -> None:
    with pytest.raises(ClaimInvalid):
        wrong()  # type: ignore[operator]


@settings(max_examples=50)
@given(st.text())
def test_any_text_gives_a_key_or_a_reason(text: str) -> None:
    with suppress(ClaimInvalid):
        assert item_key(text) == key_by_hand("tally:item", text.encode())


def claims(world: World, id_: Hash32) -> set[Hash32]:
    """In SQL, and the same in the contract."""
    with world.connect() as connection:
        found = set(keys_of(connection, id_))
        for key in found:
            answer = world.read(CLAIMS_ADDRESS, claim_of_calldata(key))
            assert find_claim(connection, key) == decode_claim_of(answer)
    told = decode_keys_of(world.read(RECEIPTS_ADDRESS, keys_of_calldata(id_)))
    assert set(told) == found
    return found


def test_claims_go_with_the_goods() -> None:
    world = World.founded()
    keys = [item_key(f"urn:epc:id:sgtin:9521141.012345.{n}") for n in range(4)]
    id_ = world.issue(10_000, keys=tuple(keys))
    assert claims(world, id_) == set(keys)
    world.receipts("farm", split_calldata(id_, 1, [6_000, 4_000], [keys[:3], keys[3:]]))
    left, right = part_id(id_, 1), part_id(id_, 2)
    assert claims(world, id_) == set()
    assert claims(world, left) == set(keys[:3])
    assert claims(world, right) == set(keys[3:])
    world.receipts("farm", request_delivery_calldata(left, 1, 1_000, [keys[0]]))
    world.receipts("granary", deliver_calldata(left, 2, [keys[0]]))
    assert claims(world, left) == set(keys[1:3])
    with world.connect() as connection:
        assert find_claim(connection, keys[0]) is None
    assert decode_claim_of(world.read(CLAIMS_ADDRESS, claim_of_calldata(keys[0]))) is None


def test_a_warehouse_does_not_free_the_items_of_goods_that_stay_pledged() -> None:
    """Handing out one thousandth, it would release all items, which another bank then lends on."""
    world = World.founded()
    keys = tuple(hash_of(f"car {number}") for number in range(5))
    id_ = world.issue(5_000, keys=keys)
    world.pledged(id_)
    revision = world.get(id_).revision + 1
    for named, reason in ((keys, "KeysDiffer"), ((hash_of("another car"),), "KeysDiffer")):
        asked = request_delivery_calldata(id_, revision, 1_000, named)
        world.receipts("bank", permit_calldata(id_, 0, asked))
        assert world.refused("farm", RECEIPTS_ADDRESS, asked) == reason
        revision += 1
    asked = request_delivery_calldata(id_, revision, 1_000, keys[:1])
    world.receipts("bank", permit_calldata(id_, 0, asked))
    world.receipts("farm", asked)
    for named in (keys, keys[1:2], ()):
        given = deliver_calldata(id_, 0, named)
        assert world.refused("granary", RECEIPTS_ADDRESS, given) == "KeysDiffer"
    world.receipts("granary", deliver_calldata(id_, 0, keys[:1]))
    assert claims(world, id_) == set(keys[1:])
    assert (world.get(id_).quantity, world.get(id_).pledgee) == (4_000, "bank")


def test_the_same_goods_stand_behind_one_receipt_of_all_warehouses() -> None:
    world = World.founded()
    key = goods_key({"store": "9", "bags": 40}, SALT)
    id_ = world.issue(1_000, keys=(key,))
    other = world.register("port", "quay", "wheat")
    world.count(other, 10_000)
    draft = world.draft(1_000, lot=other, keys=(key,))
    refusal = issue_calldata(draft)
    assert world.refused("port", RECEIPTS_ADDRESS, refusal) == "AlreadyClaimed"
    assert "another live" in world.words("port", RECEIPTS_ADDRESS, refusal)
    with world.connect() as connection:
        assert find_claim(connection, key) == Claim(RECEIPTS_ADDRESS, id_)
    world.receipts("farm", surrender_calldata(id_, 1, Purpose.CORRECTION))
    world.receipts("granary", cancel_calldata(id_, 2))
    world.receipts("port", issue_calldata(draft))
    assert hash_of("x") != key
