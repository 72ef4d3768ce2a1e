"""Asset pools: what they are, their assets day by day, their money from debtor to investor."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Query, Request, Response

from api.acts.common import RecordId
from api.acts.pool_drafts import DATE
from api.auth import Guard
from api.errors import NotFound, ProblemPart, QueryInvalid
from api.formats import json_response
from api.routes import pool_shapes as shapes
from api.routes.pool_acting import READ, add_changes
from api.routes.pool_answers import (
    act_body,
    day_body,
    day_line,
    instrument_body,
    listed_body,
    one_body,
    revision_of_pool,
    tranche_body,
)
from api.routes.pool_money import add_money
from api.routes.pool_proving import add_verifying, evidence_of
from api.routes.reading import (
    After,
    CurrencyQuery,
    Limit,
    NumberQuery,
    OrganisationQuery,
    Reading,
    Seen,
)
from api.services import Services
from api.shapes import page_shape
from contracts.instruments.pages import LIMIT_DEFAULT
from contracts.pools.queries import (
    PoolQuery,
    StoredDay,
    StoredPool,
    find_day,
    find_pool,
    list_pools,
    pool_days,
    pool_rules,
    pool_tranches,
)
from contracts.pools.standing import pool_history, pool_instruments
from contracts.pools.types import PoolState

REVISION_MAX: Final = 64

_StateWord = Literal["proposed", "active", "closed", "withdrawn"]
_DateText = Annotated[str, Path(alias="date", pattern=DATE)]
_Pools = Reading[StoredPool]


def router(services: Services, guard: Guard) -> APIRouter:
    """Routes under /pools; those that change something where this node sends for members."""
    routes = APIRouter(tags=["pools"])
    pools = Reading(routes, services, guard, "/pools", "pool", "Pool", READ, find_pool)
    _add_list(pools)
    _add_one(pools)
    _add_days(pools)
    add_money(pools)
    add_verifying(routes, services, guard)
    if services.operations is not None:
        add_changes(routes, services, guard, services.operations)
    return routes


# ---- pools --------------------------------------------------------------------------------------


def _add_list(pools: _Pools) -> None:
    @pools.get_list(
        "listPools",
        summary="Pools that your organisation is or was a party to",
        description=(
            "Arranger, trustee, servicer, holders, payees of fees and of what is left, the newest "
            "first. Regulators and arbitrators with the scope `supervise` see all."
        ),
        shape=page_shape("pools", shapes.LISTED),
    )
    async def list_all(
        request: Request,
        state: Annotated[list[_StateWord] | None, Query(max_length=len(PoolState))] = None,
        arranger: OrganisationQuery = None,
        trustee: OrganisationQuery = None,
        servicer: OrganisationQuery = None,
        holder: OrganisationQuery = None,
        currency: CurrencyQuery = None,
        number: NumberQuery = None,
        after: After = None,
        limit: Limit = LIMIT_DEFAULT,
    ) -> Response:
        query = PoolQuery(
            states=None if state is None else tuple(PoolState[one.upper()] for one in state),
            arranger=arranger,
            trustee=trustee,
            servicer=servicer,
            holder=holder,
            currency=currency,
            number=number,
            after=after,
            limit=limit,
        )
        return await pools.listed(request, list_pools, query, listed_body, "pools")


def _add_one(pools: _Pools) -> None:
    def one(seen: Seen[StoredPool]) -> dict[str, Any]:
        return one_body(seen.connection, seen.record, seen.viewer)

    def tranches(seen: Seen[StoredPool]) -> dict[str, Any]:
        found = pool_tranches(seen.connection, seen.id, seen.viewer)
        return {"tranches": [tranche_body(one) for one in found]}

    def rules(seen: Seen[StoredPool]) -> bytes | None:
        return pool_rules(seen.connection, seen.id, seen.viewer)

    pools.add_record(
        one,
        summary="A pool as it is now, with tranches, holders, fees and where its money stands",
        revision=revision_of_pool,
        shape=shapes.ONE,
    )
    pools.add_part(
        "tranches",
        tranches,
        summary="Tranches by rank, what they have had, who holds",
        shape=shapes.TRANCHES,
    )
    pools.add_document(rules, summary="The eligibility rules that were published, byte for byte")
    pools.add_history(
        pool_history,
        act_body,
        summary="Offices, units and instruments: what happened, oldest first, each with its proof",
        shape=shapes.ACT,
    )
    pools.add_history(
        pool_instruments,
        instrument_body,
        part="instruments",
        member="instruments",
        summary="Receipts and receivables in a pool, each with whether the trustee still holds it",
        shape=shapes.INSTRUMENT,
    )


# ---- days ---------------------------------------------------------------------------------------


def _add_days(pools: _Pools) -> None:
    pools.add_history(
        pool_days,
        day_line,
        part="days",
        member="days",
        summary="States of the assets with all corrections, the newest date first",
        shape=shapes.DAY_LINE,
    )

    @pools.get(
        "days/{date}",
        operation_id="getPoolDay",
        summary="The state of a pool's assets on a date",
        description=(
            "Root and number of assets are what proofs of single assets are checked against. With "
            "`evidence=true` also the log's entry about it and its C2SP tlog-proof: `tally pool "
            "verify` needs nothing else. The revision is the ETag."
        ),
        shape=shapes.DAY,
    )
    async def get_day(
        request: Request,
        record: RecordId,
        text: _DateText,
        revision: Annotated[
            int, Query(ge=0, le=REVISION_MAX, description="0: the newest, later ones correct")
        ] = 0,
        evidence: Annotated[bool, Query(description="with the proof that the log has it")] = False,
    ) -> Response:
        on = _date(text)

        def found(seen: Seen[StoredPool]) -> tuple[dict[str, Any], StoredDay]:
            stored = find_day(seen.connection, seen.id, on, seen.viewer, revision)
            if stored is None:
                raise NotFound(f"pool {record} has no such state of {text}")
            return day_body(seen.record.pool, seen.id, stored), stored

        body, stored = await pools.look(request, record, found)
        if evidence:
            body |= {"evidence": evidence_of(pools.services, stored.place.leaf_index)}
        return json_response(body, cache="no-cache", headers={"ETag": f'"{stored.revision}"'})


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        detail = f"date: {text} is no date of the calendar"
        raise QueryInvalid(detail, errors=[ProblemPart(detail, parameter="date")]) from error
