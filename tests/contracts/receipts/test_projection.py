"""Receipts in SQL are those of the contract, seen by those whom they concern and nobody else."""

from __future__ import annotations

import hashlib

import pytest
from sqlalchemy import select

from contracts.genesis import RECEIPTS_ADDRESS
from contracts.instruments import CursorInvalid, Viewer
from contracts.pledges import propose_calldata
from contracts.receipts import (
    Purpose,
    ReceiptActed,
    ReceiptQuery,
    decode_log,
    find_receipt,
    issue_calldata,
    keepers_of,
    list_receipts,
    receipt_history,
    receipt_id,
    receipt_terms,
    shred_calldata,
    surrender_calldata,
)
from contracts.receipts.tables import receipt_table
from contracts.stock import entrust_calldata, find_lot
from ledger.types import Hash32
from tests.contracts.receipts.story import DECISION, tell
from tests.contracts.receipts.world import CHAIN_ID, DAY, MEMBERS, World, hash_of

pytestmark = [pytest.mark.feature("F1"), pytest.mark.feature("S1")]
ALL = Viewer.everything()


class Witness(World):
    """Keeps every act as the contract has told it."""

    told: list[ReceiptActed]

    def send(self, who, to, data):  # type: ignore[no-untyped-def]
        mined = super().send(who, to, data)
        for log in mined.logs:
            if log.address == RECEIPTS_ADDRESS:
                event = decode_log(log)
                if isinstance(event, ReceiptActed):
                    self.told.append(event)
        return mined


@pytest.fixture(scope="module")
def story() -> tuple[Witness, dict[str, Hash32]]:
    Witness.told = []
    world = Witness.founded()
    return world, tell(world)


def ids_of(world: World, query: ReceiptQuery, viewer: Viewer) -> list[Hash32]:
    """All pages, in steps of three."""
    found: list[Hash32] = []
    after: str | None = None
    while True:
        step = ReceiptQuery(
            **{n: getattr(query, n) for n in query.__slots__} | {"after": after, "limit": 3}
        )
        with world.connect() as connection:
            page = list_receipts(connection, step, viewer)
        assert len(page.items) <= 3
        found += [one.id for one in page.items]
        if (after := page.after) is None:
            return found


def test_every_stored_receipt_is_what_the_contract_says(
    story: tuple[Witness, dict[str, Hash32]],
) -> None:
    world, ids = story
    with world.connect() as connection:
        stored = list_receipts(connection, ReceiptQuery(limit=100), ALL).items
    assert len(stored) == 21
    for one in stored:
        assert one.receipt == world.get(one.id)
        assert one.contract == RECEIPTS_ADDRESS
    states = {name: world.get(id_).state for name, id_ in ids.items()}
    assert states["split"] == "split"
    assert states["gone"] == "delivered"
    assert states["wrong"] == "replaced"
    assert states["paper"] == "live"


def test_the_history_is_every_act_in_its_order(
    story: tuple[Witness, dict[str, Hash32]],
) -> None:
    world, ids = story
    for id_ in ids.values():
        with world.connect() as connection:
            acts = receipt_history(connection, id_, ALL, limit=100).items
        expected = [one for one in world.told if one.id == id_]
        assert [(a.act, a.by, a.detail, a.remark) for a in acts] == [
            (e.act, e.by, e.detail, e.remark) for e in expected
        ]
        assert [a.revision for a in acts] == list(range(1, len(expected) + 1))
        leaves = [a.place.leaf_index for a in acts]
        assert leaves == sorted(set(leaves))


def test_a_history_comes_in_pages(story: tuple[Witness, dict[str, Hash32]]) -> None:
    world, ids = story
    acts: list[str] = []
    after: str | None = None
    with world.connect() as connection:
        while True:
            page = receipt_history(connection, ids["gone"], ALL, after=after, limit=2)
            acts += [one.act for one in page.items]
            if (after := page.after) is None:
                break
    assert acts == ["issue", "request-delivery", "deliver", "surrender", "shred"]


