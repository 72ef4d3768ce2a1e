"""Calls that every instrument takes: those of authorities and pledgees, and reading control."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.abi import Function
from contracts.artifact import Artifact
from contracts.consortium import organisation_id_word
from contracts.errors import CalldataError, OrganisationIdError
from contracts.instruments.records import hash_of, members_of, organisation_of, struct
from ledger.state.keccak import keccak
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class Control:
    """Who controls an instrument, and what stands in the way of disposing of it."""

    holder: str
    pledgee: str | None
    permit: Hash32 | None
    revision: int
    state: int
    """Its number in the instrument's table."""
    freezes: int
    locked: bool


class InstrumentCalls:
    """Calldata of what `IInstrument` has. All raise `CalldataValueError` or `OrganisationIdError`.

    `revision` is the instrument's as the caller has seen it; 0: whichever.
    """

    def __init__(self, artifact: Artifact) -> None:
        """`artifact` of an instrument's contract."""
        self._freeze = Function.of(artifact, "freeze")
        self._unfreeze = Function.of(artifact, "unfreeze")
        self._award = Function.of(artifact, "award")
        self._permit = Function.of(artifact, "permit")
        self._control = Function.of(artifact, "control")
        self._is_frozen_by = Function.of(artifact, "isFrozenBy")
        self._control_members = members_of(artifact, "control", self._control_name(artifact))

    @staticmethod
    def _control_name(artifact: Artifact) -> str:
        entry = next(e for e in artifact.abi if e.get("name") == "control")
        return str(entry["outputs"][0]["name"])

    def freeze(self, id_: Hash32, revision: int, decision: Hash32, remark: str = "") -> bytes:
        """Stop everything, by the decision of that SHA-256."""
        return self._freeze.calldata(id_, revision, decision, remark)

    def unfreeze(
        self, id_: Hash32, revision: int, authority: str, decision: Hash32, remark: str = ""
    ) -> bytes:
        """Take the freeze of an authority back."""
        word = organisation_id_word(authority)
        return self._unfreeze.calldata(id_, revision, word, decision, remark)

    def award(
        self, id_: Hash32, revision: int, to: str, decision: Hash32, remark: str = ""
    ) -> bytes:
        """Give it to the organisation that a decision names."""
        return self._award.calldata(id_, revision, organisation_id_word(to), decision, remark)

    def permit(self, id_: Hash32, revision: int, call: bytes, remark: str = "") -> bytes:
        """As the pledgee, allow one call: its calldata, with the revision after this act."""
        return self._permit.calldata(id_, revision, keccak(call), remark)

    def permit_hash(self, id_: Hash32, revision: int, call: Hash32, remark: str = "") -> bytes:
        """As `permit`, by the calldata's keccak-256; the zero hash takes a permit back."""
        return self._permit.calldata(id_, revision, call, remark)

    def control_calldata(self, id_: Hash32) -> bytes:
        """Calldata of `control`, to be called, not sent."""
        return self._control.calldata(id_)

    def decode_control(self, output: bytes) -> Control | None:
        """Answer of `control`; None for an unknown id. Raises `CalldataError`."""
        (found,) = self._control.result(output)
        values = struct(self._control_members, found)
        try:
            holder = organisation_of(values["holder"])
            pledgee = organisation_of(values["pledgee"])
        except OrganisationIdError as error:
            raise CalldataError(f"result of control: {error}") from error
        if holder is None:
            return None
        return Control(
            holder=holder,
            pledgee=pledgee,
            permit=hash_of(values["permit"]),
            revision=values["revision"],
            state=values["state"],
            freezes=values["freezes"],
            locked=values["locked"],
        )

    def is_frozen_by_calldata(self, id_: Hash32, authority: str) -> bytes:
        """Calldata of `isFrozenBy`, to be called, not sent."""
        return self._is_frozen_by.calldata(id_, organisation_id_word(authority))

    def decode_is_frozen_by(self, output: bytes) -> bool:
        """Answer of `isFrozenBy`. Raises `CalldataError`."""
        return bool(self._is_frozen_by.result(output)[0])
