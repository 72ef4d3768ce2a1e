"""An agreement of three parties and a run under it, as the ledger would have them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from contracts.models import Budget, DataSet, Grant, Part, Project, RunDraft
from contracts.models import Party as LedgerParty
from contracts.models import Run as LedgerRun
from federation.projects import (
    Agreement,
    GrantFacts,
    Limits,
    Member,
    RunFacts,
    SharedField,
    SharedFields,
)
from federation.runs import Json, Run, Stage, code_hash, run_hash
from ledger.types import Hash32

PARTIES = ("bank", "manufacturer", "platform")
NOW = 1_800_000_000
RUN_ID = Hash32(b"\x77" * 32)
PROJECT_ID = Hash32(b"\x55" * 32)
CODE = Hash32(bytes.fromhex(code_hash()[2:]))
FIELDS = {
    name: SharedFields(fields=(SharedField(name=f"{name}_x"),), salt="ab" * 16) for name in PARTIES
}


def agreement(**changed: Any) -> Agreement:
    made = Agreement(
        title="Credit of suppliers",
        purpose="Scores for loans to suppliers of the manufacturer",
        purpose_zh="供应商贷款评分",
        parties=(
            Member(organisation="bank", part="guest"),
            Member(organisation="manufacturer", part="host"),
            Member(organisation="platform", part="host"),
        ),
        algorithms=("scorecard", "trees"),
        codes=(bytes(CODE),),
        epsilon=1_000_000,
        price=200,
        currency="CNY",
        shares=(0, 6_000, 4_000),
        until=NOW + 86_400,
        limits=Limits(common_rows_min=100, group_rows_min=20, rehearsal=True),
    )
    return replace(made, **changed)


def grant_id(name: str) -> Hash32:
    return Hash32(name.encode().ljust(32, b"\0"))


def stages(**settings: Json) -> tuple[Stage, ...]:
    card: dict[str, Json] = {
        "scheme": "plain",
        "rehearsal": True,
        "rows_min": 20,
        "key_bits": 2048,
        **settings,
    }
    return (
        Stage("alignment", "alignment", {"guest": "bank", "commonMin": 100}),
        Stage("card", "scorecard", {"guest": "bank", "settings": card}),
        Stage(
            "scores",
            "scoring",
            {"guest": "bank", "rows": "alignment", "model": "card", "algorithm": "scorecard"},
        ),
    )


def run_under(agreed: Agreement, parts: tuple[Stage, ...] | None = None) -> Run:
    return Run(
        "0x" + RUN_ID.hex(),
        "0x" + PROJECT_ID.hex(),
        "0x" + agreed.hash.hex(),
        code_hash(),
        PARTIES,
        parts or stages(),
    )


def facts_of(agreed: Agreement, run: Run) -> RunFacts:
    """Just what the ledger has where everything is in order."""
    draft = RunDraft(
        project=PROJECT_ID,
        number="1",
        algorithm="scorecard",
        code=CODE,
        config=Hash32(bytes.fromhex(run_hash(run)[2:])),
        seed=Hash32(b"\x01" * 32),
        budget=Budget(100_000, 0),
        participants=PARTIES,
        grants=tuple(map(grant_id, PARTIES)),
    )
    parts = {"guest": Part.GUEST, "host": Part.HOST, "equal": Part.EQUAL}
    project = Project(
        proposer="bank",
        number="suppliers",
        parties=tuple(LedgerParty(one.organisation, parts[one.part]) for one in agreed.parties),
        version=1,
        accepted=PARTIES,
        terms=agreed.terms(),
        proposed=None,
    )
    grants = tuple(_grant(name) for name in PARTIES)
    ledger_run = LedgerRun(
        opener="bank",
        draft=draft,
        nodes=(CODE, CODE, CODE),
        spent=Budget(),
        rounds=0,
        faults=0,
        opened=NOW - 100,
        ended=None,
        outcome=None,
    )
    return RunFacts("running", ledger_run, project, "agreed", grants, NOW)


def _grant(name: str) -> GrantFacts:
    zero = Hash32(bytes(32))
    data = DataSet(owner=name, number="2026", schema=zero, rows=900, commitment=zero, quality=zero)
    grant = Grant(name, "g1", zero, PROJECT_ID, FIELDS[name].hash, NOW + 3_600)
    return GrantFacts(grant_id(name), "given", grant, data, "registered")


@dataclass
class Told:
    """A node that says what it is told to say."""

    facts: RunFacts | None
    asked: list[Hash32] = field(default_factory=list)

    def run(self, id_: Hash32, /) -> RunFacts | None:
        self.asked.append(id_)
        return self.facts
