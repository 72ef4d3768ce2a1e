"""The members, their nodes, what they decide and what they have agreed on. Read-only."""

from __future__ import annotations

import time
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response

from api.documentation import problems
from api.errors import NotFound
from api.formats import json_response
from api.members import (
    ContractList,
    GovernanceRules,
    NodePage,
    NodeSummary,
    OrganisationDetail,
    OrganisationPage,
    ParameterList,
    ProposalPage,
    ProposalSummary,
    account_body,
    contracts_body,
    node_body,
    organisation_body,
    parameter_body,
    proposal_body,
    rules_body,
)
from api.schemas import Schema
from api.services import Services
from contracts.consortium import (
    Organisation,
    Status,
    accounts_of,
    find_organisation,
    find_organisations,
    list_organisations,
)
from contracts.directory import contract_versions
from contracts.governance import (
    find_proposal,
    find_proposals,
    find_thresholds,
    find_voters,
)
from contracts.network import Node, NodeStatus, find_node, find_nodes
from contracts.parameters import all_parameters
from ledger.projection import read_transaction

PER_PAGE_MAX: Final = 200
ID: Final = r"^[a-z0-9-]{1,32}$"
NODE_ID: Final = r"^[0-9a-f]{40}$"
NUMBER: Final = r"^[1-9][0-9]{0,17}$"
NUMBER_MAX: Final = 10**18

PerPage = Annotated[int, Query(alias="perPage", ge=1, le=PER_PAGE_MAX)]


def router(services: Services) -> APIRouter:
    """Routes under /organisations, /nodes, /governance, /proposals, /parameters, /contracts."""
    routes = APIRouter(tags=["consortium"])
    _add_members(routes, services)
    _add_nodes(routes, services)
    _add_decisions(routes, services)
    _add_agreed(routes, services)
    return routes


def _add_members(routes: APIRouter, services: Services) -> None:
    @routes.get(
        "/organisations",
        operation_id="listOrganisations",
        summary="The members",
        response_class=Response,
        responses={**_page(OrganisationPage), **problems(400)},
    )
    def list_members(
        request: Request,
        per_page: PerPage = 30,
        token: Annotated[str | None, Query(alias="nextPageToken", pattern=ID)] = None,
    ) -> Response:
        with read_transaction(services.engine) as connection:
            found = list_organisations(connection, after=token or "", count=per_page + 1)
            votes = {voter.organisation: voter.votes for voter in find_voters(connection)}
        shown = found[:per_page]
        body = {"organisations": [organisation_body(one, votes.get(one.id, 0)) for one in shown]}
        more = shown[-1].id if len(found) > per_page else None
        return json_response(body, headers=_link(request, more))

    @routes.get(
        "/organisations/{organisationID}",
        operation_id="getOrganisation",
        summary="A member with its accounts, devices and nodes",
        response_class=Response,
        responses={**_answer(OrganisationDetail), **problems(400, 404)},
    )
    def get_member(
        organisation: Annotated[str, Path(alias="organisationID", pattern=ID)],
    ) -> Response:
        with read_transaction(services.engine) as connection:
            found = find_organisation(connection, organisation)
            if found is None:
                raise NotFound(f"no organisation {organisation} is on this ledger")
            votes = {voter.organisation: voter.votes for voter in find_voters(connection)}
            accounts = accounts_of(connection, organisation)
            nodes = find_nodes(connection, organisation)
        body = {
            **organisation_body(found, votes.get(organisation, 0)),
            "accounts": [account_body(account) for account in accounts],
            "nodes": [node_body(node, _effective(node, found)) for node in nodes],
        }
        return json_response(body)


def _add_nodes(routes: APIRouter, services: Services) -> None:
    @routes.get(
        "/nodes",
        operation_id="listNodes",
        summary="The members' nodes",
        response_class=Response,
        responses={**_page(NodePage), **problems(400)},
    )
    def list_nodes(
        request: Request,
        per_page: PerPage = 30,
        token: Annotated[str | None, Query(alias="nextPageToken", pattern=NODE_ID)] = None,
        removed: Annotated[bool, Query(description="also those that are gone")] = False,
    ) -> Response:
        with read_transaction(services.engine) as connection:
            found = sorted(find_nodes(connection, removed=removed), key=lambda node: node.id)
            owners = find_organisations(connection, {node.organisation for node in found})
        rest = [node for node in found if token is None or node.id.hex() > token]
        shown = rest[:per_page]
        body = {
            "nodes": [
                node_body(one, _effective(one, owners.get(one.organisation))) for one in shown
            ]
        }
        more = shown[-1].id.hex() if len(rest) > per_page else None
        return json_response(body, headers=_link(request, more))

    @routes.get(
        "/nodes/{nodeID}",
        operation_id="getNode",
        summary="A node, also one that is gone",
        response_class=Response,
        responses={**_answer(NodeSummary), **problems(400, 404)},
    )
    def get_node(node: Annotated[str, Path(alias="nodeID", pattern=NODE_ID)]) -> Response:
        with read_transaction(services.engine) as connection:
            found = find_node(connection, bytes.fromhex(node))
            if found is None:
                raise NotFound(f"no node {node} is on this ledger")
            owner = find_organisation(connection, found.organisation)
        return json_response(node_body(found, _effective(found, owner)))


