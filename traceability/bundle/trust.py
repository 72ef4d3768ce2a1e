"""The trust file: whose signatures count, for which log (docs/proof-format.md, section 6)."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from ledger.canonical import JsonError, parse_json
from ledger.json_place import INTEGER_MAX
from ledger.tlog import Members, NoteMalformed, NoteVerifier
from ledger.types import Address
from traceability.bundle.errors import TrustMalformed
from traceability.bundle.versions import (
    VERSIONS_MAX,
    AddressText,
    ProvenanceFields,
    ProvenanceVersion,
    check_versions,
    merged,
    read_versions,
)

FORMAT = "tallystick-trust/1"
TRUST_SIZE_BYTES_MAX = 256 * 1024
KEYS_MAX = 128

_HashText = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_LineText = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[^\x00-\x1f\x7f]+$")]


class _Contracts(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    consortium: AddressText
    provenance: ProvenanceFields
    directory: AddressText | None = None

    @field_validator("directory", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        return _given(value)


class _Genesis(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    document: _HashText
    engine: _HashText | None = None

    @field_validator("engine", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        return _given(value)


class _File(BaseModel):
    """The JSON of a trust file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    format: Literal["tallystick-trust/1"]
    name: _LineText
    origin: _LineText
    keys: Annotated[list[str], Field(min_length=1, max_length=KEYS_MAX)]
    threshold: Annotated[int, Field(ge=1, le=KEYS_MAX)]
    chainId: Annotated[int, Field(ge=1, le=INTEGER_MAX)]  # noqa: N815 - the format's own name
    contracts: _Contracts
    genesis: _Genesis | None = None

    @field_validator("genesis", mode="before")
    @classmethod
    def _not_null(cls, value: object) -> object:
        return _given(value)


@dataclass(frozen=True, slots=True)
class GenesisPin:
    """What the log's ledger begins with: what a node that joins must find (docs/consortium.md)."""

    document: bytes
    """SHA-256 of the canonical genesis.json (RFC 8785)."""
    engine: bytes | None = None
    """SHA-256 of the engine's genesis.json; None where that follows from the document."""

    def __post_init__(self) -> None:
        for digest in (self.document, self.engine):
            if digest is not None and len(digest) != 32:
                raise TrustMalformed("trust file: genesis: a SHA-256 has 32 bytes")

    def fields(self) -> dict[str, str]:
        """The JSON object of section 6."""
        engine = {} if self.engine is None else {"engine": self.engine.hex()}
        return {"document": self.document.hex(), **engine}


