"""The answers in words of OpenAPI: documentation only, for routes write bytes by themselves."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Schema(BaseModel):
    """Base: names as they stand in JSON."""

    model_config = ConfigDict(populate_by_name=True)


class ProblemError(Schema):
    """One of several reasons."""

    detail: str
    pointer: str | None = Field(None, description="RFC 6901 pointer into the request body")
    parameter: str | None = Field(None, description="query parameter or header at fault")


class Problem(Schema):
    """RFC 7807 problem details."""

    type: str = Field(examples=["epcisException:ValidationException"])
    title: str = Field(examples=["Document is not valid"])
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str | None = None
    errors: list[ProblemError] | None = None
    refusal: str | None = Field(
        None, description="the contract's error by name", examples=["InstrumentPledged"]
    )
    transaction: str | None = Field(None, description="where it was mined and refused there")


class CaptureError(Schema):
    """Why something of a document was not captured."""

    type: str = Field(examples=["epcisException:ValidationException"])
    title: str = Field(examples=["Event is not valid"])
    status: int
    detail: str = Field(examples=["GTIN (01): check digit is 3, but must be 2"])
    pointer: str | None = Field(None, examples=["/epcisBody/eventList/7/epcList/0"])
    event_index: int | None = Field(None, alias="eventIndex")


class CaptureJob(Schema):
    """EPCIS 2.0 section 12.6.1, with what became of the events."""

    capture_id: str = Field(alias="captureID", examples=["6f1b7a0e-6c2c-4a53-9f4e-9d8f9f3f4a10"])
    created_at: datetime = Field(alias="createdAt")
    finished_at: datetime | None = Field(None, alias="finishedAt")
    running: bool
    success: bool = Field(description="false as soon as anything went wrong")
    capture_error_behaviour: Literal["rollback", "proceed"] = Field(alias="captureErrorBehaviour")
    errors: list[CaptureError]
    event_ids: list[str] = Field(
        alias="eventIDs",
        description="CBV event hash ids of the events that are on the ledger once it is done",
    )
    already_present: list[str] = Field(
        alias="alreadyPresent", description="those that had been anchored before, unchanged"
    )
    transaction_hash: str | None = Field(None, alias="transactionHash")
    block_number: int | None = Field(None, alias="blockNumber")
    transactions: list[Transaction]


class Transaction(Schema):
    """A transaction that carries events of the job."""

    transaction_hash: str = Field(alias="transactionHash", pattern="^0x[0-9a-f]{64}$")
    block_number: int | None = Field(alias="blockNumber")


class QueryDocument(Schema):
    """EPCISQueryDocument of EPCIS 2.0 section 9.5."""

    context: list[Any] = Field(alias="@context")
    type: Literal["EPCISQueryDocument"]
    schema_version: Literal["2.0"] = Field(alias="schemaVersion")
    creation_date: datetime = Field(alias="creationDate")
    epcis_body: dict[str, Any] = Field(alias="epcisBody")


class Event(BaseModel):
    """One EPCIS event, bare, with its own context."""

    model_config = ConfigDict(extra="allow")

    type: str
    eventID: str  # noqa: N815 - the standard's name
    recordTime: datetime  # noqa: N815


class Bundle(Schema):
    """Proof bundle, docs/proof-format.md section 5."""

    format: Literal["tallystick-proof/1"]
    event_id: str = Field(alias="eventID")
    event: dict[str, Any]
    batch: dict[str, Any]
    leaf: dict[str, Any]
    proof: str


class LaterVersion(Schema):
    """A version of the Provenance contract that the members have voted."""

    address: str
    from_block: int = Field(alias="fromBlock", description="its events count from there on")


class TrustContracts(Schema):
    """The contracts that a trust file names."""

    consortium: str
    provenance: str | list[str | LaterVersion] = Field(
        description="one address, or the first one and each later version"
    )
    directory: str | None = None


class TrustFile(Schema):
    """Trust file, docs/proof-format.md section 6."""

    format: Literal["tallystick-trust/1"]
    name: str
    origin: str
    keys: list[str]
    threshold: int
    chain_id: int = Field(alias="chainId")
    contracts: TrustContracts
    genesis: dict[str, str] | None = Field(
        None, description="for nodes that join: SHA-256 of genesis.json, and of the engine's"
    )


class VersionRecord(Schema):
    """That the Directory has named a version."""

    leaf: dict[str, Any]
    proof: str


class VersionsFile(Schema):
    """Later versions of the Provenance contract, docs/proof-format.md section 13."""

    format: Literal["tallystick-versions/1"]
    origin: str
    records: list[VersionRecord]


class ItemOrganisation(Schema):
    """Who said it."""

    id: str
    name: str
    name_zh: str = Field(alias="nameZh")
    role: str


class JourneyStep(Schema):
    """One event of an item's journey, with its proof."""

    event_id: str = Field(alias="eventID")
    relation: Literal["self", "container", "input", "lot"]
    about: str
    record_time: datetime = Field(alias="recordTime")
    organisation: ItemOrganisation
    bundle: Bundle


class ItemAnswer(Schema):
    """Item answer, docs/proof-format.md section 7."""

    epc: str
    trust: TrustFile
    journey: list[JourneyStep]
    truncated: bool


class ConsistencyProof(Schema):
    """RFC 6962 section 2.1.2."""

    origin: str
    from_: int = Field(alias="from")
    to: int
    proof: list[str] = Field(description="base64 hashes")


class EvidenceEntry(Schema):
    """One fork that the node has found."""

    id: str
    kind: Literal["same-size", "broken-proof"]
    accused: str | None = Field(description="name of the key that signed the second checkpoint")
    first_size: int = Field(alias="firstSize")
    second_size: int = Field(alias="secondSize")
    found_at: datetime = Field(alias="foundAt")
    summary: str