@pytest.mark.parametrize("organisation", MEMBERS)
def test_an_organisation_sees_what_it_is_or_was_a_party_to(
    story: tuple[Witness, dict[str, Hash32]], organisation: str
) -> None:
    world, ids = story
    viewer = Viewer.of(organisation, MEMBERS[organisation])
    parties: dict[Hash32, set[str | None]] = {}
    for event in world.told:
        r = event.receipt
        named = {r.warehouse, r.holder, r.owner, r.nominee, r.pledgee}
        parties.setdefault(event.id, set()).update(named)
    parties[ids["kept"]].add("other-bank")  # to which it was offered
    everything = organisation in ("office", "court")
    visible = {id_ for id_, names in parties.items() if everything or organisation in names}
    listed = ids_of(world, ReceiptQuery(), viewer)
    assert set(listed) == visible
    assert len(listed) == len(visible)
    with world.connect() as connection:
        for id_ in parties:
            found = find_receipt(connection, id_, viewer)
            assert (found is not None) == (id_ in visible)
            acts = receipt_history(connection, id_, viewer, limit=1).items
            assert bool(acts) == (id_ in visible)
    assert bool(visible) == (organisation not in ("operator", "port", "weighers"))


def test_whoever_shows_no_key_sees_nothing(story: tuple[Witness, dict[str, Hash32]]) -> None:
    world, _ = story
    assert ids_of(world, ReceiptQuery(), Viewer.nobody()) == []


@pytest.mark.parametrize("viewer", [ALL, Viewer.of("granary"), Viewer.of("mill")])
@pytest.mark.parametrize(
    "query",
    [
        ReceiptQuery(states=("live",)),
        ReceiptQuery(states=("delivered", "replaced", "merged")),
        ReceiptQuery(warehouse="granary"),
        ReceiptQuery(warehouse="port"),
        ReceiptQuery(holder="mill"),
        ReceiptQuery(owner="farm", states=("live",)),
        ReceiptQuery(nominee="trader"),
        ReceiptQuery(pledgee="bank"),
        ReceiptQuery(number="R-3"),
        ReceiptQuery(expiring_before=1_800_000_000 + 90 * DAY + 12),
        ReceiptQuery(expiring_before=1_800_000_000 + 99 * DAY, holder="mill"),
    ],
    ids=str,
)
def test_lists_are_filtered_and_ordered(
    story: tuple[Witness, dict[str, Hash32]], query: ReceiptQuery, viewer: Viewer
) -> None:
    world, _ = story
    with world.connect() as connection:
        every = list_receipts(connection, ReceiptQuery(limit=100), viewer).items
    expected = []
    for one in every:
        r = one.receipt
        wanted = {n: getattr(query, n) for n in ("warehouse", "holder", "owner", "nominee")}
        wanted |= {"pledgee": query.pledgee, "number": query.number}
        fits = all(v is None or getattr(r, n) == v for n, v in wanted.items())
        fits &= query.states is None or r.state in query.states
        fits &= query.expiring_before is None or r.expires < query.expiring_before
        if fits:
            expected.append(one)
    found = ids_of(world, query, viewer)
    if query.expiring_before is not None:
        expires = {one.id: one.receipt.expires for one in expected}
        assert [expires[id_] for id_ in found] == sorted(expires.values())
        assert set(found) == set(expires)
    else:
        assert found == [one.id for one in expected]


def test_receipts_that_came_out_of_another_are_found_by_it(
    story: tuple[Witness, dict[str, Hash32]],
) -> None:
    world, ids = story
    children = ids_of(world, ReceiptQuery(origin=ids["split"]), ALL)
    assert {world.get(id_).part for id_ in children} == {1, 2, 3}
    (successor,) = ids_of(world, ReceiptQuery(origin=ids["wrong"]), ALL)
    assert world.get(ids["wrong"]).successor == successor


