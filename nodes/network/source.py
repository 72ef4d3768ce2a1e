"""Members' nodes as a joiner asks them: over HTTP, bounded, and believing nothing by itself."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import httpx

from ledger.canonical import JsonError, parse_json
from ledger.tlog import Checkpoint, TlogError, verify_consistency
from nodes.client import ERROR_NUMBER
from nodes.endpoints import check_url
from nodes.errors import NodeUnreachable
from nodes.network.engine_header import EngineHeader, read_header
from nodes.network.errors import JoinRefused

TIMEOUT_S: Final = 30.0
GENESIS_SIZE_BYTES_MAX: Final = 64 << 20
ANSWER_SIZE_BYTES_MAX: Final = 4 << 20
VALIDATORS_PER_PAGE: Final = 100


@dataclass(frozen=True, slots=True)
class Standing:
    """A node as the network lists it."""

    id: str
    organisation: str
    active: bool
    validator_key: str | None
    p2p: str
    witness_key: str = ""
    """As it stands in the Network contract."""


@dataclass(frozen=True, slots=True)
class NetworkView:
    """What a member says of the network."""

    nodes: tuple[Standing, ...]
    height: int
    """Of the engine."""
    snapshots: tuple[int, ...]
    """Heights, newest first."""
    checkpoint: str | None
    """The newest checkpoint that enough members have signed, as it says."""


class MemberSource:
    """One member's node. Use as a context manager."""

    def __init__(self, url: str) -> None:
        try:
            self.url = check_url(url)
        except ValueError as bad:
            raise NodeUnreachable(str(bad)) from bad
        self._http = httpx.Client(
            timeout=TIMEOUT_S,
            trust_env=False,
            follow_redirects=False,
            headers={"Accept-Encoding": "identity"},
        )

    def __enter__(self) -> MemberSource:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    @property
    def engine_url(self) -> str:
        """Where light clients call the member's engine."""
        return f"{self.url}/engine"

    def genesis(self) -> bytes:
        """Canonical genesis.json."""
        return self._get("/network/genesis", GENESIS_SIZE_BYTES_MAX)

    def engine_genesis(self) -> bytes:
        """The engine's genesis.json."""
        return self._get("/network/engine-genesis", ANSWER_SIZE_BYTES_MAX)

    def network(self) -> NetworkView:
        """Nodes, height, snapshots and a checkpoint. Raises `JoinRefused`, `NodeUnreachable`."""
        body = self._object(self._get("/network", ANSWER_SIZE_BYTES_MAX))
        try:
            engine = body["engine"]
            if engine is None:
                raise JoinRefused(f"{self.url} orders alone: there is nothing to join")
            return NetworkView(
                nodes=tuple(_standing(one) for one in body["nodes"]),
                height=int(engine["height"]),
                snapshots=tuple(int(one["height"]) for one in engine["snapshots"]),
                checkpoint=_text_or_none(body["checkpoint"]),
            )
        except (KeyError, TypeError, ValueError) as bad:
            raise self._strange(f"/network: {bad!r}") from None

    def header(self, height: int) -> EngineHeader:
        """A header of the engine with its computed hash. Raises `JoinRefused`."""
        answer = self.engine("header", {"height": str(height)})
        header = read_header(answer.get("header"))
        if header.height != height:
            raise self._strange(f"header {header.height} where {height} was asked for")
        return header

    def height(self) -> int:
        """Of the newest header."""
        try:
            return int(self.engine("status", {})["sync_info"]["latest_block_height"])
        except (KeyError, TypeError, ValueError) as bad:
            raise self._strange(f"engine status: {bad!r}") from None

    def engine(self, method: str, params: Mapping[str, str]) -> dict[str, Any]:
        """A read-only call of the member's engine. Raises `JoinRefused`, `NodeUnreachable`."""
        call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": dict(params)}
        body = self._object(
            self._read("POST", "/engine", ANSWER_SIZE_BYTES_MAX, json.dumps(call).encode())
        )
        error, result = body.get("error"), body.get("result")
        if error is not None or not isinstance(result, dict):
            said = error.get("message") if isinstance(error, dict) else error
            raise JoinRefused(f"{self.url}: the engine does not answer {method}: {said}")
        return result

    def check_consistency(self, size: int, root: bytes, later: Checkpoint) -> None:
        """That the log of `later` begins with the one of this size and root.

        Raises `JoinRefused`, `NodeUnreachable`.
        """
        body = self._object(
            self._get(f"/log/consistency?from={size}&to={later.size}", ANSWER_SIZE_BYTES_MAX)
        )
        try:
            path = [base64.b64decode(one, validate=True) for one in body["proof"]]
            verify_consistency(size, later.size, path, root, later.root)
        except (KeyError, TypeError, ValueError, TlogError) as bad:
            raise JoinRefused(
                f"{self.url}: the log of size {later.size} that the members have signed does not "
                f"begin with the one of size {size} that came: {bad}"
            ) from None

    def _get(self, path: str, size_bytes_max: int) -> bytes:
        return self._read("GET", path, size_bytes_max)

    def _read(
        self, method: str, path: str, size_bytes_max: int, content: bytes | None = None
    ) -> bytes:
        headers = {"Content-Type": "application/json"} if content is not None else {}
        try:
            with self._http.stream(
                method, self.url + path, content=content, headers=headers
            ) as answer:
                data = bytearray()
                for part in answer.iter_raw():
                    data += part
                    if len(data) > size_bytes_max:
                        raise self._strange(f"{path}: more than {size_bytes_max} bytes")
                if answer.status_code != httpx.codes.OK:
                    raise self._strange(f"{path}: status {answer.status_code}")
                return bytes(data)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as failed:
            reason = ERROR_NUMBER.sub("", str(failed)) or type(failed).__name__
            raise NodeUnreachable(f"no answer from {self.url} ({reason})") from failed

    def _object(self, data: bytes) -> dict[str, Any]:
        try:
            body = parse_json(data, size_bytes_max=ANSWER_SIZE_BYTES_MAX, depth_max=16)
        except JsonError as bad:
            raise self._strange(str(bad)) from None
        if not isinstance(body, dict):
            raise self._strange("no JSON object")
        return body

    def _strange(self, what: str) -> JoinRefused:
        return JoinRefused(f"{self.url} does not answer as a node of a consortium: {what}")


