"""Pledges: propose, consent, release, enforce, and what they cover."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Query, Request, Response

from api.acts.common import (
    RecordId,
    Target,
    hash_of,
    here_or_not_found,
    maybe_hash,
    place_body,
    valid,
)
from api.acts.pledges import ACTS, ASSETS_MAX, PledgeAct, PledgeBody
from api.auth import Guard
from api.operations import Call, Done, Words
from api.principals import Principal
from api.routes.acting import find_instrument
from api.routes.changing import Changing
from api.routes.reading import After, HashQuery, Limit, OrganisationQuery, Reading, Seen
from api.services import Services
from api.shapes import (
    ADDRESS_TEXT,
    HASH_TEXT,
    HASHES,
    NULL,
    PLACE,
    Schema,
    line_shape,
    object_shape,
    one_of,
    page_shape,
    record_shape,
    told_shape,
)
from contracts.genesis import PLEDGES_ADDRESS
from contracts.instruments.notices import as_json
from contracts.instruments.pages import LIMIT_DEFAULT, LIMIT_MAX
from contracts.pledges import (
    Pledge,
    PledgeChanged,
    PledgeQuery,
    State,
    StoredPledge,
    Terms,
    decode_log,
    find_pledge,
    list_pledges,
    pledge_assets,
    pledge_history,
    pledge_key,
    propose_calldata,
)
from contracts.pledges import PledgeAct as ActDone
from ledger.projection import read_transaction
from ledger.types import Hash32

READ: Final = "pledges:read"
WRITE: Final = "pledges:write"

_State = Literal[
    "proposed",
    "active",
    "defaulted",
    "released",
    "enforced",
    "declined",
    "withdrawn",
    "annulled",
]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /pledges; those that change something where this node sends for members."""
    routes = APIRouter(tags=["pledges"])
    reading = Reading(routes, services, guard, "/pledges", "pledge", "Pledge", READ, find_pledge)
    _add_list(reading)
    _add_reading(reading)
    if services.operations is not None:
        changes = Changing(
            routes,
            services,
            guard,
            services.operations,
            "/pledges",
            "pledge",
            WRITE,
            lambda _, key, done: _told(key, done),
            revised=False,
            shape=told_shape("pledge", _pledge_shape()),
        )
        _add_proposal(changes)
        for name, model in ACTS.items():
            changes.add_act(name, model, partial(_act, services, name))
    return routes


# ---- reading ------------------------------------------------------------------------------------


def _add_list(reading: Reading[StoredPledge]) -> None:
    @reading.get_list(
        "listPledges",
        summary="Pledges that your organisation is a party to, newest first",
        shape=page_shape("pledges", _shape()),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_State] | None, Query(max_length=8)] = None,
        pledgor: OrganisationQuery = None,
        pledgee: OrganisationQuery = None,
        instrument: HashQuery = None,
        covers: HashQuery = None,
        loan: HashQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = PledgeQuery(
            states=None if state is None else tuple(State.of(word) for word in state),
            pledgor=pledgor,
            pledgee=pledgee,
            record=maybe_hash(instrument),
            covers=maybe_hash(covers),
            loan=maybe_hash(loan),
            after=after,
            limit=limit,
        )
        return await reading.listed(request, list_pledges, query, pledge_body, "pledges")


def _add_reading(reading: Reading[StoredPledge]) -> None:
    reading.add_record(
        _whole_body,
        summary="A pledge as it is now, with the first 100 instruments that it covers",
        shape=_shape({"covers": HASHES}),
    )
    reading.add_history(
        pledge_history,
        act_body,
        shape=_line_shape(),
        summary="Everything that happened to a pledge, oldest first, each with its proof",
    )

    @reading.get(
        "instruments",
        operation_id="listPledgedInstruments",
        summary="Instruments that a pledge covers now, by id",
        shape=object_shape(instruments=HASHES, after=one_of(HASH_TEXT, NULL)),
    )
    async def get_instruments(
        request: Request,
        record: RecordId,
        after: HashQuery = None,
        limit: Annotated[int, Query(ge=1, lt=LIMIT_MAX)] = LIMIT_DEFAULT,
    ) -> Response:
        since = maybe_hash(after)

        def found(seen: Seen[StoredPledge]) -> dict[str, Any]:
            covered = _covered(seen, since, limit + 1)
            shown = covered[:limit]
            return {"instruments": shown, "after": shown[-1] if len(covered) > limit else None}

        return await reading.part(request, record, found)


def _whole_body(seen: Seen[StoredPledge]) -> dict[str, Any]:
    """A pledge with what it covers."""
    return pledge_body(seen.record) | {"covers": _covered(seen, None, ASSETS_MAX)}


