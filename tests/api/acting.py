"""A node whose farm keeps a warehouse, with one small route that registers lots."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response

from api.auth import Guard
from api.operations import Call, Operations, Words, answer
from api.principals import Principal
from api.standing import Standings
from api.tokens import TokenStore
from contracts import consortium
from contracts.consortium import Role
from contracts.governance import Call as Decision
from contracts.stock.binding import lot_key, register_lot_calldata
from contracts.stock.types import Agreement, Nature
from ledger.types import Hash32
from tests.api.conftest import Node
from tests.traceability.capture.stack import FARM, Stack

AGREEMENT = Agreement(Nature.FIXED, "TNE", 50, 0, 30 * 86_400)
ALL = ("capture", "stock:*", "receipts:*", "supervise")


def word(text: object) -> Hash32:
    return Hash32(hashlib.sha256(str(text).encode()).digest())


def lot_id(name: object, warehouse: str = FARM) -> str:
    return f"0x{lot_key(warehouse, word('place'), word(name)).hex()}"


def register(operations: Operations, name: object, to: str = "stock") -> Call:
    """Register a lot: a second time it is there already."""
    return Call(
        contract=to,
        to=operations.place(to),
        data=register_lot_calldata(word("place"), word(name), AGREEMENT, [FARM]),
        act="register",
        words=Words(f"register lot {name}", f"登记批次 {name}"),
    )


def principal(organisation: str = FARM, *scopes: str) -> Principal:
    role = Role.BANK if organisation == "town-bank" else Role.WAREHOUSE
    return Principal(organisation, role, frozenset(scopes or ALL), "0" * 16)


def make_warehouse(stack: Stack) -> None:
    """The members agree that the farm is a warehouse."""
    data = consortium.set_role(FARM, Role.WAREHOUSE)
    stack.govern(Decision(consortium.CONSORTIUM_ADDRESS, data))


def prepare_node(node: Node) -> Operations:
    """Make the farm a warehouse, give everybody keys for all, and mount the route."""
    make_warehouse(node.stack)
    operations = node.services.operations
    assert operations is not None
    for name in node.keys:
        node.keys[name] = node.services.keys.create(name, ALL)[0]
    guard = Guard(
        node.services.keys,
        TokenStore(node.services.engine),
        Standings(node.services.engine, node.services.projector),
        node.services.settings,
    )

    async def post_lot(request: Request) -> Response:
        body = await request.body()
        who = guard.principal(request, "stock:write")
        call = register(operations, body.decode())

        def more(_: object) -> Mapping[str, Any]:
            return {"lot": lot_id(body.decode(), who.organisation)}

        return await answer(
            request,
            operations,
            who,
            call,
            body,
            more=more,
            location=lambda _: f"/stock/lots/{lot_id(body.decode(), who.organisation)}",
        )

    node.app.add_api_route("/lots", post_lot, methods=["POST"])
    return operations
