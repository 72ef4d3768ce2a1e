"""Which fields of a data set a party shares with a project, as a document whose hash is granted."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from federation.documents import STRICT, decode, encode
from federation.projects.errors import FieldsInvalid
from federation.tables import FieldUnknown, Table
from ledger.types import Hash32

TYPE: Final = "tallystick/fields/1"
FIELDS_MAX: Final = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedField:
    """One field and what becomes of its values before they are used."""

    __pydantic_config__ = STRICT
    name: Annotated[str, Field(min_length=1, max_length=64)]
    transformation: Literal["none", "bins"] = "none"
    """bins: only the number of the bin that a value falls into is ever used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedFields:
    """What a grant is of."""

    __pydantic_config__ = STRICT
    type: Literal["tallystick/fields/1"] = TYPE
    fields: Annotated[tuple[SharedField, ...], Field(min_length=1, max_length=FIELDS_MAX)]
    salt: Annotated[str, Field(pattern=r"\A[0-9a-f]{32,64}\z")]
    """Hexadecimal, by chance: nobody finds out the fields from the hash by trying names."""

    def to_json(self) -> bytes:
        """Canonical JSON (RFC 8785)."""
        return encode(_FIELDS, self)

    @classmethod
    def from_json(cls, data: bytes) -> SharedFields:
        """Raises `FieldsInvalid`."""
        found = decode(_FIELDS, data, "shared fields", FieldsInvalid)
        names = [one.name for one in found.fields]
        if len(set(names)) != len(names):
            raise FieldsInvalid("shared fields: a field is named twice")
        return found

    @property
    def hash(self) -> Hash32:
        """SHA-256 of the document."""
        return Hash32(hashlib.sha256(self.to_json()).digest())

    def of(self, table: Table) -> Table:
        """The table with these fields and no others. Raises `FieldsInvalid`."""
        try:
            return table.select(one.name for one in self.fields)
        except FieldUnknown as error:
            raise FieldsInvalid(f"shared fields: {error}") from error


_FIELDS: Final[TypeAdapter[SharedFields]] = TypeAdapter(SharedFields)