@dataclass(frozen=True, slots=True)
class Trust:
    """What a verifier believes about one log."""

    name: str
    """For people."""
    origin: str
    """Origin line of the log's checkpoints."""
    keys: tuple[NoteVerifier, ...]
    """Keys of the members: of each perhaps several, old and new (`ledger.tlog.Members`)."""
    threshold: int
    """Keys of so many different members must have signed a checkpoint."""
    chain_id: int
    consortium: Address
    provenance: Address
    """The contract whose events are believed: its first version."""
    genesis: GenesisPin | None = None
    """None: the file says nothing of it, and serves those who verify but not those who join."""
    later: tuple[ProvenanceVersion, ...] = ()
    """Versions of that contract that the members have voted since, oldest first."""
    directory: Address | None = None
    """The contract that names them; None: later ones cannot be learned with this file."""

    def __post_init__(self) -> None:
        # Name and id are all that a signature line tells of its key.
        if len({(key.name, key.key_id) for key in self.keys}) != len(self.keys):
            raise TrustMalformed("trust file: the same key stands in `keys` twice")
        members = self.members.count
        if not 1 <= self.threshold <= members:
            raise TrustMalformed(
                f"trust file: threshold {self.threshold} of {members} members can never be met"
            )
        check_versions(self.provenance, self.later)

    @property
    def members(self) -> Members:
        """Which keys belong to one member, and how many members there are."""
        return Members(self.keys, self.origin)

    def believed_from(self, address: Address) -> int | None:
        """Number of the first block whose events of that contract are believed; None: of none."""
        if address == self.provenance:
            return 0
        return next((one.from_block for one in self.later if one.address == address), None)

    def with_versions(self, versions: Iterable[ProvenanceVersion]) -> Trust:
        """The trust with these versions of the Provenance contract beside those that it has.

        Only for versions that are proven, or that one's own ledger has. Raises `TrustMalformed`
        where they are more than a trust file holds.
        """
        return replace(self, later=merged(self.provenance, (*self.later, *versions)))

    def with_versions_that_fit(self, versions: Iterable[ProvenanceVersion]) -> Trust:
        """The same with no more than a trust file holds: the oldest ones."""
        later = merged(self.provenance, (*self.later, *versions))
        return replace(self, later=later[: VERSIONS_MAX - 1])

    @classmethod
    def parse(cls, data: bytes) -> Trust:
        """Read a trust file's bytes. Raises `TrustMalformed`."""
        try:
            fields = parse_json(data, size_bytes_max=TRUST_SIZE_BYTES_MAX, depth_max=4)
            file = _File.model_validate(fields)
        except JsonError as error:
            raise TrustMalformed(f"trust file: {error}") from None
        except ValidationError as error:
            raise TrustMalformed(f"trust file: {_first(error)}") from None
        try:
            keys = tuple(NoteVerifier.parse(key) for key in file.keys)
        except NoteMalformed as error:
            raise TrustMalformed(f"trust file: keys: {error}") from None
        contracts = file.contracts
        provenance, later = read_versions(contracts.provenance)
        directory = contracts.directory
        return cls(
            file.name,
            file.origin,
            keys,
            file.threshold,
            file.chainId,
            Address(bytes.fromhex(contracts.consortium[2:])),
            provenance,
            _pin(file.genesis),
            later,
            None if directory is None else Address(bytes.fromhex(directory[2:])),
        )

    @classmethod
    def load(cls, path: Path) -> Trust:
        """Read a trust file. Raises `TrustMalformed`, also where it cannot be read."""
        try:
            with path.open("rb") as file:
                data = file.read(TRUST_SIZE_BYTES_MAX + 1)
        except OSError as error:
            raise TrustMalformed(f"trust file {path} cannot be read: {error.strerror}") from error
        try:
            return cls.parse(data)
        except TrustMalformed as error:
            raise TrustMalformed(f"{path}: {error}") from None

    def fields(self) -> dict[str, object]:
        """The JSON object of section 6."""
        return {
            "format": FORMAT,
            "name": self.name,
            "origin": self.origin,
            "keys": [key.vkey for key in self.keys],
            "threshold": self.threshold,
            "chainId": self.chain_id,
            "contracts": self._contracts(),
            **({} if self.genesis is None else {"genesis": self.genesis.fields()}),
        }

    def _contracts(self) -> dict[str, object]:
        first = f"0x{self.provenance.hex()}"
        later = [one.fields() for one in self.later]
        directory = {} if self.directory is None else {"directory": f"0x{self.directory.hex()}"}
        return {
            "consortium": f"0x{self.consortium.hex()}",
            "provenance": [first, *later] if later else first,
            **directory,
        }

    def encode(self) -> bytes:
        """The bytes of the file; `parse` reads them. Indented, for people."""
        return json.dumps(self.fields(), ensure_ascii=False, indent=2).encode() + b"\n"

    def save(self, path: Path) -> None:
        """Write the file whole or not at all, in place of what stood there."""
        self.parse(self.encode())
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            with draft.open("xb") as file:
                file.write(self.encode())
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            with suppress(FileNotFoundError):
                draft.unlink()


def _pin(section: _Genesis | None) -> GenesisPin | None:
    if section is None:
        return None
    engine = section.engine
    return GenesisPin(
        bytes.fromhex(section.document), None if engine is None else bytes.fromhex(engine)
    )


def _given(value: object) -> object:
    """A member that is there says something: null is none of the format."""
    if value is None:
        raise ValueError("null; leave it out")
    return value


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False)[0]
    return f"/{'/'.join(str(step) for step in details['loc'])}: {details['msg']}"
