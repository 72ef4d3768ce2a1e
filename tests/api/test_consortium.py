"""Members, nodes, proposals, parameters and contracts over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from contracts.consortium import (
    CONSORTIUM_ADDRESS,
    Profile,
    Role,
    Status,
    add_organisation,
    set_organisation_status,
)
from contracts.genesis import (
    DIRECTORY_ADDRESS,
    GOVERNANCE_ADDRESS,
    NETWORK_ADDRESS,
    PARAMETERS_ADDRESS,
)
from contracts.governance import Call, Threshold, propose, set_threshold, set_votes
from contracts.network import add_node, remove_node
from contracts.parameters import set_parameter
from contracts.wording import function_of
from ledger.types import Address
from tests.api.conftest import Node
from tests.api.test_capture import problem
from tests.contracts.governance.model import node_of
from tests.traceability.capture.stack import BANK, FARM, OFFICE, ROLES

pytestmark = pytest.mark.feature("N2")


def listed(node: Node, path: str, name: str) -> list[dict[str, Any]]:
    """All pages."""
    found: list[dict[str, Any]] = []
    while True:
        answer = node.client.get(path)
        assert answer.status_code == 200, answer.text
        found += answer.json()[name]
        if "next" not in answer.links:
            return found
        path = answer.links["next"]["url"]


def test_members_are_listed_page_by_page(node: Node) -> None:
    found = listed(node, "/organisations?perPage=3", "organisations")
    assert [one["id"] for one in found] == sorted(ROLES)
    assert {one["id"]: one["votes"] for one in found} == {**dict.fromkeys(ROLES, 0), OFFICE: 1}
    node.stack.govern(
        Call(CONSORTIUM_ADDRESS, set_organisation_status(FARM, Status.SUSPENDED)),
        Call(NETWORK_ADDRESS, add_node(node_of(1, BANK, 10))),
    )
    farm = node.client.get(f"/organisations/{FARM}").json()
    assert (farm["status"], farm["role"]) == ("suspended", "manufacturer")
    address = node.stack.identity.accounts[FARM].address
    assert farm["accounts"] == [
        {"address": f"0x{address.hex()}", "kind": "account", "status": "active"}
    ]
    bank = node.client.get(f"/organisations/{BANK}").json()
    assert [one["effectivePower"] for one in bank["nodes"]] == [10]
    problem(node.client.get("/organisations/nobody"), 404)
    problem(node.client.get("/organisations/NOBODY"), 400)


def test_nodes_with_the_power_that_counts(node: Node) -> None:
    nodes = [node_of(number, BANK if number else FARM, 10) for number in range(4)]
    node.stack.govern(*(Call(NETWORK_ADDRESS, add_node(one)) for one in nodes))
    node.stack.govern(
        Call(CONSORTIUM_ADDRESS, set_organisation_status(FARM, Status.SUSPENDED)),
        Call(NETWORK_ADDRESS, remove_node(nodes[3].id)),
    )
    found = listed(node, "/nodes?perPage=2", "nodes")
    assert [(one["id"], one["effectivePower"]) for one in found] == [
        (nodes[0].id.hex(), 0),
        (nodes[1].id.hex(), 10),
        (nodes[2].id.hex(), 10),
    ]
    assert len(listed(node, "/nodes?perPage=1&removed=true", "nodes")) == 4
    gone = node.client.get(f"/nodes/{nodes[3].id.hex()}").json()
    assert (gone["status"], gone["power"]) == ("removed", 0)
    problem(node.client.get(f"/nodes/{'ab' * 20}"), 404)
    problem(node.client.get("/nodes/xyz"), 400)


def test_proposals_as_they_stand(node: Node) -> None:
    call = Call(CONSORTIUM_ADDRESS, set_organisation_status(FARM, Status.SUSPENDED))
    node.stack.govern(
        Call(GOVERNANCE_ADDRESS, set_votes(BANK, 2)),
        Call(
            GOVERNANCE_ADDRESS,
            set_threshold(*function_of("network.setPower"), Threshold(3, 4)),
        ),
    )
    for text in ("first", "second"):
        node.stack.send(BANK, GOVERNANCE_ADDRESS, propose([call], text))
    found = listed(node, "/proposals?perPage=1", "proposals")
    assert [(one["id"], one["state"], one["text"]) for one in found] == [
        (3, "open", "second"),
        (2, "open", "first"),
        (1, "executed", "as said"),
    ]
    assert [one["id"] for one in listed(node, "/proposals?undecided=true", "proposals")] == [3, 2]
    one = node.client.get("/proposals/3").json()
    assert one["calls"][0]["words"] == f"suspend organisation {FARM}"
    assert one["tally"] == {"yes": 2, "no": 0, "total": 3}
    assert one["required"] == {"numerator": 2, "denominator": 3}
    assert [vote["choice"] for vote in one["votes"]] == ["yes"]
    rules = node.client.get("/governance").json()
    assert rules["totalVotes"] == 3
    assert rules["thresholds"] == [
        {"function": "network.setPower", "threshold": {"numerator": 3, "denominator": 4}}
    ]
    problem(node.client.get("/proposals/4"), 404)
    problem(node.client.get("/proposals/0"), 400)
    problem(node.client.get("/proposals?nextPageToken=-1"), 400)


def test_parameters_and_contracts(node: Node) -> None:
    node.stack.govern(Call(PARAMETERS_ADDRESS, set_parameter("witnessThreshold", 3)))
    found = {one["name"]: one for one in node.client.get("/parameters").json()["parameters"]}
    assert found["witnessThreshold"]["value"] == 3
    assert found["blockGasLimit"]["value"] == 0
    contracts = {one["name"]: one for one in node.client.get("/contracts").json()["contracts"]}
    assert {"consortium", "directory", "governance", "network", "parameters"} <= set(contracts)
    assert set(contracts) == set(node.stack.identity.genesis.contracts)
    (version,) = contracts["directory"]["versions"]
    assert version["address"] == f"0x{DIRECTORY_ADDRESS.hex()}"
    assert version["current"]


def test_a_new_member_shows_at_once(node: Node) -> None:
    account = Address(node.stack.identity.accounts[FARM].address[:-1] + b"\x01")
    call = add_organisation("acme", Role.RETAILER, Profile("Acme", "艾克", ""), account)
    node.stack.govern(Call(CONSORTIUM_ADDRESS, call))
    assert node.client.get("/organisations/acme").json()["nameZh"] == "艾克"
