"""The seam: what a party's own node knows of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from contracts.models import DataSet, Grant, Project, Run
from ledger.types import Hash32


@dataclass(frozen=True, slots=True)
class GrantFacts:
    """A grant that a run names."""

    id: Hash32
    state: str
    """`given` or `revoked`."""
    grant: Grant
    data_set: DataSet
    data_set_state: str
    """`registered`, `superseded` or `withdrawn`."""


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run as the ledger has it now, with what it stands on."""

    state: str
    """`opened`, `running`, `completed` or `aborted`."""
    run: Run
    project: Project
    project_state: str
    grants: tuple[GrantFacts, ...]
    now: int
    """Unix seconds, by the party's own clock."""


class Facts(Protocol):
    """A party asks its own node, and trusts no other."""

    def run(self, id_: Hash32, /) -> RunFacts | None:
        """None where the ledger has no such run. Raises what the node raises: then nothing
        begins."""
        ...
