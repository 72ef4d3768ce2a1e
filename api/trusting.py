"""The trust file as it is served: with every version of the Provenance contract that is indexed."""

from __future__ import annotations

from sqlalchemy import Connection

from api.services import Services
from contracts.directory import contract_versions
from contracts.provenance import PROVENANCE_NAME
from ledger.projection import read_transaction
from traceability.bundle import (
    ProvenanceVersion,
    Trust,
    VersionRecords,
    prove_versions,
    versions_of,
)


def later_versions(services: Services, connection: Connection) -> tuple[ProvenanceVersion, ...]:
    """Versions after the first one, up to the last projected block."""
    found = contract_versions(connection, PROVENANCE_NAME)
    pairs = [(one.address, one.since_block) for one in found]
    return versions_of(pairs, services.trust.provenance)


def current_trust(services: Services, connection: Connection) -> Trust:
    """What verifiers of this node's answers need, as of the connection's moment."""
    return services.trust.with_versions_that_fit(later_versions(services, connection))


def served_trust(services: Services) -> bytes:
    """The trust file as of now."""
    with read_transaction(services.engine) as connection:
        return current_trust(services, connection).encode()


def served_versions(services: Services) -> VersionRecords:
    """What proves the later versions to whoever has an older trust file.

    Raises `VersionsUnproven` where the log does not cover the newest one yet.
    """
    directory = services.ledger.genesis.contracts.get("directory")
    if directory is None:
        return VersionRecords(services.trust.origin, ())
    with read_transaction(services.engine) as connection:
        later = later_versions(services, connection)
    return prove_versions(services.ledger, directory, later, services.trust)
