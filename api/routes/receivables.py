"""Receivables: write down, list, read, and every act that members do with them."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.acts.common import (
    UINT48_MAX,
    RecordId,
    maybe_hash,
    valid,
)
from api.acts.receivables import ACTS, DraftBody
from api.auth import Guard
from api.operations import Call, Words
from api.principals import Principal
from api.routes.acting import Acted, Room, act_body, add_acts, changing, stored_body, stored_shape
from api.routes.changing import Changing
from api.routes.reading import (
    After,
    CurrencyQuery,
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
from api.shapes import HASHES, Schema, line_shape, page_shape
from contracts.claims import keys_of
from contracts.instruments import Viewer
from contracts.instruments.notices import as_json
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.receivables import (
    MACHINE,
    Kind,
    Receivable,
    ReceivableAct,
    ReceivableActed,
    ReceivableQuery,
    StoredReceivable,
    create_calldata,
    decode_log,
    find_receivable,
    list_receivables,
    receivable_endorsements,
    receivable_history,
    receivable_id,
    receivable_terms,
)
from ledger.types import Address, Hash32, Log

READ: Final = "receivables:read"
WRITE: Final = "receivables:write"
ENDORSERS: Final[Schema] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["endorser", "recourse"],
        "properties": {"endorser": {"type": "string"}, "recourse": {"type": "boolean"}},
    },
}
_State = Annotated[str, state_of(MACHINE), states_schema(MACHINE)]


def _acted(log: Log) -> Acted | None:
    event = decode_log(log)
    if not isinstance(event, ReceivableActed):
        return None
    return Acted(event.id, event.act, event.receivable)


def _contract_of(connection: Connection, id_: Hash32, viewer: Viewer) -> Address | None:
    stored = find_receivable(connection, id_, viewer)
    return None if stored is None else stored.contract


ROOM: Final = Room(
    "receivables", "receivable", MACHINE, "ReceivableActed", _acted, _contract_of, Receivable
)
_KindWord = Literal["invoice", "bill", "bank-bill", "order"]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /receivables; those that change something where this node sends for members."""
    routes = APIRouter(tags=["receivables"])
    reading = Reading(
        routes, services, guard, "/receivables", "receivable", "Receivable", READ, find_receivable
    )
    _add_list(reading)
    _add_reading(reading)
    if services.operations is not None:
        changes = changing(routes, services, guard, services.operations, ROOM)
        _add_making(changes)
        add_acts(changes, ROOM, ACTS)
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(reading: Reading[StoredReceivable]) -> None:
    @reading.get_list(
        "listReceivables",
        summary="Receivables that your organisation is or was a party to",
        description=(
            "Newest first; with `dueBefore` in the order of due dates. Regulators and arbitrators "
            "with the scope `supervise` see all."
        ),
        shape=page_shape("receivables", stored_shape(Receivable)),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=len(MACHINE.states))] = None,
        kind: Annotated[list[_KindWord] | None, Query(max_length=len(Kind))] = None,
        issuer: OrganisationQuery = None,
        creditor: OrganisationQuery = None,
        debtor: OrganisationQuery = None,
        holder: OrganisationQuery = None,
        pledgee: OrganisationQuery = None,
        attestor: OrganisationQuery = None,
        guarantor: OrganisationQuery = None,
        origin: HashQuery = None,
        root: HashQuery = None,
        number: NumberQuery = None,
        currency: CurrencyQuery = None,
        due: Annotated[
            int | None,
            Query(alias="dueBefore", ge=0, le=UINT48_MAX, description="Unix seconds"),
        ] = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = ReceivableQuery(
            states=None if state is None else tuple(state),
            kinds=None if kind is None else tuple(_kind(one) for one in kind),
            issuer=issuer,
            creditor=creditor,
            debtor=debtor,
            holder=holder,
            pledgee=pledgee,
            attestor=attestor,
            guarantor=guarantor,
            origin=maybe_hash(origin),
            root=maybe_hash(root),
            number=number,
            currency=currency,
            due_before=due,
            after=after,
            limit=limit,
        )
        return await reading.listed(
            request, list_receivables, query, receivable_body, "receivables"
        )


def _kind(word: str) -> Kind:
    return Kind[word.upper().replace("-", "_")]


def _add_reading(reading: Reading[StoredReceivable]) -> None:
    reading.add_record(
        _whole_body,
        revision=lambda stored: stored.receivable.revision,
        summary="A receivable as it is now, with who has passed it on",
        shape=stored_shape(Receivable, {"endorsers": ENDORSERS, "claims": HASHES}),
    )
    reading.add_history(
        receivable_history,
        receivable_act_body,
        shape=line_shape(ReceivableAct),
        summary="Every act on a receivable, oldest first, each with its proof",
    )

    @reading.get(
        "document",
        summary="A document that was published with a receivable, byte for byte",
        description="Its terms, or (`terms`: its hash) the invoice of an order.",
    )
    async def get_document(request: Request, record: RecordId, terms: HashQuery = None) -> Response:
        wanted = maybe_hash(terms)

        def found(seen: Seen[StoredReceivable]) -> bytes | None:
            published = dict(receivable_terms(seen.connection, seen.id, seen.viewer))
            return published.get(wanted or seen.record.receivable.terms)

        return await reading.document(request, record, found)


def _whole_body(seen: Seen[StoredReceivable]) -> dict[str, Any]:
    """A receivable with those through whose hands it went, and the claims of it or its whole."""
    chain = receivable_endorsements(seen.connection, seen.id, seen.viewer)
    records = sorted({seen.id, seen.record.receivable.root})
    claims = [f"0x{key.hex()}" for one in records for key in keys_of(seen.connection, one)]
    body = receivable_body(seen.record)
    return body | {"endorsers": [as_json(one) for one in chain], "claims": claims}


# ---- acting -------------------------------------------------------------------------------------


def _add_making(changes: Changing) -> None:
    operations, ledger = changes.operations, changes.services.ledger

    def create(principal: Principal, _: int, body: DraftBody) -> tuple[Call, Hash32]:
        to, issuer = operations.place("receivables"), principal.organisation
        with valid():
            draft = body.draft(issuer, ledger.origin)
            id_ = receivable_id(ledger.chain_id, issuer, draft.number, to)
            data = create_calldata(draft, body.remark)
        words = Words(
            f"write down {draft.kind.word} {draft.number}: {draft.debtor} owes {draft.creditor} "
            f"{draft.amount} (hundredths of {draft.currency})",
            f"登记 {draft.kind.word} {draft.number}：{draft.debtor} 应付 {draft.creditor} "
            f"{draft.amount}（{draft.currency} 的百分之一）",
        )
        return Call("receivables", to, data, "create", words), id_

    changes.add_making(
        "",
        DraftBody,
        create,
        operation_id="createReceivable",
        summary="Write down an invoice, a bill or an order; its creditor, or a bill's drawer",
    )


# ---- answers ------------------------------------------------------------------------------------


def receivable_body(stored: StoredReceivable) -> dict[str, Any]:
    """A receivable in JSON."""
    return stored_body(stored.id, stored.contract, stored.receivable, stored.place)


def receivable_act_body(act: ReceivableAct) -> dict[str, Any]:
    """A line of a receivable's history in JSON."""
    return act_body(act, act.place)
