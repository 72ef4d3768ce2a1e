"""A run: its stages one after the other, refused or done by each party itself, and resumed."""

from federation.runs.code import code_hash
from federation.runs.conducting import conduct
from federation.runs.documents import (
    check_run,
    conversation_id,
    read_record,
    read_run,
    record_document,
    run_document,
    run_hash,
    write_record,
    write_run,
)
from federation.runs.embedded import run_embedded
from federation.runs.errors import (
    JournalInvalid,
    RunError,
    RunInvalid,
    StageFailed,
    StageRefused,
)
from federation.runs.journal import FileJournal, MemoryJournal
from federation.runs.lone import LoneChannel
from federation.runs.outcomes import outcome_document, read_outcome, write_outcome
from federation.runs.party import folder_of, perform
from federation.runs.protocol import (
    Gate,
    Journal,
    Messenger,
    OpenChannel,
    Party,
    PartyWork,
    Progress,
    StageContext,
    Steps,
)
from federation.runs.types import (
    Fault,
    FaultKind,
    Json,
    Refusal,
    Run,
    RunEvent,
    RunOutcome,
    Stage,
    StageRecord,
    Status,
)

__all__ = [
    "Fault",
    "FaultKind",
    "FileJournal",
    "Gate",
    "Journal",
    "JournalInvalid",
    "Json",
    "LoneChannel",
    "MemoryJournal",
    "Messenger",
    "OpenChannel",
    "Party",
    "PartyWork",
    "Progress",
    "Refusal",
    "Run",
    "RunError",
    "RunEvent",
    "RunInvalid",
    "RunOutcome",
    "Stage",
    "StageContext",
    "StageFailed",
    "StageRecord",
    "StageRefused",
    "Status",
    "Steps",
    "check_run",
    "code_hash",
    "conduct",
    "conversation_id",
    "folder_of",
    "outcome_document",
    "perform",
    "read_outcome",
    "read_record",
    "read_run",
    "record_document",
    "run_document",
    "run_embedded",
    "run_hash",
    "write_outcome",
    "write_record",
    "write_run",
]