def test_a_page_goes_on_where_it_ended_though_receipts_come() -> None:
    world = World.founded()
    made = [world.issue(1_000) for _ in range(5)]
    with world.connect() as connection:
        first = list_receipts(connection, ReceiptQuery(limit=2), ALL)
    world.issue(1_000)
    with world.connect() as connection:
        second = list_receipts(connection, ReceiptQuery(limit=9, after=first.after), ALL)
    assert [one.id for one in (*first.items, *second.items)] == made[::-1]
    assert second.after is None


def test_an_act_leaves_a_receipt_at_its_place_in_lists() -> None:
    world = World.founded()
    made = [world.issue(1_000) for _ in range(3)]
    world.receipts("farm", surrender_calldata(made[0], 1, Purpose.DELIVERY))
    for viewer in (ALL, Viewer.of("farm")):
        assert ids_of(world, ReceiptQuery(), viewer) == made[::-1]


@pytest.mark.parametrize("after", ["x", "-1", "1-2", "9" * 19, "", "1" * 40])
def test_a_cursor_of_nowhere_is_refused(
    story: tuple[Witness, dict[str, Hash32]], after: str
) -> None:
    world, _ = story
    with world.connect() as connection, pytest.raises(CursorInvalid):
        list_receipts(connection, ReceiptQuery(after=after), ALL)


def test_a_published_document_is_for_parties_over_http() -> None:
    world = World.founded()
    document = b'{"goods":"wheat"}'
    terms = Hash32(hashlib.sha256(document).digest())
    id_ = world.issue(1_000, payload=document, terms=terms)
    with world.connect() as connection:
        assert receipt_terms(connection, id_, Viewer.of("farm")) == document
        assert receipt_terms(connection, id_, Viewer.of("mill")) is None


def test_a_bank_sees_the_receipt_that_it_is_offered() -> None:
    world = World.founded()
    id_ = world.issue()
    with world.connect() as connection:
        assert find_receipt(connection, id_, Viewer.of("bank")) is None
    offer = propose_calldata(RECEIPTS_ADDRESS, id_, 1, "bank", world.terms())
    world.pledges("farm", offer)
    with world.connect() as connection:
        assert find_receipt(connection, id_, Viewer.of("bank")) is not None
        assert find_receipt(connection, id_, Viewer.of("other-bank")) is None


def test_the_warehouse_that_goods_are_entrusted_to_sees_their_receipts() -> None:
    world = World.founded()
    old = world.issue(1_000)
    with world.connect() as connection:
        assert find_receipt(connection, old, Viewer.of("port")) is None
    world.suspend("granary")
    world.stock("court", entrust_calldata(world.lot, "port", DECISION))
    new = world.issue(1_000, who="port")
    with world.connect() as connection:
        assert find_receipt(connection, old, Viewer.of("port")) is not None
        assert find_receipt(connection, new, Viewer.of("port")) is not None
        assert keepers_of(connection, [world.lot]) == {world.lot: "port"}
        lot = find_lot(connection, world.lot, Viewer.of("port"))
        assert lot is not None
        assert lot.lot.warehouse == "port"
        assert lot.receipts == 2
    world.receipts("farm", surrender_calldata(old, 1, Purpose.DELIVERY))
    world.receipts("port", shred_calldata(old, 2))
    assert world.get(old).state == "delivered"


def test_ids_are_made_as_the_contract_makes_them() -> None:
    world = World.founded()
    draft = world.draft(1_000, number="No:7/2027-\x7e")
    (log,) = world.receipts("granary", issue_calldata(draft, "first"))
    event = decode_log(log)
    assert isinstance(event, ReceiptActed)
    assert event.id == receipt_id(CHAIN_ID, "granary", draft.number)
    assert event.receipt.number == draft.number
    with world.connect() as connection:
        row = connection.execute(select(receipt_table)).one()
    assert row.number == draft.number
    assert row.id == f"0x{event.id.hex()}"
    assert world.get(event.id).goods == hash_of("wheat, grade 2")
