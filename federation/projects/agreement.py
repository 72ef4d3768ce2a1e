"""The agreement of a project as a document. Its SHA-256 stands in the terms on the ledger, which
repeat of it what contracts enforce."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from contracts.models import Budget, Part, Terms
from contracts.models import Party as LedgerParty
from contracts.models.types import (
    ALGORITHMS_MAX,
    AMOUNT_MAX,
    BP_WHOLE,
    CODES_MAX,
    DELTA_MAX,
    EPSILON_MAX,
    PARTIES_MAX,
)
from federation.documents import STRICT, Hash, decode, encode
from federation.projects.errors import AgreementInvalid
from ledger.types import Hash32

TYPE: Final = "tallystick/agreement/1"
_PARTS: Final = {"guest": Part.GUEST, "host": Part.HOST, "equal": Part.EQUAL}

Organisation = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,32}\z")]
Code = Annotated[str, Field(pattern=r"\A[a-z0-9-]{1,32}\z")]
Words = Annotated[str, Field(min_length=1, max_length=2_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A party and what it brings."""

    __pydantic_config__ = STRICT
    organisation: Organisation
    part: Literal["guest", "host", "equal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a run must keep to, whatever its settings say; each party checks it by itself."""

    __pydantic_config__ = STRICT
    common_rows_min: Annotated[int, Field(ge=1, le=10_000_000)] = 1_000
    """Fewer common rows than that, and results would speak of single ones."""
    group_rows_min: Annotated[int, Field(ge=1, le=1_000_000)] = 20
    """Of a group or node whose total is told."""
    key_bits_min: Annotated[int, Field(ge=2_048, le=8_192)] = 2_048
    rehearsal: bool = False
    """Only with invented data: nothing needs to be hidden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What the parties of a project agree to."""

    __pydantic_config__ = STRICT
    type: Literal["tallystick/agreement/1"] = TYPE
    title: Words
    purpose: Words
    purpose_zh: Words
    """The same in Chinese."""
    parties: Annotated[tuple[Member, ...], Field(min_length=2, max_length=PARTIES_MAX)]
    algorithms: Annotated[tuple[Code, ...], Field(min_length=1, max_length=ALGORITHMS_MAX)]
    codes: Annotated[tuple[Hash, ...], Field(min_length=1, max_length=CODES_MAX)]
    """SHA-256 of the software that runs may use (`federation.runs.code_hash`)."""
    epsilon: Annotated[int, Field(ge=0, le=EPSILON_MAX)] = 0
    """Of all runs together, in millionths; 0: nothing is released with noise, nothing counted."""
    delta: Annotated[int, Field(ge=0, le=DELTA_MAX)] = 0
    """In billionths of a billionth."""
    price: Annotated[int, Field(ge=0, le=AMOUNT_MAX)]
    """Of one call, in hundredths of the currency."""
    currency: Annotated[str, Field(pattern=r"\A[A-Z]{3}\z")]
    shares: tuple[Annotated[int, Field(ge=0, le=BP_WHOLE)], ...] = ()
    """Of the parties in their order, in bp, 10,000 together; none: by contribution."""
    until: Annotated[int, Field(ge=1, le=2**48 - 1)]
    """Unix seconds."""
    limits: Limits = field(default_factory=Limits)

    def to_json(self) -> bytes:
        """Canonical JSON (RFC 8785)."""
        return encode(_AGREEMENT, self)

    @classmethod
    def from_json(cls, data: bytes) -> Agreement:
        """Raises `AgreementInvalid`."""
        found = decode(_AGREEMENT, data, "agreement", AgreementInvalid)
        found.check()
        return found

    @property
    def hash(self) -> Hash32:
        """SHA-256 of the document."""
        return Hash32(hashlib.sha256(self.to_json()).digest())

    def check(self) -> None:
        """Raises `AgreementInvalid` for what does not fit together."""
        names = [one.organisation for one in self.parties]
        parts = {one.part for one in self.parties}
        for wrong, words in (
            (len(set(names)) != len(names), "a party is named twice"),
            (len(set(self.algorithms)) != len(self.algorithms), "an algorithm is named twice"),
            (len(set(self.codes)) != len(self.codes), "a code is named twice"),
            (
                parts != {"equal"} and not {"guest", "host"} <= parts,
                "either all bring the same columns (equal), or there are a guest, who has the "
                "label, and a host",
            ),
            (
                bool(self.shares)
                and (len(self.shares) != len(names) or sum(self.shares) != BP_WHOLE),
                f"the shares are not {BP_WHOLE} bp in all, one for each party",
            ),
        ):
            if wrong:
                raise AgreementInvalid(f"agreement: {words}")

    def terms(self) -> Terms:
        """What of it stands on the ledger."""
        return Terms(
            self.hash,
            self.algorithms,
            tuple(Hash32(code) for code in self.codes),
            Budget(self.epsilon, self.delta),
            self.price,
            self.currency,
            self.shares,
            self.until,
        )

    def ledger_parties(self) -> tuple[LedgerParty, ...]:
        """The parties as the ledger has them."""
        return tuple(LedgerParty(one.organisation, _PARTS[one.part]) for one in self.parties)


_AGREEMENT: Final[TypeAdapter[Agreement]] = TypeAdapter(Agreement)
