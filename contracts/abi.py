"""Functions and events of a contract's ABI: calldata out, calldata, results and logs in.

Source: Solidity "Contract ABI Specification"; values are coded by eth-abi.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError

from contracts.artifact import Artifact
from contracts.decoding import decoded, tuple_parts
from contracts.errors import ArtifactError, CalldataError, CalldataValueError, LogError
from ledger.state.keccak import keccak
from ledger.types import Hash32, Log

Values = tuple[Any, ...]


def canonical_type(parameter: Mapping[str, Any]) -> str:
    """Canonical type string; a tuple is written out as `(…)`."""
    name = str(parameter["type"])
    if not name.startswith("tuple"):
        return name
    return f"({','.join(canonical_type(part) for part in parameter['components'])}){name[5:]}"


def _signature(name: str, types: Sequence[str]) -> str:
    return f"{name}({','.join(types)})"


def _decoded(types: Sequence[str], data: bytes) -> Values:
    """Decode; a string comes back as text with U+FFFD for bytes that are not UTF-8.

    The EVM does not check UTF-8, so one bad name must not stop whoever follows the chain.
    """
    found = decoded(tuple(types), data, readable_text)
    if found is not None:
        return found
    # `bytes` and `string` have the same encoding; only eth-abi's own check of UTF-8 differs.
    values = decode([t.replace("string", "bytes") for t in types], data, strict=False)
    return tuple(_texts(t, v) for t, v in zip(types, values, strict=True))


def readable_text(data: bytes) -> str:
    """Text for people and databases: U+FFFD for what is not UTF-8, and for NUL.

    PostgreSQL knows no NUL in texts; one in a name must not stop the members that use it.
    """
    return data.decode("utf-8", "replace").replace("\0", "\ufffd")


def _texts(kind: str, value: Any) -> Any:
    if kind == "string":
        return readable_text(bytes(value))
    if kind.startswith("(") and kind.endswith(")"):
        return tuple(_texts(t, v) for t, v in zip(tuple_parts(kind), value, strict=True))
    return value


@dataclass(frozen=True, slots=True)
class Function:
    """One function of a contract."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    selector: bytes
    """First 4 bytes of the calldata."""

    @classmethod
    def of(cls, artifact: Artifact, name: str) -> Function:
        """The function of that name. Raises `ArtifactError` where there is not exactly one."""
        entry = _entry(artifact, "function", name)
        inputs = tuple(canonical_type(p) for p in entry["inputs"])
        outputs = tuple(canonical_type(p) for p in entry["outputs"])
        return cls(name, inputs, outputs, keccak(_signature(name, inputs).encode())[:4])

    def calldata(self, *arguments: Any) -> bytes:
        """Selector and arguments. Raises `CalldataValueError` where a value does not fit."""
        try:
            return self.selector + bytes(encode(self.inputs, arguments))
        except (EncodingError, ValueError, TypeError) as error:
            raise CalldataValueError(f"{self.name}: {error}") from error

    def arguments(self, calldata: bytes) -> Values:
        """Arguments as the contract reads them (bytes behind the last one are ignored).

        Raises `CalldataError` where the bytes are no call of this function.
        """
        if calldata[:4] != self.selector:
            raise CalldataError(f"not a call of {self.name}: selector {calldata[:4].hex()}")
        try:
            return _decoded(self.inputs, calldata[4:])
        except (DecodingError, OverflowError, ValueError, TypeError) as error:
            raise CalldataError(f"{self.name}: {error}") from error

    def result(self, output: bytes) -> Values:
        """What the call returned. Raises `CalldataError` where the bytes are no such answer."""
        try:
            return _decoded(self.outputs, output)
        except (DecodingError, OverflowError, ValueError, TypeError) as error:
            raise CalldataError(f"result of {self.name}: {error}") from error


@dataclass(frozen=True, slots=True)
class EventKind:
    """One event of a contract. Indexed parameters are of static types throughout."""

    name: str
    parameters: tuple[tuple[str, str, bool], ...]
    """Name, type, whether indexed; in order of declaration."""
    topic: Hash32
    """keccak-256 of the signature: `topics[0]`."""

    @classmethod
    def of(cls, artifact: Artifact, name: str) -> EventKind:
        """The event of that name. Raises `ArtifactError` where there is not exactly one."""
        entry = _entry(artifact, "event", name)
        parameters = tuple(
            (p["name"], canonical_type(p), bool(p["indexed"])) for p in entry["inputs"]
        )
        signature = _signature(name, [kind for _, kind, _ in parameters])
        return cls(name, parameters, Hash32(keccak(signature.encode())))

    def values(self, log: Log) -> dict[str, Any]:
        """Parameters by name. Raises `LogError` where the log is not this event."""
        if not log.topics or log.topics[0] != self.topic:
            raise LogError(f"log is not {self.name}: its first topic is another one")
        indexed = tuple([kind for _, kind, is_indexed in self.parameters if is_indexed])
        plain = tuple([kind for _, kind, is_indexed in self.parameters if not is_indexed])
        if len(log.topics) != 1 + len(indexed):
            raise LogError(f"{self.name}: {len(log.topics)} topics instead of {1 + len(indexed)}")
        try:
            topics = iter(_decoded(indexed, b"".join(log.topics[1:])))
            data = iter(_decoded(plain, log.data))
        except (DecodingError, OverflowError, ValueError, TypeError) as error:
            raise LogError(f"{self.name}: {error}") from error
        return {
            name: next(topics if is_indexed else data) for name, _, is_indexed in self.parameters
        }


def _entry(artifact: Artifact, kind: str, name: str) -> Mapping[str, Any]:
    found = [e for e in artifact.abi if e["type"] == kind and e.get("name") == name]
    if len(found) != 1:
        raise ArtifactError(f"{artifact.name}: {len(found)} {kind}s named {name} in the ABI")
    return found[0]
