"""Claims: which record the same goods or invoice stand behind, and taking one from what has ended.

A claim is its record's: who sees the record sees it, by the scopes of the record's room.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from api.acts.claims import AnnulClaim
from api.acts.common import (
    RecordId,
    hash_of,
    here_or_not_found,
    json_answer,
    place_body,
    valid,
)
from api.auth import Guard
from api.documentation import BEARER, problems
from api.formats import json_response
from api.operations import Call, Done
from api.operations.refusing import refused_as
from api.principals import Principal
from api.routes.changing import Changing
from api.routes.reading import REVISION_TEXT
from api.services import Services
from api.shapes import ADDRESS_TEXT, HASH_TEXT, PLACE, TEXT, object_shape
from contracts.claimants import Claimant, find_claimant, room_of_claimant
from contracts.claims import CLAIMS_ADDRESS, Annulled, Released, decode_log
from contracts.instruments.notices import as_json
from ledger.projection import read_transaction
from ledger.types import Hash32

_PATH: Final = "/claims"
_SCOPES: Final = "By the scopes of the record's room: `receipts` or `receivables`."


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /claims; that which changes something where this node sends for members."""
    routes = APIRouter(tags=["claims"])
    _add_reading(routes, services, guard)
    if services.operations is not None:
        changes = Changing(
            routes,
            services,
            guard,
            services.operations,
            _PATH,
            "claim",
            None,
            partial(_told, services),
            shape=_ANNULLED,
        )
        changes.add_act(
            "annul",
            AnnulClaim,
            partial(_annul, services),
            description=(
                "For: an arbitrator or a regulator. While: the record and all its parts have "
                "ended; what an order keeps before it is delivered, at any time. If-Match is the "
                "revision of the record that has the claim (the ETag "
                f"here), which this node compares. {_SCOPES}"
            ),
        )
    return routes


def _add_reading(routes: APIRouter, services: Services, guard: Guard) -> None:
    @routes.get(
        f"{_PATH}/{{id}}",
        operation_id="getClaim",
        summary="The record that has a claim (`claims` of receipts and receivables)",
        description=f"{_SCOPES} {REVISION_TEXT}",
        response_class=Response,
        responses={**json_answer(_CLAIM), **problems(400, 401, 403, 404)},
        openapi_extra=BEARER,
    )
    async def get_claim(request: Request, record: RecordId) -> Response:
        principal = guard.principal(request, None, instrument=record)
        found = await run_in_threadpool(_claimant, services, principal, hash_of(record), "read")
        headers = {"ETag": f'"{found.revision}"'}
        return json_response(_body(found), cache="no-cache", headers=headers)


def _claimant(services: Services, principal: Principal, key: Hash32, mode: str) -> Claimant:
    """Raises `NotFound`, and `Forbidden` where the key has no scope of the record's room."""
    with read_transaction(services.engine) as connection:
        found = find_claimant(connection, key, principal.viewer)
    text = f"0x{key.hex()}"
    claimant = here_or_not_found(found, "claim", text)
    principal.check(f"{claimant.room}:{mode}", text)
    return claimant


def _annul(
    services: Services, principal: Principal, key: Hash32, revision: int, body: AnnulClaim
) -> Call:
    claimant = _claimant(services, principal, key, "write")
    text = f"0x{key.hex()}"
    if revision and revision != claimant.revision:
        words = (
            f"{claimant.noun} 0x{claimant.id.hex()}, which has claim {text}, is at revision "
            f"{claimant.revision}, not {revision}"
        )
        raise refused_as("StaleRevision", words)
    with valid():
        data = body.calldata(claimant)
    return Call("claims", CLAIMS_ADDRESS, data, "annul", body.words(claimant), text)


# ---- answers ------------------------------------------------------------------------------------

_CLAIM: Final = object_shape(
    key=HASH_TEXT,
    record=object_shape(
        kind=TEXT,
        id=HASH_TEXT,
        contract=ADDRESS_TEXT,
        state=TEXT,
        revision={"type": "integer"},
    ),
    last=PLACE,
)
_ANNULLED: Final = object_shape(
    annulled=object_shape(
        key=HASH_TEXT,
        record=HASH_TEXT,
        contract=ADDRESS_TEXT,
        by=TEXT,
        decision=HASH_TEXT,
        remark=TEXT,
    )
)


def _body(found: Claimant) -> dict[str, Any]:
    return {
        "key": f"0x{found.key.hex()}",
        "record": {
            "kind": found.noun,
            "id": f"0x{found.id.hex()}",
            "contract": f"0x{found.contract.hex()}",
            "state": found.state,
            "revision": found.revision,
        },
        "last": place_body(found.place),
    }


def _told(services: Services, principal: Principal, key: Hash32, done: Done) -> Mapping[str, Any]:
    """From what the claim was taken, and by which decision.

    Nobody has the claim any more: who asks again, sees the record that had it, by a key with the
    scope of its room. Raises `NotFound` and `Forbidden`.
    """
    told: dict[str, Any] = {"key": f"0x{key.hex()}"}
    for event in done.events:
        if event.contract != "claims":
            continue
        match decode_log(event.placed.log):
            case Released(_, contract, id_):
                _check_had(services, principal, key, id_)
                told |= {"record": as_json(id_), "contract": as_json(contract)}
            case Annulled() as annulled:
                told |= {
                    "by": annulled.by,
                    "decision": as_json(annulled.decision),
                    "remark": annulled.remark,
                }
    return {"annulled": told}


def _check_had(services: Services, principal: Principal, key: Hash32, id_: Hash32) -> None:
    with read_transaction(services.engine) as connection:
        found = room_of_claimant(connection, id_, principal.viewer)
    text = f"0x{key.hex()}"
    principal.check(f"{here_or_not_found(found, 'claim', text)}:write", text)
