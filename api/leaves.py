"""Leaves of the log: what each is of, and who is given its bytes.

Hashes and paths are for everybody. So are leaves of blocks and of the contracts that are there for
everybody (`api.sight.OPEN`). What a contract of finance has told is given to who is told it by the
feed, or is a party to the record now; where the feed tells nobody, to its readers (`api.readers`)
and to the organisation that sent the transaction; and to who supervises.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from api.errors import Unavailable
from api.operations.telling import Teller, in_words, teller_of
from api.principals import Principal
from api.readers import Told, is_read_by
from api.services import Services
from api.sight import INSTRUMENTS, OPEN, Sight, readable, rooms_of
from contracts.consortium import find_account
from contracts.financing import find_application
from contracts.instruments import Viewer
from contracts.instruments.notices import NOTICES_PER_LOG_MAX
from contracts.network import NodeStatus, find_nodes
from contracts.notices import Place, StoredNotice, find_notices, parties_of
from contracts.pledges import find_pledge
from contracts.pools.queries import find_pool
from contracts.receipts import find_receipt
from contracts.receivables import find_receivable
from contracts.settlement import find_deal
from contracts.settlement.queries import find_account as find_deposit
from contracts.stock import find_lot
from ledger.projection import read_transaction
from ledger.tlog import BlockLeaf, EventLeaf, decode_leaf
from ledger.types import Hash32, Log

_FINDERS: Final = {
    "receipt": find_receipt,
    "receivable": find_receivable,
    "pledge": find_pledge,
    "deal": find_deal,
    "deposit": find_deposit,
    "application": find_application,
    "loan": find_application,
    "pool": find_pool,
    "stock": find_lot,
}
"""By what a notice's kind begins with: records whose whole history is for whoever sees them."""

_PARTS: Final = frozenset({"pool-fee", "pool-holding"})


@dataclass(frozen=True, slots=True)
class Finance:
    """A leaf that a contract of finance has told."""

    leaf: Told
    contract: str
    """Its name in the Directory; empty where this node's software does not know such a one."""

    @property
    def rooms(self) -> frozenset[str]:
        """Rooms of which a key must be able to read one."""
        return rooms_of(self.contract)


class Leaves:
    """Thread-safe."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._teller = Teller(services.engine)

    def finance(self, data: bytes) -> Finance | None:
        """What a leaf is of, where it is not for everybody.

        Raises `Unavailable` where the projection does not know yet whose it is.
        """
        leaf = decode_leaf(data)
        if isinstance(leaf, BlockLeaf):
            return None
        name = self._teller.name(leaf.address)
        if name is None:
            name = teller_of(leaf.topics[0] if leaf.topics else None)
        if name in OPEN:
            return None
        if name is not None:
            return Finance(leaf, name if name in INSTRUMENTS else "")
        if leaf.block_number > self._services.projector.block_number:
            raise Unavailable("whose leaf this is shows in a moment", retry_after_s=1)
        return None  # a contract that is none of the ledger's own

    def gives(self, principal: Principal | None, data: bytes) -> bool:
        """Whether a leaf's bytes are for who asks (None: without a key). Raises `Unavailable`."""
        found = self.finance(data)
        return found is None or (principal is not None and self.may_read(principal, found))

    def gives_tile(self, principal: Principal | None, first: int, width: int) -> bool:
        """Whether the bytes of so many leaves at once are for who asks. Raises `Unavailable`."""
        found = self.of_tile(first, width)
        if principal is None:
            return next(found, None) is None
        return self.may_read_all(principal, tuple(found))

    def may_read(self, principal: Principal, found: Finance) -> bool:
        """Whether he is given the bytes of a leaf."""
        if not found.rooms:
            return principal.viewer.sees_all and principal.instruments is None
        sight, leaf = Sight.of(principal), found.leaf
        # Of large ones a hash stands for what they say.
        data = leaf.data if isinstance(leaf, EventLeaf) else b""
        name, values = in_words(Log(leaf.address, leaf.topics, data))
        if not sight.tells(found.contract) or sight.hides(name, values):
            return False
        bound, viewer = principal.instruments, principal.viewer
        if bound is None and viewer.sees_all:
            return True
        with read_transaction(self._services.engine) as connection:
            notices = _whole(_notices(connection, leaf))
            if notices:
                mine = (one for one in notices if bound is None or one.record in bound)
                return any(_tells(connection, one, viewer) for one in mine)
            if is_read_by(connection, self._services.ledger, leaf, viewer, bound):
                return True
            return bound is None and self._sent(connection, leaf, principal.organisation)

    def may_read_all(self, principal: Principal, leaves: Sequence[Finance]) -> bool:
        """Whether he is given whole tiles: who supervises, and who has the ledger anyway, since
        his organisation runs a node. By a key that may read all the rooms that are in it."""
        if not leaves:
            return True
        if principal.instruments is not None:
            return False
        rooms, mine = {one.rooms for one in leaves}, readable(principal)
        if any(one and one.isdisjoint(mine) for one in rooms):
            return False
        if principal.viewer.sees_all:
            return True
        with read_transaction(self._services.engine) as connection:
            return any(
                node.organisation == principal.organisation and node.status is NodeStatus.ACTIVE
                for node in find_nodes(connection)
            )

    def of_tile(self, first: int, width: int) -> Iterator[Finance]:
        """Leaves of a tile that are not for everybody. Raises `Unavailable`."""
        for index in range(first, first + width):
            found = self.finance(self._services.ledger.log.entry(index))
            if found is not None:
                yield found

    def _sent(self, connection: Connection, leaf: Told, organisation: str) -> bool:
        mined = self._services.ledger.transaction(leaf.transaction_hash)
        if mined is None:
            return False
        known = find_account(connection, mined.transaction.sender)
        return known is not None and known.organisation == organisation


def _whole(notices: tuple[StoredNotice, ...]) -> tuple[StoredNotice, ...]:
    """Without those that tell each of several what is his: the event tells all of it."""
    return tuple(one for one in notices if one.kind.partition(".")[0] not in _PARTS)


def _notices(connection: Connection, leaf: Told) -> tuple[StoredNotice, ...]:
    """What the feed has of the leaf's event."""
    first = Place(leaf.block_number, leaf.log_index, 0).position
    last = first + NOTICES_PER_LOG_MAX - 1
    found = find_notices(
        connection, Viewer.everything(), after=first - 1, count=NOTICES_PER_LOG_MAX
    )
    return tuple(one for one in found if one.place.position <= last)


def _tells(connection: Connection, notice: StoredNotice, viewer: Viewer) -> bool:
    """Whether he is told, or is a party to the record now: then he sees all its history."""
    position = notice.place.position
    told = parties_of(connection, position, position).get(position, frozenset())
    if viewer.sees_all or viewer.organisation in told:
        return True
    find = _FINDERS.get(notice.kind.partition(".")[0])
    id_ = Hash32(bytes.fromhex(notice.record[2:]))
    return find is not None and find(connection, id_, viewer) is not None