Call = Callable[[str, Mapping[str, str]], Mapping[str, Any]]
"""A read-only method of an engine, with its parameters."""


def validators_at(call: Call, height: int) -> dict[str, int]:
    """Powers by validator key (hex) at a height of an engine. Raises `JoinRefused`."""
    found: dict[str, int] = {}
    page, total = 1, 1
    while len(found) < total and page <= 100:
        answer = call(
            "validators",
            {"height": str(height), "page": str(page), "per_page": str(VALIDATORS_PER_PAGE)},
        )
        try:
            total = int(answer["total"])
            for one in answer["validators"]:
                key = base64.b64decode(one["pub_key"]["value"], validate=True)
                found[key.hex()] = int(one["voting_power"])
        except (KeyError, TypeError, ValueError) as bad:
            raise JoinRefused(f"what should be validators is not: {bad!r}") from None
        page += 1
    return found


def same(sources: Sequence[MemberSource], what: str, answers: Sequence[bytes]) -> bytes:
    """What all say alike. Raises `JoinRefused` where two differ."""
    for source, answer in zip(sources, answers, strict=True):
        if answer != answers[0]:
            raise JoinRefused(
                f"{source.url} and {sources[0].url} have another {what}: one of them is not of "
                "this network; ask a member you trust"
            )
    return answers[0]


def _text_or_none(value: object) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError(f"a checkpoint is text, not {type(value).__name__}")
    return value


def _standing(fields: Mapping[str, Any]) -> Standing:
    return Standing(
        id=str(fields["id"]),
        organisation=str(fields["organisation"]),
        active=fields["status"] == "active",
        validator_key=fields["validatorKey"],
        p2p=str(fields["p2p"]),
        witness_key=str(fields.get("witnessKey", "")),
    )
