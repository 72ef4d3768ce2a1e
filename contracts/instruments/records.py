"""Records as contracts hand them out: structs by their members' names, and words as texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.artifact import Artifact
from contracts.consortium import organisation_id_text
from contracts.errors import ArtifactError
from ledger.types import Hash32


def members_of(artifact: Artifact, entry: str, parameter: str) -> tuple[str, ...]:
    """Names of the members of a struct, which is a parameter of a function or event.

    Raises `ArtifactError` where the ABI has no such struct.
    """
    for one in artifact.abi:
        if one.get("name") != entry or one["type"] not in ("function", "event"):
            continue
        for value in (*one["inputs"], *one.get("outputs", ())):
            if value["name"] == parameter and "components" in value:
                return tuple(member["name"] for member in value["components"])
    raise ArtifactError(f"{artifact.name}: {entry} has no struct {parameter!r}")


def struct(members: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
    """A struct's values by name."""
    return dict(zip(members, values, strict=True))


def arranged(members: Sequence[str], values: Mapping[str, Any]) -> tuple[Any, ...]:
    """A struct's values in the order of the ABI; all of them, and no others."""
    if set(members) != set(values):
        raise ArtifactError(f"struct of {', '.join(members)} is given {', '.join(values)}")
    return tuple(values[name] for name in members)


def organisation_of(word: bytes) -> str | None:
    """The organisation, or None for the zero word. Raises `OrganisationIdError`."""
    return organisation_id_text(word) if any(word) else None


def hash_of(word: bytes) -> Hash32 | None:
    """The hash, or None for the zero word."""
    return Hash32(bytes(word)) if any(word) else None


def code_text(word: bytes) -> str:
    """A short ASCII code (a number, a unit, a currency) that stands in a word.

    Whatever is no printable ASCII is told in hex, 0x and all digits: two codes never look alike.
    """
    stripped = bytes(word).rstrip(b"\0")
    if stripped and all(0x21 <= byte < 0x7F for byte in stripped):
        text = stripped.decode("ascii")
        if not text.startswith("0x"):
            return text
    return f"0x{bytes(word).hex()}"


def code_word(text: str, size_bytes: int) -> bytes:
    """The word of a code as `code_text` shows it. Raises `ValueError` for what does not fit."""
    if text.startswith("0x") and len(text) == 2 + 2 * size_bytes:
        return bytes.fromhex(text[2:])
    if not text or len(text) > size_bytes or not all("!" <= letter <= "~" for letter in text):
        raise ValueError(
            f"{text[:70]!r} is not 1 to {size_bytes} printable ASCII characters without spaces"
        )
    return text.encode("ascii").ljust(size_bytes, b"\0")


def named(names: Sequence[str], number: int, what: str) -> str:
    """The name of a state or act by its number.

    A number that this software does not know yet (a newer version of the contract, which members
    have voted for) is told as `<what>-<number>`: it must not stop whoever follows the chain.
    """
    return names[number] if number < len(names) else f"{what}-{number}"