class EvidenceList(Schema):
    """All forks that the node has found."""

    origin: str
    evidence: list[EvidenceEntry]


class EvidenceFile(Schema):
    """Fork evidence, docs/proof-format.md section 10."""

    format: Literal["tallystick-evidence/1"]
    kind: Literal["same-size", "broken-proof"]
    origin: str
    first: str = Field(description="signed checkpoint")
    second: str = Field(description="signed checkpoint")
    proof: list[str] | None = Field(description="base64 hashes")
    accused: str | None = Field(description="C2SP vkey")
    found_at: int = Field(alias="foundAt", description="seconds since 1970")


class NetworkNode(Schema):
    """A node of the consortium."""

    id: str = Field(description="20 bytes in hex, as the engine's peers know it")
    organisation: str
    status: Literal["active", "suspended"]
    power: int
    validator_key: str | None = Field(alias="validatorKey")
    p2p: str
    api: str
    witness_key: str = Field(alias="witnessKey", description="C2SP vkey")
    since_block: int = Field(alias="sinceBlock")


class NetworkView(Schema):
    """The consortium's nodes, and where consensus stands; `engine` null where a node is alone."""

    origin: str
    chain_id: int = Field(alias="chainId")
    genesis_hash: str = Field(alias="genesisHash")
    engine: dict[str, Any] | None
    checkpoint: str | None = Field(
        description="newest checkpoint that as many members have signed as the trust file asks"
    )
    nodes: list[NetworkNode]


class Health(Schema):
    """Whether the node can do its work."""

    status: Literal["ok", "failing"]
    reasons: list[str]


class Status(Schema):
    """One moment of the node."""

    name: str
    chain_id: int = Field(alias="chainId")
    origin: str
    head: dict[str, Any]
    log: dict[str, Any]
    projection: dict[str, Any]
    capture: dict[str, Any]
    witness: dict[str, Any] | None = None


CaptureJob.model_rebuild()


class DoneEvent(Schema):
    """A log of the transaction."""

    contract: str = Field(examples=["receipts"])
    name: str = Field(examples=["ReceiptActed"], description="empty where it is not known")
    leaf: int = Field(description="its index in the transparency log")
    values: dict[str, Any] = Field(
        description="by parameter; numbers beyond 48 bits as decimal text, zero words as null"
    )


class DoneAnswer(Schema):
    """What every change answers once its block is durable and shows."""

    transaction: str = Field(pattern="^0x[0-9a-f]{64}$")
    block: int
    time: int = Field(description="of the block, Unix seconds")
    leaf: int | None = Field(description="index in the log of its first event")
    proof: str | None = Field(description="where to get the proof", examples=["/log/proof/17"])
    events: list[DoneEvent]


class TransactionStanding(Schema):
    """How a transaction stands: with all of `DoneAnswer` once it is done."""

    transaction: str = Field(pattern="^0x[0-9a-f]{64}$")
    status: Literal["pending", "done", "refused"]
    block: int | None = None
    time: int | None = None
    leaf: int | None = None
    proof: str | None = None
    events: list[DoneEvent] | None = None
    refusal: str | None = Field(None, description="the contract's error by name")
    detail: str | None = Field(None, description="why it was refused")


class PreparedTransaction(Schema):
    """Fields as in JSON-RPC."""

    type: Literal["0x2"]
    chain_id: str = Field(alias="chainId")
    nonce: str
    gas: str
    max_fee_per_gas: str = Field(alias="maxFeePerGas")
    max_priority_fee_per_gas: str = Field(alias="maxPriorityFeePerGas")
    to: str
    value: str
    data: str
    access_list: list[Any] = Field(alias="accessList")


class PlainWords(Schema):
    """What is to be signed, in one sentence."""

    en: str
    zh: str


class PreparedAnswer(Schema):
    """What `?prepare=true` answers: sign `signingHash`, then POST /transactions."""

    transaction: PreparedTransaction
    account: str = Field(description="who is to sign")
    unsigned: str = Field(description="the envelope of EIP-1559 without a signature")
    signing_hash: str = Field(alias="signingHash", description="keccak-256 of it")
    does: PlainWords
    contract: str
    act: str
    valid_until: int = Field(alias="validUntil", description="Unix seconds")


class SignedTransaction(Schema):
    """A transaction that its sender has signed."""

    raw: str = Field(description="EIP-2718 envelope in hex", pattern="^0x([0-9a-fA-F]{2})+$")


class LeafProof(Schema):
    """An entry of the log and its proof."""

    leaf: int
    entry: str | None = Field(
        description="the bytes of the leaf (docs/proof-format.md), in hex; null where they are not "
        "for who asks"
    )
    hash: str = Field(description="the leaf's hash (RFC 6962 section 2.1), in hex")
    proof: str = Field(description="C2SP tlog-proof, with a signed checkpoint")
    witnessed: bool = Field(description="as many members as the trust file asks for have signed")


class TokenAnswer(Schema):
    """RFC 6749 section 5.1."""

    access_token: str
    token_type: Literal["Bearer"]
    expires_in: int
    scope: str


class OAuthError(Schema):
    """RFC 6749 section 5.2."""

    error: Literal[
        "invalid_request",
        "invalid_client",
        "invalid_scope",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_token_type",
    ]
    error_description: str


class AuthorizationServer(Schema):
    """RFC 8414 section 2."""

    issuer: str
    token_endpoint: str
    revocation_endpoint: str
    grant_types_supported: list[str]
    response_types_supported: list[str]
    scopes_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    service_documentation: str
