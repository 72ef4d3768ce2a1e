"""Compiled contracts as committed in `<room>/artifacts` (built by `contracts/toolchain`)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from contracts.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Artifact:
    """One compiled contract."""

    name: str
    abi: Sequence[Mapping[str, Any]]
    bytecode: bytes
    """Creation code; constructor arguments follow it."""
    deployed_bytecode: bytes
    """Runtime code with zeros where immutables go."""
    immutable_offsets: tuple[int, ...]
    """Where in the runtime code the contract's one immutable (32 bytes) stands."""
    storage_layout: Mapping[str, Any]
    """solc's `storageLayout` output."""

    def runtime(self, immutable: bytes | None = None) -> bytes:
        """Runtime code as the constructor would have left it.

        `immutable` is the 32-byte value of the contract's one immutable; None where it has none.
        Raises `ArtifactError` where the two do not agree.
        """
        if (immutable is None) == bool(self.immutable_offsets):
            raise ArtifactError(f"{self.name}: an immutable value is given or missing wrongly")
        code = bytearray(self.deployed_bytecode)
        for offset in self.immutable_offsets:
            if immutable is None or len(immutable) != 32 or any(code[offset : offset + 32]):
                raise ArtifactError(f"{self.name}: byte {offset} of the code is no immutable")
            code[offset : offset + 32] = immutable
        return bytes(code)


def load_artifact(package: str, name: str) -> Artifact:
    """The artifact `name` of the room `package` (as `contracts.provenance`).

    Raises `ArtifactError` where it is missing or malformed.
    """
    try:
        text = files(package).joinpath("artifacts", f"{name}.json").read_text("utf-8")
        raw = json.loads(text)
        references = raw["immutableReferences"]
        if len(references) > 1:
            raise ArtifactError(f"{package}: {name} has more than one immutable")
        spots = [spot for group in references.values() for spot in group]
        return Artifact(
            name=name,
            abi=raw["abi"],
            bytecode=bytes.fromhex(raw["bytecode"][2:]),
            deployed_bytecode=bytes.fromhex(raw["deployedBytecode"][2:]),
            immutable_offsets=tuple(spot["start"] for spot in spots),
            storage_layout=raw["storageLayout"],
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"{package}: artifact {name} cannot be read ({error}); rebuild with contracts/toolchain"
        ) from error
