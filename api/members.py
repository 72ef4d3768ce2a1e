"""Members, nodes and what they decide, in words of OpenAPI and as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from api.formats import timestamp
from api.schemas import Schema
from contracts.consortium import Account, Organisation
from contracts.directory import ContractVersion
from contracts.governance import Proposal, Threshold, Thresholds, Voter
from contracts.network import Node
from contracts.parameters import BOUNDS, Parameter
from contracts.wording import describe, function_name

StatusWord = Literal["active", "suspended", "revoked"]
HEX_ADDRESS = "^0x[0-9a-f]{40}$"


class OrganisationSummary(Schema):
    """A member."""

    id: str = Field(examples=["green-valley"])
    name: str
    name_zh: str = Field(alias="nameZh")
    uri: str
    role: str
    status: StatusWord
    votes: int = Field(description="weight in votes; counts while the status is active")


class OrganisationPage(Schema):
    """Members by id."""

    organisations: list[OrganisationSummary]


class AccountSummary(Schema):
    """A key of a member."""

    address: str = Field(pattern=HEX_ADDRESS)
    kind: Literal["account", "device"]
    status: StatusWord


class NodeSummary(Schema):
    """A node of a member."""

    id: str = Field(pattern="^[0-9a-f]{40}$", description="CometBFT node id")
    organisation: str
    status: Literal["active", "suspended", "removed"]
    power: int = Field(description="voting power; counts while node and organisation are active")
    effective_power: int = Field(alias="effectivePower")
    validator_key: str | None = Field(alias="validatorKey", description="Ed25519, hex")
    p2p: str
    api: str
    witness_key: str = Field(alias="witnessKey", description="C2SP vkey")
    since_block: int = Field(alias="sinceBlock", description="0 from genesis")


class NodePage(Schema):
    """Nodes by id."""

    nodes: list[NodeSummary]


class OrganisationDetail(OrganisationSummary):
    """A member with its keys and nodes."""

    accounts: list[AccountSummary]
    nodes: list[NodeSummary]


class Share(Schema):
    """More than numerator / denominator of all votes; all of them where both are equal."""

    numerator: int
    denominator: int


class FunctionThreshold(Schema):
    """A function with a threshold of its own."""

    function: str = Field(examples=["consortium.setRole"])
    threshold: Share


class VoterSummary(Schema):
    """An organisation that votes."""

    organisation: str
    votes: int
    counts: bool = Field(description="false while it is not active")


class GovernanceRules(Schema):
    """Who decides, and how many votes are needed."""

    voters: list[VoterSummary]
    total_votes: int = Field(alias="totalVotes")
    default_threshold: Share = Field(alias="defaultThreshold")
    thresholds: list[FunctionThreshold]


class ProposedCall(Schema):
    """One of the things that a proposal would do."""

    words: str = Field(examples=["suspend organisation acme"])
    contract: str
    function: str
    target: str = Field(pattern=HEX_ADDRESS)
    data: str = Field(description="calldata, 0x and hex")


class ProposalVote(Schema):
    """What an organisation said last."""

    organisation: str
    choice: Literal["yes", "no"]
    by: str = Field(pattern=HEX_ADDRESS)
    block_number: int = Field(alias="blockNumber")


class VoteTally(Schema):
    """Votes by weight, as they count now."""

    yes: int
    no: int
    total: int


class ProposalSummary(Schema):
    """A proposal as it stands now."""

    id: int
    state: Literal["open", "passed", "executed", "withdrawn", "expired"]
    organisation: str
    by: str = Field(pattern=HEX_ADDRESS)
    text: str
    created: datetime
    expires: datetime
    block_number: int = Field(alias="blockNumber")
    decided_block: int | None = Field(alias="decidedBlock")
    transaction_hash: str = Field(alias="transactionHash", pattern="^0x[0-9a-f]{64}$")
    calls: list[ProposedCall]
    votes: list[ProposalVote]
    tally: VoteTally
    required: Share


class ProposalPage(Schema):
    """Proposals, the newest first."""

    proposals: list[ProposalSummary]


class ParameterSummary(Schema):
    """A bound that the members may change."""

    name: str
    value: int = Field(description="0 for that of genesis")
    since_block: int = Field(alias="sinceBlock")
    lowest: int
    highest: int


class ParameterList(Schema):
    """All parameters."""

    parameters: list[ParameterSummary]


class ContractVersionSummary(Schema):
    """A version of a named contract."""

    version: int = Field(description="counted from 0")
    address: str = Field(pattern=HEX_ADDRESS)
    code_hash: str = Field(alias="codeHash", pattern="^0x[0-9a-f]{64}$")
    since_block: int = Field(alias="sinceBlock", description="0 from genesis")
    note: str
    current: bool


class NamedContract(Schema):
    """A contract with all its versions."""

    name: str
    versions: list[ContractVersionSummary]


class ContractList(Schema):
    """All contracts by name."""

    contracts: list[NamedContract]


# ---- as JSON ------------------------------------------------------------------------------------


def organisation_body(organisation: Organisation, votes: int) -> dict[str, Any]:
    """`OrganisationSummary`."""
    profile = organisation.profile
    return {
        "id": organisation.id,
        "name": profile.name,
        "nameZh": profile.name_zh,
        "uri": profile.uri,
        "role": organisation.role.word,
        "status": organisation.status.word,
        "votes": votes,
    }


def account_body(account: Account) -> dict[str, Any]:
    """`AccountSummary`."""
    return {
        "address": f"0x{account.address.hex()}",
        "kind": account.kind.word,
        "status": account.status.word,
    }


def node_body(node: Node, effective_power: int) -> dict[str, Any]:
    """`NodeSummary`."""
    return {
        "id": node.id.hex(),
        "organisation": node.organisation,
        "status": node.status.word,
        "power": node.power,
        "effectivePower": effective_power,
        "validatorKey": node.validator_key.hex() if node.validator_key else None,
        "p2p": node.contact.p2p,
        "api": node.contact.api,
        "witnessKey": node.contact.witness_key,
        "sinceBlock": node.since_block,
    }


def rules_body(voters: tuple[Voter, ...], thresholds: Thresholds) -> dict[str, Any]:
    """`GovernanceRules`."""
    own = sorted((function_name(*key), share) for key, share in thresholds.own.items())
    return {
        "voters": [
            {"organisation": v.organisation, "votes": v.votes, "counts": v.counts} for v in voters
        ],
        "totalVotes": sum(voter.votes for voter in voters if voter.counts),
        "defaultThreshold": _share(thresholds.default),
        "thresholds": [{"function": name, "threshold": _share(share)} for name, share in own],
    }


def proposal_body(proposal: Proposal) -> dict[str, Any]:
    """`ProposalSummary`."""
    return {
        "id": proposal.id,
        "state": proposal.state.word,
        "organisation": proposal.organisation,
        "by": f"0x{proposal.by.hex()}",
        "text": proposal.text,
        "created": _time(proposal.created),
        "expires": _time(proposal.expires),
        "blockNumber": proposal.block_number,
        "decidedBlock": proposal.decided_block,
        "transactionHash": proposal.transaction_hash,
        "calls": [
            {
                "words": told.words,
                "contract": told.contract,
                "function": told.function,
                "target": f"0x{call.target.hex()}",
                "data": f"0x{call.data.hex()}",
            }
            for call in proposal.calls
            for told in [describe(call)]
        ],
        "votes": [
            {
                "organisation": vote.organisation,
                "choice": vote.choice.word,
                "by": f"0x{vote.by.hex()}",
                "blockNumber": vote.block_number,
            }
            for vote in proposal.votes
        ],
        "tally": {
            "yes": proposal.tally.yes,
            "no": proposal.tally.no,
            "total": proposal.tally.total,
        },
        "required": _share(proposal.required),
    }


def parameter_body(parameter: Parameter) -> dict[str, Any]:
    """`ParameterSummary`."""
    lowest, highest = BOUNDS[parameter.name]
    return {
        "name": parameter.name,
        "value": parameter.value,
        "sinceBlock": parameter.since_block,
        "lowest": lowest,
        "highest": highest,
    }


def contracts_body(versions: tuple[ContractVersion, ...]) -> dict[str, Any]:
    """`ContractList`."""
    names: dict[str, list[dict[str, Any]]] = {}
    for one in versions:
        names.setdefault(one.name, []).append(
            {
                "version": one.index,
                "address": f"0x{one.address.hex()}",
                "codeHash": f"0x{one.code_hash.hex()}",
                "sinceBlock": one.since_block,
                "note": one.note,
                "current": one.current,
            }
        )
    return {"contracts": [{"name": name, "versions": found} for name, found in names.items()]}


def _share(threshold: Threshold) -> dict[str, int]:
    return {"numerator": threshold.numerator, "denominator": threshold.denominator}


def _time(seconds: int) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))
