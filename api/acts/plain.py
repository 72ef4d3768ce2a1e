"""Acts without fields of their own: their calls and their words are all that there is to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar, cast

from api.acts.common import Remark, StrictBody
from api.operations import Words
from ledger.types import Hash32


class ActBody(StrictBody):
    """What a member does with a record: base of the bodies of all acts."""

    remark: Remark = ""


class Identified(Protocol):
    """What has the id of the record that an act is about."""

    @property
    def id(self) -> Hash32: ...


Act = TypeVar("Act", bound=ActBody)
Build = Callable[..., bytes]


@dataclass(frozen=True, slots=True)
class Plain(Generic[Act]):
    """Makes the plain acts of one room."""

    base: type[Act]
    """Of all acts of the room: says what `calldata` and `words` are given."""
    call: Callable[..., bytes]
    """`call(build, remark, *given)`: the calldata, of the builder of one act, the remark and what
    the room's `calldata` is given."""

    def __call__(self, name: str, doc: str, build: Build, en: str, zh: str) -> type[Act]:
        """The class `name` of one act: its summary, its builder, and its words with `{}` for the
        id of the record."""
        call = self.call

        def calldata(body: ActBody, *given: object) -> bytes:
            return call(build, body.remark, *given)

        def words(_: ActBody, on: Identified) -> Words:
            id_ = f"0x{on.id.hex()}"
            return Words(en.format(id_), zh.format(id_))

        members = {
            "calldata": calldata,
            "words": words,
            "__doc__": doc,
            "__module__": self.base.__module__,
        }
        return cast(type[Act], type(name, (self.base,), members))
