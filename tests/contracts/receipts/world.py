"""Members who store grain and lend on it, on a chain in memory, with the tables beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from contracts.consortium import Founder, Profile, Role, Status, set_organisation_status
from contracts.genesis import (
    CONSORTIUM_ADDRESS,
    PLEDGES_ADDRESS,
    RECEIPTS_ADDRESS,
    STOCK_ADDRESS,
)
from contracts.pledges import (
    Terms,
    accept_calldata,
    pledge_key,
    propose_calldata,
)
from contracts.receipts import (
    Draft,
    Receipt,
    decode_receipt,
    issue_calldata,
    receipt_calldata,
    receipt_id,
)
from contracts.refusals import explain, refusal_name
from contracts.stock import (
    Agreement,
    Count,
    Nature,
    count_calldata,
    lot_key,
    register_lot_calldata,
)
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32, Log
from ledger.types import Receipt as Mined
from tests.contracts.scene import CHAIN_ID, Key, MemoryChain, entries, govern, key
from tests.contracts.tables import Tables

MEMBERS: Final = {
    "operator": Role.OPERATOR,
    "granary": Role.WAREHOUSE,
    "port": Role.WAREHOUSE,
    "farm": Role.MANUFACTURER,
    "mill": Role.MANUFACTURER,
    "trader": Role.RETAILER,
    "bank": Role.BANK,
    "other-bank": Role.BANK,
    "weighers": Role.CARRIER,
    "office": Role.REGULATOR,
    "court": Role.ARBITRATOR,
}
KEYS: Final = {name: key(number) for number, name in enumerate(MEMBERS, 1)}
SCALE: Final = key(99)
"""A device of the weighers."""
DAY: Final = 86_400
UNIT: Final = "TNE"
AGREEMENT: Final = Agreement(Nature.LIVING, UNIT, 200, 1_000, 30 * DAY)


def hash_of(text: str) -> Hash32:
    return Hash32(keccak(text.encode()))


FOUNDERS: Final = tuple(
    Founder(
        name,
        role,
        Profile(name.title()),
        (KEYS[name].address,),
        (SCALE.address,) if name == "weighers" else (),
    )
    for name, role in MEMBERS.items()
)


@dataclass
class World:
    """The chain and the tables that follow it."""

    chain: MemoryChain
    tables: Sequence[Tables]
    lot: Hash32 = field(default=Hash32(bytes(32)))
    sequence: int = 0
    numbers: int = 0

    @classmethod
    def founded(cls, *more: Tables) -> World:
        """A lot of 1,000 tonnes of wheat is counted."""
        genesis = entries(FOUNDERS, votes={"operator": 1})
        world = cls(MemoryChain.of(genesis), [Tables.of(genesis), *more])
        world.lot = world.register("granary", "silo 1", "wheat")
        world.count(world.lot, 1_000_000)
        return world

    # ---- calls ------------------------------------------------------------------------------

    def send(self, who: str | Key, to: Address, data: bytes) -> Mined:
        """One transaction, and the tables after it."""
        mined = self.chain.send(KEYS[who] if isinstance(who, str) else who, to, data)
        for tables in self.tables:
            tables.take(mined, self.chain.number, self.chain.time)
        return mined

    def act(self, who: str | Key, to: Address, data: bytes) -> list[Log]:
        """A call that succeeds; the contract's logs."""
        mined = self.send(who, to, data)
        assert mined.status == 1, self.refused(who, to, data)
        return [log for log in mined.logs if log.address == to]

    def receipts(self, who: str, data: bytes) -> list[Log]:
        return self.act(who, RECEIPTS_ADDRESS, data)

    def pledges(self, who: str, data: bytes) -> list[Log]:
        return self.act(who, PLEDGES_ADDRESS, data)

    def stock(self, who: str | Key, data: bytes) -> list[Log]:
        return self.act(who, STOCK_ADDRESS, data)

    def refused(self, who: str | Key, to: Address, data: bytes) -> str:
        """Name of the error that a call meets."""
        sender = KEYS[who] if isinstance(who, str) else who
        answer = self.chain.call(sender.address, to, data)
        assert answer.reverted
        return refusal_name(answer.output) or ""

    def words(self, who: str | Key, to: Address, data: bytes) -> str:
        """What a call that is refused is told."""
        sender = KEYS[who] if isinstance(who, str) else who
        return explain(self.chain.call(sender.address, to, data).output)

    def read(self, to: Address, data: bytes) -> bytes:
        answer = self.chain.call(KEYS["operator"].address, to, data)
        assert not answer.reverted
        return answer.output

    # ---- goods ------------------------------------------------------------------------------

    def register(self, warehouse: str, place: str, lot: str) -> Hash32:
        place_hash, lot_hash = hash_of(place), hash_of(lot)
        data = register_lot_calldata(place_hash, lot_hash, AGREEMENT, ["weighers"])
        self.stock(warehouse, data)
        return lot_key(warehouse, place_hash, lot_hash)

    def a_count(self, lot: Hash32, quantity: int) -> Count:
        self.sequence += 1
        return Count(lot, quantity, self.chain.time, self.sequence, hash_of("slip"))

    def count(self, lot: Hash32, quantity: int) -> None:
        self.stock(SCALE, count_calldata(self.a_count(lot, quantity)))

    # ---- receipts ---------------------------------------------------------------------------

    def draft(self, quantity: int = 10_000, **changes: object) -> Draft:
        self.numbers += 1
        values: dict[str, object] = {
            "number": f"R-{self.numbers}",
            "lot": self.lot,
            "goods": hash_of("wheat, grade 2"),
            "terms": hash_of("terms"),
            "holder": "farm",
            "owner": "farm",
            "quantity": quantity,
            "expires": self.chain.time + 90 * DAY,
        }
        return Draft(**values | changes)  # type: ignore[arg-type]

    def issue(self, quantity: int = 10_000, who: str = "granary", **changes: object) -> Hash32:
        draft = self.draft(quantity, **changes)
        self.receipts(who, issue_calldata(draft))
        return receipt_id(CHAIN_ID, who, draft.number)

    def get(self, id_: Hash32) -> Receipt:
        found = decode_receipt(self.read(RECEIPTS_ADDRESS, receipt_calldata(id_)))
        assert found is not None
        return found

    def terms(self, amount: int = 5_000_00, due_days: int = 30) -> Terms:
        due = self.chain.time + due_days * DAY
        return Terms(amount, "CNY", due, 5, hash_of("loan agreement"))

    def pledged(self, id_: Hash32, bank: str = "bank", terms: Terms | None = None) -> Hash32:
        receipt, said = self.get(id_), terms or self.terms()
        values = (RECEIPTS_ADDRESS, id_, receipt.revision)
        self.pledges(receipt.holder, propose_calldata(*values, bank, said))
        pledge = pledge_key(*values, receipt.holder, bank, said)
        self.pledges(bank, accept_calldata(pledge, "agreed"))
        return pledge

    def suspend(self, organisation: str) -> None:
        call = set_organisation_status(organisation, Status.SUSPENDED)
        mined = govern(self.chain, (CONSORTIUM_ADDRESS, call), by=KEYS["operator"])
        assert mined.status == 1
        for tables in self.tables:
            tables.take(mined, self.chain.number, self.chain.time)

    def connect(self) -> Connection:
        return self.tables[0].engine.connect()
