"""A warehouse, traders and banks on a chain in memory, and the feed beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine

from contracts.consortium import Founder, Profile, Role
from contracts.genesis import (
    DIRECTORY_ADDRESS,
    PLEDGES_ADDRESS,
    RECEIPTS_ADDRESS,
    STOCK_ADDRESS,
)
from contracts.instruments.viewer import Viewer
from contracts.notices import NoticesHandler, StoredNotice, find_notices
from contracts.notices.sources import SOURCES
from contracts.receipts import Draft, issue_calldata, receipt_id
from contracts.stock import (
    Agreement,
    Count,
    Nature,
    count_calldata,
    lot_key,
    register_lot_calldata,
)
from ledger.types import (
    Address,
    Block,
    CommittedBlock,
    Hash32,
    PlacedLog,
    Receipt,
)
from tests.contracts.scene import CHAIN_ID, MemoryChain, entries, key
from tests.contracts.tables import memory_engine
from tests.ledger.projection.support import MemoryChain as Blocks

MEMBERS = {
    "operator": Role.OPERATOR,
    "silo": Role.WAREHOUSE,
    "inspector": Role.CARRIER,
    "trader": Role.MANUFACTURER,
    "miller": Role.MANUFACTURER,
    "bank": Role.BANK,
    "other-bank": Role.BANK,
    "regulator": Role.REGULATOR,
}
KEYS = {name: key(number) for number, name in enumerate(MEMBERS, 1)}
PLACES = {
    "directory": DIRECTORY_ADDRESS,
    "pledges": PLEDGES_ADDRESS,
    "receipts": RECEIPTS_ADDRESS,
    "stock": STOCK_ADDRESS,
}
PLACE, WHEAT = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)
LOT = lot_key("silo", PLACE, WHEAT)
WHOLE = Hash32(b"\x0f" * 32)
AGREEMENT = Agreement(Nature.FIXED, "KGM", 0, 0, 86_400)


def text(data: bytes) -> str:
    return f"0x{data.hex()}"


def founded() -> MemoryChain:
    founders = [
        Founder(name, role, Profile(name.title()), (KEYS[name].address,))
        for name, role in MEMBERS.items()
    ]
    return MemoryChain.of(entries(founders, votes={"operator": 1}))


@dataclass
class Grain:
    """Acts on the chain, and each of them applied to the feed at once."""

    chain: MemoryChain = field(default_factory=founded)
    engine: Engine = field(default_factory=memory_engine)
    handler: NoticesHandler = field(default_factory=lambda: NoticesHandler(PLACES, SOURCES))
    receipts: list[Receipt] = field(default_factory=list)
    leaves: int = 0
    counts: int = 0

    def __post_init__(self) -> None:
        with self.engine.begin() as connection:
            self.handler.metadata.create_all(connection)
            self.handler.reset(connection)

    def act(self, by: str, to: Address, data: bytes) -> Receipt:
        """A call that goes well, in a block of its own."""
        receipt = self.chain.send(KEYS[by], to, data)
        assert receipt.status == 1
        self.apply(receipt)
        return receipt

    def apply(self, receipt: Receipt, number: int | None = None) -> None:
        block = _block(receipt, number or self.chain.number, self.chain.time, self.leaves)
        self.leaves += len(receipt.logs) + 1
        with self.engine.begin() as connection:
            wanted = self.handler.addresses(connection, block)
            for log in block.logs:
                if log.log.address in wanted:
                    self.handler.apply(connection, block, log)

    def seen(self, organisation: str, role: Role | None = None) -> list[StoredNotice]:
        with self.engine.begin() as connection:
            return list(find_notices(connection, Viewer.of(organisation, role), count=1000))

    def kinds(self, organisation: str) -> list[str]:
        return [one.kind for one in self.seen(organisation)]

    # ---- what happens in the silo ---------------------------------------------------------------

    def register(self) -> None:
        data = register_lot_calldata(PLACE, WHEAT, AGREEMENT, ["inspector"])
        self.act("silo", STOCK_ADDRESS, data)

    def count(self, quantity: int) -> None:
        self.counts += 1
        told = Count(LOT, quantity, self.chain.time + 1, self.counts, WHOLE)
        self.act("inspector", STOCK_ADDRESS, count_calldata(told))

    def issue(self, number: str, quantity: int, holder: str, owner: str | None = None) -> Hash32:
        draft = Draft(
            number=number,
            lot=LOT,
            goods=WHOLE,
            terms=WHOLE,
            holder=holder,
            owner=owner or holder,
            quantity=quantity,
            expires=self.chain.time + 86_400,
        )
        self.act("silo", RECEIPTS_ADDRESS, issue_calldata(draft))
        return receipt_id(CHAIN_ID, "silo", number)


def _block(receipt: Receipt, number: int, time: int, leaf: int) -> CommittedBlock:
    empty: Block = Blocks().head()
    logs = tuple(
        PlacedLog(
            log=log,
            block_hash=empty.hash,
            block_number=number,
            block_time=time,
            transaction_hash=Hash32(number.to_bytes(32, "big")),
            transaction_index=0,
            log_index=index,
            leaf_index=leaf + index,
        )
        for index, log in enumerate(receipt.logs)
    )
    return CommittedBlock(empty, (receipt,), logs)
