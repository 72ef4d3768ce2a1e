"""Warehouse receipts: issue, list, read, and every act that members do with them."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.acts.common import (
    UINT48_MAX,
    hash_of,
    here_or_not_found,
    maybe_hash,
    valid,
)
from api.acts.receipt_drafts import DraftBody, Merge
from api.acts.receipts import ACTS
from api.auth import Guard
from api.operations import (
    Call,
    Words,
)
from api.principals import Principal
from api.routes.acting import Acted, Room, act_body, add_acts, changing, stored_body, stored_shape
from api.routes.changing import Changing
from api.routes.reading import (
    After,
    HashQuery,
    Limit,
    NumberQuery,
    OrganisationQuery,
    Reading,
    Seen,
    state_of,
    states_schema,
)
from api.services import Services
from api.shapes import HASHES, line_shape, page_shape
from contracts.claims import keys_of
from contracts.instruments import Viewer
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.receipts import (
    MACHINE,
    Receipt,
    ReceiptAct,
    ReceiptActed,
    ReceiptQuery,
    StoredReceipt,
    decode_log,
    find_receipt,
    issue_calldata,
    keepers_of,
    list_receipts,
    merge_calldata,
    merged_id,
    receipt_history,
    receipt_id,
    receipt_terms,
)
from ledger.projection import read_transaction
from ledger.types import Address, Hash32, Log

READ: Final = "receipts:read"
WRITE: Final = "receipts:write"
_State = Annotated[str, state_of(MACHINE), states_schema(MACHINE)]


def _acted(log: Log) -> Acted | None:
    event = decode_log(log)
    if not isinstance(event, ReceiptActed):
        return None
    return Acted(event.id, event.act, event.receipt)


def _contract_of(connection: Connection, id_: Hash32, viewer: Viewer) -> Address | None:
    stored = find_receipt(connection, id_, viewer)
    return None if stored is None else stored.contract


ROOM: Final = Room("receipts", "receipt", MACHINE, "ReceiptActed", _acted, _contract_of, Receipt)


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /receipts; those that change something where this node sends for members."""
    routes = APIRouter(tags=["receipts"])
    reading = Reading(
        routes, services, guard, "/receipts", "receipt", "Receipt", READ, find_receipt
    )
    _add_list(reading)
    _add_reading(reading)
    if services.operations is not None:
        changes = changing(routes, services, guard, services.operations, ROOM)
        _add_making(changes)
        _add_merging(changes)
        add_acts(changes, ROOM, ACTS)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(reading: Reading[StoredReceipt]) -> None:
    @reading.get_list(
        "listReceipts",
        summary="Receipts that your organisation is or was a party to",
        description=(
            "Newest first; with `expiringBefore` in the order of expiry. Regulators and "
            "arbitrators with the scope `supervise` see all."
        ),
        shape=page_shape("receipts", stored_shape(Receipt)),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=len(MACHINE.states))] = None,
        warehouse: OrganisationQuery = None,
        holder: OrganisationQuery = None,
        owner: OrganisationQuery = None,
        nominee: OrganisationQuery = None,
        pledgee: OrganisationQuery = None,
        lot: HashQuery = None,
        origin: HashQuery = None,
        number: NumberQuery = None,
        expiring: Annotated[
            int | None,
            Query(alias="expiringBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = ReceiptQuery(
            states=None if state is None else tuple(state),
            warehouse=warehouse,
            holder=holder,
            owner=owner,
            nominee=nominee,
            pledgee=pledgee,
            lot=maybe_hash(lot),
            origin=maybe_hash(origin),
            number=number,
            expiring_before=expiring,
            after=after,
            limit=limit,
        )
        return await reading.listed(request, list_receipts, query, receipt_body, "receipts")


def _add_reading(reading: Reading[StoredReceipt]) -> None:
    reading.add_record(
        _whole_body,
        revision=lambda stored: stored.receipt.revision,
        summary="A receipt as it is now",
        shape=stored_shape(Receipt, {"keeper": {"type": "string"}, "claims": HASHES}),
    )
    reading.add_history(
        receipt_history,
        receipt_act_body,
        shape=line_shape(ReceiptAct),
        summary="Every act on a receipt, oldest first, each with its proof",
    )
    reading.add_document(
        lambda seen: receipt_terms(seen.connection, seen.id, seen.viewer),
        summary="The document that was published with a receipt, byte for byte",
    )


def _whole_body(seen: Seen[StoredReceipt]) -> dict[str, Any]:
    """A receipt with who keeps its goods now, and the claims that it has."""
    receipt = seen.record.receipt
    keeper = keepers_of(seen.connection, [receipt.lot]).get(receipt.lot, receipt.warehouse)
    keys = [f"0x{key.hex()}" for key in keys_of(seen.connection, seen.id)]
    return receipt_body(seen.record) | {"keeper": keeper, "claims": keys}


# ---- acting -------------------------------------------------------------------------------------


def _add_making(changes: Changing) -> None:
    operations, ledger = changes.operations, changes.services.ledger

    def issue(principal: Principal, _: int, body: DraftBody) -> tuple[Call, Hash32]:
        to = operations.place("receipts")
        with valid():
            draft = body.draft(ledger.origin)
            id_ = receipt_id(ledger.chain_id, principal.organisation, draft.number, to)
            data = issue_calldata(draft, body.remark)
        words = Words(
            f"issue receipt {draft.number} for {draft.quantity} (thousandths of the unit) of lot "
            f"0x{draft.lot.hex()} to {draft.holder}",
            f"就批次 0x{draft.lot.hex()} 的 {draft.quantity}（单位的千分之一）向 {draft.holder} "
            f"签发仓单 {draft.number}",
        )
        return Call("receipts", to, data, "issue", words), id_

    changes.add_making(
        "",
        DraftBody,
        issue,
        operation_id="issueReceipt",
        summary="Issue a receipt for counted goods of a lot; the warehouse",
    )


def _add_merging(changes: Changing) -> None:
    def merge(principal: Principal, _: int, body: Merge) -> tuple[Call, Hash32]:
        ids = [hash_of(part.id) for part in body.receipts]
        with read_transaction(changes.services.engine) as connection:
            for id_ in ids:
                stored = here_or_not_found(
                    find_receipt(connection, id_, principal.viewer), "receipt", f"0x{id_.hex()}"
                )
        revisions = [part.revision for part in body.receipts]
        with valid():
            data = merge_calldata(ids, revisions, body.remark)
        shown = ", ".join(part.id for part in body.receipts)
        words = Words(f"merge receipts {shown} into one", f"将仓单 {shown} 合并为一")
        return Call("receipts", stored.contract, data, "merge", words), merged_id(ids, revisions)

    changes.add_making(
        "merge",
        Merge,
        merge,
        operation_id="mergeReceipts",
        summary="Make one of receipts for equal goods of one lot; who holds and owns them all",
    )


# ---- answers ------------------------------------------------------------------------------------


def receipt_body(stored: StoredReceipt) -> dict[str, Any]:
    """A receipt in JSON."""
    return stored_body(stored.id, stored.contract, stored.receipt, stored.place)


def receipt_act_body(act: ReceiptAct) -> dict[str, Any]:
    """A line of a receipt's history in JSON."""
    return act_body(act, act.place)
