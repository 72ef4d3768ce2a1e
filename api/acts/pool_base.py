"""What all requests about pools share: the pool they are about, and what an act is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final, Literal

from pydantic import AfterValidator, Field

from api.acts.common import Remark, StrictBody, Target
from api.operations import Words
from ledger.types import Address

COUNT_MAX: Final = (1 << 32) - 1

Number = Annotated[int, Field(ge=1, le=COUNT_MAX)]


def _reason(value: str) -> str:
    if not value:
        raise ValueError("a reason is needed")
    return value


Reason = Annotated[Remark, AfterValidator(_reason), Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class PoolTarget(Target):
    """The pool that a request is about; `revision` is that of what the act changes."""

    number: str
    """The pool's own, for words."""
    currency: str
    instrument: Address | None = None
    """Contract of the instruments that come in or go."""

    @property
    def called(self) -> str:
        """The pool, as it is written in words."""
        return f"{self.number} ({self.text})"


class PoolAct(StrictBody):
    """What a member does with a pool."""

    contract: ClassVar[Literal["pool-book", "pools"]]
    who: ClassVar[str]
    """Who may, and when."""
    seen: ClassVar[Literal["pool", "day", "period"]] = "pool"
    """What If-Match is the revision of."""

    def calldata(self, on: PoolTarget) -> bytes:
        """The call. Raises `CalldataValueError`, `OrganisationIdError`."""
        raise NotImplementedError

    def words(self, on: PoolTarget) -> Words:
        """What it does, for whoever is to sign it."""
        raise NotImplementedError
