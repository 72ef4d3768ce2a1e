"""Acts that all instruments have for members: freezing by decision, award, the pledgee's permit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Protocol

from pydantic import Field, ValidationError

from api.acts.common import (
    Decision,
    HashText,
    OrganisationName,
    Target,
    hash_of,
    missing,
)
from api.acts.plain import ActBody, Plain
from api.errors import ValidationFailed
from api.operations import Words
from ledger.state.keccak import keccak
from ledger.types import Hash32


class InstrumentAct(ActBody):
    """What a member does with an instrument."""

    def calldata(self, on: Target) -> bytes:
        """The call. Raises `ValidationFailed`, `CalldataValueError`, `OrganisationIdError`."""
        raise NotImplementedError

    def words(self, on: Target) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError


plain_act: Final = Plain(InstrumentAct, lambda build, remark, on: build(on.id, on.revision, remark))
"""Makes an act of an instrument that has no fields: `build(id, revision, remark)`."""

Decide = Callable[[Hash32, int, Hash32, str], bytes]
Name = Callable[[Hash32, int, str, Hash32, str], bytes]


class Acts(Protocol):
    """Acts of an instrument by name, asked for once all are known."""

    def __call__(self) -> Mapping[str, type[InstrumentAct]]: ...


@dataclass(frozen=True, slots=True)
class Control:
    """How one instrument's calls are made, and what it is called."""

    noun: str
    noun_zh: str
    freeze: Decide
    unfreeze: Name
    award: Name
    permit_hash: Decide
    """Keccak-256 of the permitted call in the place of the decision."""
    acts: Acts


class _ControlAct(InstrumentAct):
    control: ClassVar[Control]

    def _named(self, on: Target) -> tuple[str, str]:
        return f"{self.control.noun} {on.text}", f"{self.control.noun_zh} {on.text}"


class Freeze(_ControlAct):
    """Everything stops, by a decision."""

    decision: Decision

    def calldata(self, on: Target) -> bytes:
        return self.control.freeze(on.id, on.revision, hash_of(self.decision), self.remark)

    def words(self, on: Target) -> Words:
        en, zh = self._named(on)
        return Words(
            f"freeze {en} by decision {self.decision}", f"依据决定 {self.decision} 冻结{zh}"
        )


class Unfreeze(_ControlAct):
    """A freeze ends: one's own, or that of who is active, or an authority, no longer."""

    decision: Decision
    authority: OrganisationName | None = None

    def calldata(self, on: Target) -> bytes:
        authority = self.authority or on.organisation
        decision = hash_of(self.decision)
        return self.control.unfreeze(on.id, on.revision, authority, decision, self.remark)

    def words(self, on: Target) -> Words:
        authority, (en, zh) = self.authority or on.organisation, self._named(on)
        return Words(
            f"end the freeze of {en} by {authority}, by decision {self.decision}",
            f"依据决定 {self.decision} 解除 {authority} 对{zh} 的冻结",
        )


class Award(_ControlAct):
    """Give it to the organisation that a decision names."""

    decision: Decision
    to: OrganisationName

    def calldata(self, on: Target) -> bytes:
        decision = hash_of(self.decision)
        return self.control.award(on.id, on.revision, self.to, decision, self.remark)

    def words(self, on: Target) -> Words:
        en, zh = self._named(on)
        return Words(
            f"award {en} to {self.to} by decision {self.decision}",
            f"依据决定 {self.decision} 将{zh} 判给 {self.to}",
        )


class Permit(_ControlAct):
    """Allow the next act although it is pledged: by name and body, or by its hash.

    The act is then to be sent with exactly this body, and with If-Match of the revision that this
    permit leads to. Without an act or a hash a permit is taken back.
    """

    act: str | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    call: Annotated[
        HashText | None, Field(description="keccak-256 of the calldata that is allowed")
    ] = None

    def calldata(self, on: Target) -> bytes:
        return self.control.permit_hash(on.id, on.revision, self._permitted(on), self.remark)

    def _permitted(self, on: Target) -> Hash32:
        if self.act is None:
            return Hash32(bytes(32) if self.call is None else hash_of(self.call))
        if on.revision == 0:
            raise ValidationFailed("a permit of an act needs If-Match: it is for one revision")
        model = self.control.acts().get(self.act)
        if model is None or issubclass(model, Permit):
            raise missing("act", f"there is no act {self.act[:40]!r} that can be permitted")
        then = Target(on.organisation, on.id, on.revision + 1, on.origin)
        try:
            body = model.model_validate(self.arguments)
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            raise missing("arguments", f"{first['loc']}: {first['msg']}") from error
        call = keccak(body.calldata(then))
        if self.call not in (None, f"0x{call.hex()}"):
            raise missing("call", "the hash is not that of the act that is sent with it")
        return Hash32(call)

    def words(self, on: Target) -> Words:
        en, zh = self._named(on)
        if self.act is None and self.call is None:
            return Words(f"permit nothing of pledged {en} any more", f"撤回对已质押{zh} 的许可")
        what = self.act or f"the call {self.call}"
        return Words(f"permit {what} of pledged {en}, once", f"许可对已质押{zh} 进行一次 {what}")


def control_acts(control: Control) -> dict[str, type[InstrumentAct]]:
    """The four acts, for one instrument."""
    made: dict[str, type[InstrumentAct]] = {}
    for base in (Freeze, Unfreeze, Award, Permit):
        members = {"control": control, "__doc__": base.__doc__, "__module__": __name__}
        made[base.__name__.lower()] = type(base.__name__, (base,), members)
    return made