def _add_decisions(routes: APIRouter, services: Services) -> None:
    @routes.get(
        "/governance",
        operation_id="getGovernance",
        summary="Who votes with which weight, and how many votes are needed",
        response_class=Response,
        responses={**_answer(GovernanceRules), **problems()},
    )
    def get_rules() -> Response:
        with read_transaction(services.engine) as connection:
            return json_response(rules_body(find_voters(connection), find_thresholds(connection)))

    @routes.get(
        "/proposals",
        operation_id="listProposals",
        summary="Proposals, the newest first",
        response_class=Response,
        responses={**_page(ProposalPage), **problems(400)},
    )
    def list_proposals(
        request: Request,
        per_page: PerPage = 30,
        token: Annotated[str | None, Query(alias="nextPageToken", pattern=NUMBER)] = None,
        undecided: Annotated[
            bool, Query(description="without what is executed, withdrawn or expired")
        ] = False,
    ) -> Response:
        before = None if token is None else int(token)
        with read_transaction(services.engine) as connection:
            found = find_proposals(
                connection,
                int(time.time()),
                before=before,
                count=per_page + 1,
                undecided=undecided,
            )
        shown = found[:per_page]
        more = str(shown[-1].id) if len(found) > per_page else None
        body = {"proposals": [proposal_body(one) for one in shown]}
        return json_response(body, headers=_link(request, more))

    @routes.get(
        "/proposals/{number}",
        operation_id="getProposal",
        summary="A proposal: what it would do, who says what, what it needs",
        response_class=Response,
        responses={**_answer(ProposalSummary), **problems(400, 404)},
    )
    def get_proposal(number: Annotated[int, Path(ge=1, le=NUMBER_MAX)]) -> Response:
        with read_transaction(services.engine) as connection:
            found = find_proposal(connection, number, int(time.time()))
        if found is None:
            raise NotFound(f"there is no proposal {number}")
        return json_response(proposal_body(found))


def _add_agreed(routes: APIRouter, services: Services) -> None:
    @routes.get(
        "/parameters",
        operation_id="listParameters",
        summary="Bounds that the members may change",
        response_class=Response,
        responses={**_answer(ParameterList), **problems()},
    )
    def list_parameters() -> Response:
        with read_transaction(services.engine) as connection:
            found = all_parameters(connection)
        return json_response({"parameters": [parameter_body(one) for one in found]})

    @routes.get(
        "/contracts",
        operation_id="listContracts",
        summary="Contracts by name, with all their versions",
        response_class=Response,
        responses={**_answer(ContractList), **problems()},
    )
    def list_contracts() -> Response:
        with read_transaction(services.engine) as connection:
            return json_response(contracts_body(contract_versions(connection)))


def _effective(node: Node, owner: Organisation | None) -> int:
    """Power that counts now."""
    active = owner is not None and owner.status is Status.ACTIVE
    return node.power if active and node.status is NodeStatus.ACTIVE else 0


def _answer(model: type[Schema]) -> dict[int | str, dict[str, Any]]:
    return {200: {"model": model, "description": "As of now", "content": {"application/json": {}}}}


def _page(model: type[Schema]) -> dict[int | str, dict[str, Any]]:
    told = "One page; `Link: rel=next` leads to the next one"
    return {200: {"model": model, "description": told, "content": {"application/json": {}}}}


def _link(request: Request, token: str | None) -> dict[str, str]:
    if token is None:
        return {}
    kept = [(k, v) for k, v in request.query_params.multi_items() if k != "nextPageToken"]
    query = urlencode([*kept, ("nextPageToken", token)])
    return {"Link": f'<{request.url.path}?{query}>; rel="next"'}