def _covered(seen: Seen[StoredPledge], since: Hash32 | None, limit: int) -> list[str]:
    found = pledge_assets(seen.connection, seen.id, seen.viewer, after=since, limit=limit)
    return [f"0x{id_.hex()}" for id_ in found]


# ---- acting -------------------------------------------------------------------------------------


def _add_proposal(changes: Changing) -> None:
    def propose(principal: Principal, revision: int, body: PledgeBody) -> tuple[Call, Hash32]:
        id_ = hash_of(body.instrument)
        with read_transaction(changes.services.engine) as connection:
            contract, seen = find_instrument(connection, id_, principal.viewer)
        values = (contract, id_, revision or seen)
        with valid():
            data = propose_calldata(*values, body.pledgee, body.agreed, body.remark)
            key = pledge_key(*values, principal.organisation, body.pledgee, body.agreed)
        words = Words(
            f"offer {body.instrument} to {body.pledgee} as security for {body.amount} hundredths "
            f"of {body.currency}",
            f"将 {body.instrument} 质押给 {body.pledgee}，"
            f"担保 {body.currency} 金额 {body.amount}（分）",
        )
        call = Call("pledges", PLEDGES_ADDRESS, data, "propose", words, body.instrument)
        return call, key

    changes.add_making(
        "",
        PledgeBody,
        propose,
        operation_id="proposePledge",
        summary="Offer an instrument as security to a bank; its holder",
        revised=True,
    )


def _act(
    services: Services, name: str, principal: Principal, key: Hash32, _: int, body: PledgeAct
) -> Call:
    viewer = principal.viewer
    with read_transaction(services.engine) as connection:
        found = find_pledge(connection, key, viewer)
        here_or_not_found(found, "pledge", f"0x{key.hex()}")
        all_of_it = body.about_all()
        covered = pledge_assets(connection, key, viewer, limit=ASSETS_MAX) if all_of_it else ()
    on = Target(principal.organisation, key, 0, services.ledger.origin)
    with valid():
        data = body.calldata(on, covered)
    return Call("pledges", PLEDGES_ADDRESS, data, name, body.words(on), on.text)


# ---- answers ------------------------------------------------------------------------------------


def _told(key: Hash32, done: Done) -> dict[str, Any]:
    """The pledge after the change."""
    shown: dict[str, Any] | None = None
    for event in done.events:
        if event.contract == "pledges" and event.name == "PledgeChanged":
            changed = decode_log(event.placed.log)
            if isinstance(changed, PledgeChanged) and changed.key == key:
                shown = _pledge(key, changed.pledge)
    return {"pledge": shown}


def pledge_body(stored: StoredPledge) -> dict[str, Any]:
    """A pledge in JSON."""
    return {**_pledge(stored.key, stored.pledge), "last": place_body(stored.place)}


def _pledge(key: Hash32, pledge: Pledge) -> dict[str, Any]:
    body = _json(pledge)
    terms = body.pop("terms")
    contract, instrument = body.pop("instrument"), body.pop("id")
    return {
        "id": f"0x{key.hex()}",
        "contract": contract,
        "instrument": instrument,
        **body,
        **terms,
    }


def _shape(more: Mapping[str, Schema] | None = None) -> Schema:
    """What `pledge_body` looks like, with `more` members."""
    return _pledge_shape({"last": PLACE, **(more or {})})


def _pledge_shape(more: Mapping[str, Schema] | None = None) -> Schema:
    """What `_pledge` looks like, with `more` members."""
    own = {
        "id": HASH_TEXT,
        "contract": ADDRESS_TEXT,
        "instrument": HASH_TEXT,
        **record_shape(Terms)["properties"],
    }
    return record_shape(Pledge, {**own, **(more or {})}, without=("terms", "instrument", "id"))


def _line_shape() -> Schema:
    """What `act_body` looks like: what a line does not tell is not there."""
    shape = line_shape(ActDone)
    properties = shape["properties"]
    properties["instrument"] = properties.pop("record")
    return {**shape, "required": ["kind", "remark", *PLACE["required"]]}


def act_body(act: ActDone) -> dict[str, Any]:
    """A line of a history in JSON: what it tells, and where its proof is."""
    body = {name: value for name, value in _json(act).items() if value is not None}
    del body["place"]
    if "record" in body:
        body["instrument"] = body.pop("record")
    return {**body, **place_body(act.place)}


def _json(value: object) -> dict[str, Any]:
    body = as_json(value)
    assert isinstance(body, dict)
    return body
