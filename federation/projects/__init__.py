"""The agreement of a project as a document, and whether a run keeps to it."""

from federation.projects.agreement import Agreement, Limits, Member
from federation.projects.errors import AgreementInvalid, FieldsInvalid, ProjectsError
from federation.projects.gate import LedgerGate
from federation.projects.node import NodeFacts
from federation.projects.protocol import Facts, GrantFacts, RunFacts
from federation.projects.sharing import SharedField, SharedFields

__all__ = [
    "Agreement",
    "AgreementInvalid",
    "Facts",
    "FieldsInvalid",
    "GrantFacts",
    "LedgerGate",
    "Limits",
    "Member",
    "NodeFacts",
    "ProjectsError",
    "RunFacts",
    "SharedField",
    "SharedFields",
]
