"""What the party's own node knows of a run: from the tables that it fills from the chain."""

from __future__ import annotations

import time
from collections.abc import Callable

from sqlalchemy import Connection, Engine

from contracts.instruments.viewer import Viewer
from contracts.models.queries import find_data_set, find_grant, find_project, find_run
from federation.projects.protocol import GrantFacts, RunFacts
from ledger.projection import read_transaction
from ledger.types import Hash32


class NodeFacts:
    """Facts as one organisation may see them. Thread-safe."""

    def __init__(
        self, engine: Engine, organisation: str, clock: Callable[[], float] = time.time
    ) -> None:
        """`engine` has the node's projection; `clock` gives Unix seconds."""
        self._engine = engine
        self._viewer = Viewer.of(organisation)
        self._clock = clock

    def run(self, id_: Hash32, /) -> RunFacts | None:
        """All of one moment. None where there is no such run, or the organisation sees none."""
        with read_transaction(self._engine) as connection:
            stored = find_run(connection, id_, self._viewer)
            if stored is None:
                return None
            draft = stored.run.draft
            project = find_project(connection, draft.project, self._viewer)
            if project is None:
                return None
            grants = tuple(
                found
                for grant in draft.grants
                for found in [self._grant(connection, grant)]
                if found is not None
            )
        return RunFacts(
            state=stored.standing.state,
            run=stored.run,
            project=project.project,
            project_state=project.standing.state,
            grants=grants,
            now=int(self._clock()),
        )

    def _grant(self, connection: Connection, id_: Hash32) -> GrantFacts | None:
        stored = find_grant(connection, id_, self._viewer)
        if stored is None:
            return None
        data = find_data_set(connection, stored.grant.data_set, self._viewer)
        if data is None:
            return None
        return GrantFacts(
            id_, stored.standing.state, stored.grant, data.data_set, data.standing.state
        )
