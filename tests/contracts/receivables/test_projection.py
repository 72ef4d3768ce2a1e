"""Receivables in SQL: who sees what, lists, history, documents, rebuilding, versions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection, select

from contracts.instruments import CursorInvalid, Viewer
from contracts.instruments.viewer import SEE_ALL
from contracts.pledges import Terms, propose_calldata
from contracts.receivables import (
    RECEIVABLES_ADDRESS,
    Endorsement,
    Kind,
    ReceivableQuery,
    ReceivablesHandler,
    accept_calldata,
    confirm_payment_calldata,
    create_calldata,
    decode_log,
    endorse_calldata,
    find_receivable,
    freeze_calldata,
    invoice_calldata,
    list_receivables,
    part_id,
    receivable_endorsements,
    receivable_history,
    receivable_id,
    receivable_terms,
    reject_calldata,
    split_calldata,
    unfreeze_calldata,
)
from contracts.receivables.notices import notices
from contracts.receivables.tables import metadata
from ledger.types import Hash32, Receipt
from tests.contracts.receivables.world import (
    DAY,
    DECISION,
    DOCUMENT,
    MEMBERS,
    World,
    founders,
    hash_of,
    invoice,
    order,
)
from tests.contracts.scene import CHAIN_ID, entries
from tests.contracts.tables import Tables

pytestmark = pytest.mark.feature("F5")
EVERYTHING = Viewer.everything()


@dataclass
class Told:
    """A world whose events are told to SQL."""

    world: World
    tables: Tables
    blocks: list[tuple[Receipt, int, int]] = field(default_factory=list)

    def act(self, by: str, calldata: bytes) -> Receipt:
        return self.take(self.world.act(by, calldata))

    def take(self, receipt: Receipt) -> Receipt:
        self.blocks.append((receipt, self.world.chain.number, self.world.now))
        self.tables.take(*self.blocks[-1])
        return receipt

    def accepted(self, number: str, **changes: object) -> Hash32:
        draft = invoice(self.world, number, **changes)
        self.act("supplier", create_calldata(draft))
        id_ = receivable_id(CHAIN_ID, "supplier", number)
        self.act(draft.debtor, accept_calldata(id_, 0))
        return id_


@pytest.fixture
def told() -> Told:
    return Told(World.founded(), Tables.of(entries(founders(), votes={"operator": 1})))


@pytest.fixture
def sql(told: Told) -> Iterator[Connection]:
    with told.tables.engine.connect() as connection:
        yield connection


def numbers(
    sql: Connection, viewer: Viewer = EVERYTHING, **query: object
) -> tuple[str | None, ...]:
    page = list_receivables(sql, ReceivableQuery(**query), viewer)  # type: ignore[arg-type]
    return tuple(item.receivable.number for item in page.items)


def test_whoever_is_or_was_a_party_sees_it(told: Told, sql: Connection) -> None:
    id_ = told.accepted("A")
    told.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
    told.act("tier-two", endorse_calldata(id_, 0, "tier-three", recourse=False))
    parties = {"supplier", "maker", "tier-two", "tier-three", "regulator", "court"}
    for name, role in MEMBERS.items():
        viewer, seen = Viewer.of(name, role), name in parties
        assert (find_receivable(sql, id_, viewer) is not None) == seen
        assert numbers(sql, viewer) == (("A",) if seen else ())
        assert bool(receivable_history(sql, id_, viewer).items) == seen
        assert bool(receivable_endorsements(sql, id_, viewer)) == seen
        assert (role in SEE_ALL) == (name in ("regulator", "court"))
    assert find_receivable(sql, id_, Viewer.nobody()) is None


def test_who_stands_behind_a_part_sees_it_and_others_before_do_not(
    told: Told, sql: Connection
) -> None:
    id_ = told.accepted("A", creditor="supplier")
    told.act("supplier", endorse_calldata(id_, 0, "tier-two", recourse=True))
    told.act("tier-two", endorse_calldata(id_, 0, "tier-three", recourse=False))
    told.act("tier-three", split_calldata(id_, 0, [400_00, 600_00]))
    part = part_id(id_, 1)
    chain = (Endorsement("tier-two", False), Endorsement("supplier", True))
    assert receivable_endorsements(sql, part, EVERYTHING) == chain
    assert find_receivable(sql, part, Viewer.of("supplier")) is not None
    assert find_receivable(sql, part, Viewer.of("tier-two")) is None


def test_a_bank_sees_what_it_is_offered_as_security(told: Told, sql: Connection) -> None:
    id_ = told.accepted("A")
    assert find_receivable(sql, id_, Viewer.of("bank")) is None
    terms = Terms(1, "CNY", told.world.now + DAY, 0, DOCUMENT)
    proposal = propose_calldata(RECEIVABLES_ADDRESS, id_, 2, "bank", terms)
    told.take(told.world.pledges("supplier", proposal))
    assert find_receivable(sql, id_, Viewer.of("bank")) is not None


def test_lists_are_filtered(told: Told, sql: Connection) -> None:
    first = told.accepted("A")
    told.accepted("B", debtor="tier-two", currency="EUR", due=told.world.now + DAY)
    told.act("supplier", create_calldata(order(told.world, "C")))
    told.act("supplier", endorse_calldata(first, 0, "bank", recourse=True))
    assert numbers(sql) == ("C", "B", "A")
    assert numbers(sql, states=("accepted",)) == ("B", "A")
    assert numbers(sql, states=("accepted", "proposed")) == ("C", "B", "A")
    assert numbers(sql, kinds=(Kind.ORDER,)) == ("C",)
    assert numbers(sql, debtor="maker") == ("C", "A")
    assert numbers(sql, holder="bank") == ("A",)
    assert numbers(sql, guarantor="supplier") == ("A",)
    assert numbers(sql, creditor="supplier", currency="EUR") == ("B",)
    assert numbers(sql, attestor="carrier") == ("C",)
    assert numbers(sql, number="B") == ("B",)
    assert numbers(sql, root=first) == ("A",)
    assert numbers(sql, due_before=told.world.now + 60 * DAY) == ("B", "A", "C")
    assert numbers(sql, due_before=told.world.now + 2 * DAY) == ("B",)
    assert numbers(sql, Viewer.of("bank"), states=("proposed",)) == ()


def test_pages_follow_each_other(told: Told, sql: Connection) -> None:
    for number in "ABCDE":
        told.accepted(number, keys=(hash_of(number),))
    for viewer in (EVERYTHING, Viewer.of("maker")):
        for until in (None, told.world.now + 60 * DAY):
            found: list[str | None] = []
            after: str | None = None
            while True:
                query = ReceivableQuery(limit=2, after=after, due_before=until)
                page = list_receivables(sql, query, viewer)
                found += [item.receivable.number for item in page.items]
                after = page.after
                if after is None:
                    break
            assert "".join(map(str, found)) == ("ABCDE" if until else "EDCBA")
    with pytest.raises(CursorInvalid):
        list_receivables(sql, ReceivableQuery(after="1-2"), EVERYTHING)


def test_history_tells_every_act(told: Told, sql: Connection) -> None:
    id_ = told.accepted("A")
    told.act("supplier", confirm_payment_calldata(id_, 0, 300_00, DOCUMENT, "by wire"))
    page = receivable_history(sql, id_, EVERYTHING, limit=2)
    assert [act.act for act in page.items] == ["create", "accept"]
    (last,) = receivable_history(sql, id_, EVERYTHING, after=page.after).items
    assert (last.act, last.by, last.detail, last.remark) == (
        "confirm-part",
        "supplier",
        DOCUMENT,
        "by wire",
    )
    assert (last.paid, last.outstanding, last.revision) == (300_00, 700_00, 3)
    found = find_receivable(sql, id_, EVERYTHING)
    assert found is not None
    assert found.place == last.place


def test_a_rejected_endorsement_leaves_the_endorsers_of_before(told: Told, sql: Connection) -> None:
    id_ = told.accepted("A")
    for by, to in (("supplier", "tier-two"), ("tier-two", "tier-three")):
        told.act(by, endorse_calldata(id_, 0, to, recourse=True))
    before = receivable_endorsements(sql, id_, EVERYTHING)
    for to in ("bank", "supplier"):  # on, and back to where it was
        told.act("tier-three", endorse_calldata(id_, 0, to, recourse=True))
        assert receivable_endorsements(sql, id_, EVERYTHING) == told.world.chain_of(id_)
        told.act("court", freeze_calldata(id_, 0, DECISION))
        told.act("court", unfreeze_calldata(id_, 0, "court", DECISION))
        told.act(to, reject_calldata(id_, 0))
        assert receivable_endorsements(sql, id_, EVERYTHING) == before


def test_published_documents_are_kept_for_parties(told: Told, sql: Connection) -> None:
    payload, bill = b'{"total":"100.00"}', b'{"invoice":"7"}'
    terms = Hash32(hashlib.sha256(payload).digest())
    invoiced = Hash32(hashlib.sha256(bill).digest())
    told.act("supplier", create_calldata(order(told.world, "A", terms=terms, payload=payload)))
    id_ = receivable_id(CHAIN_ID, "supplier", "A")
    told.act("maker", accept_calldata(id_, 0))
    told.act("supplier", invoice_calldata(id_, 0, [hash_of("new")], invoiced, bill))
    expected = {terms: payload, invoiced: bill}
    assert dict(receivable_terms(sql, id_, Viewer.of("maker"))) == expected
    assert receivable_terms(sql, id_, Viewer.of("bank")) == ()


def rows(tables: Tables) -> dict[str, list[tuple[object, ...]]]:
    with tables.engine.connect() as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def test_rebuilding_gives_the_same_rows(told: Told) -> None:
    id_ = told.accepted("A")
    told.act("supplier", split_calldata(id_, 0, [1, 999_99]))
    told.act("supplier", endorse_calldata(part_id(id_, 2), 0, "bank", recourse=True))
    before = rows(told.tables)
    assert all(before[name] for name in before if name != "receivable_terms")
    with told.tables.engine.begin() as connection:
        ReceivablesHandler().reset(connection)
        assert not any(connection.execute(select(table)).all() for table in metadata.sorted_tables)
    again = Tables.of(entries(founders(), votes={"operator": 1}))
    for receipt, number, time in told.blocks:
        again.take(receipt, number, time)
    assert rows(again) == before


def test_parties_are_told_of_each_act(told: Told) -> None:
    id_ = told.accepted("A")
    receipt = told.act("supplier", endorse_calldata(id_, 0, "bank", recourse=True))
    (notice,) = notices(receipt.logs[0])
    assert notice.kind == "receivable.endorse"
    assert notice.parties == frozenset({"supplier", "maker", "bank"})
    assert notice.id == f"0x{id_.hex()}"
    assert notice.body["act"] == "endorse"
    assert not notice.final
    assert decode_log(receipt.logs[0]).id == id_
