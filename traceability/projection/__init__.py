"""SQL tables of batches and events, filled from the chain."""

from traceability.projection.handler import ProvenanceHandler
from traceability.projection.prepared import HashedEvent, PreparedBatches, PreparedEvent
from traceability.projection.tables import BatchStatus, Role, metadata

__all__ = [
    "BatchStatus",
    "HashedEvent",
    "PreparedBatches",
    "PreparedEvent",
    "ProvenanceHandler",
    "Role",
    "metadata",
]
