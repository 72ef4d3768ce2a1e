"""Nodes in SQL, filled from genesis and the contract's events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    MetaData,
    SmallInteger,
    String,
    Table,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Row

from contracts.genesis import NETWORK_ADDRESS
from contracts.network.binding import decode_log
from contracts.network.types import (
    Contact,
    FoundingNode,
    NetworkEvent,
    Node,
    NodeAdded,
    NodeEndpointsChanged,
    NodePowerChanged,
    NodeRemoved,
    NodeStatus,
    NodeStatusChanged,
    NodeValidatorKeyChanged,
    NodeWitnessKeyChanged,
    ValidatorsSettled,
)
from ledger.types import Address, CommittedBlock, PlacedLog

metadata: Final = MetaData()

node_table: Final = Table(
    "node",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("organisation", String(32), nullable=False, index=True),
    Column("status", SmallInteger, nullable=False),
    Column("power", BigInteger, nullable=False),
    Column("validator_key", String(64)),
    Column("p2p", String(256), nullable=False),
    Column("api", String(512), nullable=False),
    Column("witness_key", String(512), nullable=False),
    Column("since_block", BigInteger, nullable=False),
)
"""Ids and keys in lower-case hex. A removed node stays, with status 3 and power 0."""


class NetworkHandler:
    """Fills the table. Implements `ledger.projection.Handler`."""

    name = "network"
    metadata = metadata

    def __init__(
        self, founding: Sequence[FoundingNode], address: Address = NETWORK_ADDRESS
    ) -> None:
        """`founding` are the nodes of the ledger's genesis (`founding_nodes_of`)."""
        self.address = address
        self._founding = tuple(founding)

    def reset(self, connection: Connection) -> None:
        """Back to genesis: the founding nodes and no others."""
        connection.execute(delete(node_table))
        for node in self._founding:
            _add(connection, node, 0)

    def apply(self, connection: Connection, block: CommittedBlock, log: PlacedLog) -> None:
        """Apply one event of the contract. Raises `LogError` where it is none."""
        del block
        _apply(connection, decode_log(log.log), log.block_number)


def find_node(connection: Connection, node: bytes) -> Node | None:
    """The node of that id (20 bytes), also a removed one, or None."""
    row = connection.execute(select(node_table).where(node_table.c.id == node.hex())).one_or_none()
    return None if row is None else _node(row)


def find_nodes(
    connection: Connection, organisation: str | None = None, *, removed: bool = False
) -> tuple[Node, ...]:
    """Nodes of an organisation or of all, by organisation and id; `removed` ones if asked for."""
    query = select(node_table).order_by(node_table.c.organisation, node_table.c.id)
    if organisation is not None:
        query = query.where(node_table.c.organisation == organisation)
    if not removed:
        query = query.where(node_table.c.status != int(NodeStatus.REMOVED))
    return tuple(_node(row) for row in connection.execute(query))


def _apply(connection: Connection, event: NetworkEvent, block_number: int) -> None:
    match event:
        case NodeAdded(node, organisation, _, power, validator_key, contact):
            connection.execute(delete(node_table).where(node_table.c.id == node.hex()))
            founding = FoundingNode(node, organisation, power, validator_key, contact)
            _add(connection, founding, block_number)
        case NodeRemoved(node):
            _set(connection, node, status=int(NodeStatus.REMOVED), power=0)
        case NodeStatusChanged(node, _, status):
            _set(connection, node, status=int(status))
        case NodePowerChanged(node, _, power):
            _set(connection, node, power=power)
        case NodeEndpointsChanged(node, _, p2p, api):
            _set(connection, node, p2p=p2p, api=api)
        case NodeWitnessKeyChanged(node, _, witness_key):
            _set(connection, node, witness_key=witness_key)
        case NodeValidatorKeyChanged(node, _, validator_key):
            _set(connection, node, validator_key=validator_key.hex() if validator_key else None)
        case ValidatorsSettled():
            pass  # follows from the nodes and organisations


def _add(connection: Connection, node: FoundingNode, block_number: int) -> None:
    connection.execute(
        insert(node_table).values(
            id=node.id.hex(),
            organisation=node.organisation,
            status=int(NodeStatus.ACTIVE),
            power=node.power,
            validator_key=node.validator_key.hex() if node.validator_key else None,
            p2p=node.contact.p2p,
            api=node.contact.api,
            witness_key=node.contact.witness_key,
            since_block=block_number,
        )
    )


def _set(connection: Connection, node: bytes, **values: str | int | None) -> None:
    connection.execute(update(node_table).where(node_table.c.id == node.hex()).values(values))


def _node(row: Row[tuple[object, ...]]) -> Node:
    return Node(
        id=bytes.fromhex(row.id),
        organisation=row.organisation,
        status=NodeStatus(row.status),
        power=row.power,
        validator_key=bytes.fromhex(row.validator_key) if row.validator_key else None,
        contact=Contact(row.p2p, row.api, row.witness_key),
        since_block=row.since_block,
    )
