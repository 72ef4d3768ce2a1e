"""A party's own judgement of a run: does it keep to what was agreed, just now?

Asked before each stage, of the party's own node; whatever is wrong is a reason to refuse that the
other parties are told.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from federation.projects.agreement import Agreement
from federation.projects.protocol import Facts, RunFacts
from federation.projects.sharing import SharedFields
from federation.runs import Json, Refusal, Run, Stage, run_hash
from ledger.types import Hash32

ALIGNMENT: Final = "alignment"
SCORING: Final = "scoring"
CONTRIBUTION: Final = "contribution"
SMALLEST_GROUP: Final = {
    "scorecard": "rows_min",
    CONTRIBUTION: "rows_min",
    "trees": "node_rows_min",
}
"""What each algorithm calls the fewest rows whose total is told. It must be said, like the length
of the key: what is not said may be otherwise with another version of the code."""
_ALIVE: Final = {"opened", "running"}
_USABLE: Final = {"registered", "superseded"}


class LedgerGate:
    """Lets a stage begin where the ledger, the agreement and the party's own fields all allow it.

    `agreement` is the document that this party accepted; `fields` what it shared, by the id of the
    grant. Never raises for a run that is wrong: it refuses.
    """

    def __init__(
        self, me: str, agreement: Agreement, fields: Mapping[Hash32, SharedFields], facts: Facts
    ) -> None:
        self._me = me
        self._agreement = agreement
        self._fields = fields
        self._facts = facts

    def check(self, run: Run, stage: Stage, /) -> Refusal | None:
        """None, or the first reason against it."""
        try:
            facts = self._facts.run(_hash_of(run.id))
        except ValueError:
            return Refusal(f"{run.id} is no id of a run on the ledger")
        if facts is None:
            return Refusal("the ledger has no such run")
        for reason in self._reasons(run, stage, facts):
            return Refusal(reason)
        return None

    def _reasons(self, run: Run, stage: Stage, facts: RunFacts) -> Iterator[str]:
        yield from self._of_run(run, facts)
        yield from self._of_project(run, facts)
        yield from self._of_grants(facts)
        yield from self._of_stage(stage, facts)

    def _of_run(self, run: Run, facts: RunFacts) -> Iterator[str]:
        draft = facts.run.draft
        if facts.state not in _ALIVE:
            yield f"the run is {facts.state} on the ledger"
        if set(run.parties) != set(draft.participants):
            yield "its parties are not the participants on the ledger"
        if self._me not in draft.participants:
            yield f"{self._me} takes no part in it on the ledger"
        if run.code != _text(draft.code):
            yield "its code is not the one on the ledger"
        if run_hash(run) != _text(draft.config):
            yield "its stages and settings are not those whose hash stands on the ledger"
        if run.project != _text(draft.project):
            yield "it names another project than the ledger does"

    def _of_project(self, run: Run, facts: RunFacts) -> Iterator[str]:
        terms, draft = facts.project.terms, facts.run.draft
        if facts.project_state != "agreed" or terms is None:
            yield f"the project is {facts.project_state}: nothing is agreed on"
            return
        if facts.now >= terms.until:
            yield "the project has expired"
        if terms.document != self._agreement.hash or run.agreement != _text(terms.document):
            yield "the terms in force are not those of the agreement that it names"
        if self._agreement.terms() != terms:
            yield "the agreement's own numbers are not those of the terms on the ledger"
        if draft.algorithm not in terms.algorithms:
            yield f"the algorithm {draft.algorithm} is not among those agreed on"
        if draft.code not in terms.codes:
            yield "its code is not among those agreed on"
        if facts.run.spent.epsilon > draft.budget.epsilon:
            yield "it has spent more privacy than was set aside for it"
        if facts.run.spent.delta > draft.budget.delta:
            yield "it has spent more privacy than was set aside for it"

    def _of_grants(self, facts: RunFacts) -> Iterator[str]:
        draft = facts.run.draft
        if {one.id for one in facts.grants} != set(draft.grants):
            yield "the ledger does not have all grants that it names"
        for one in facts.grants:
            name = f"the grant {one.grant.number} of {one.grant.owner}"
            if one.state != "given":
                yield f"{name} is {one.state}"
            if facts.now >= one.grant.until:
                yield f"{name} has expired"
            if one.grant.project != draft.project:
                yield f"{name} is for another project"
            if one.data_set_state not in _USABLE:
                yield f"the data set {one.data_set.number} of {one.grant.owner} was withdrawn"
        for party in sorted(set(draft.participants) - {one.grant.owner for one in facts.grants}):
            yield f"{party} has granted no fields for it"
        for one in facts.grants:
            if one.grant.owner == self._me:
                own = self._fields.get(one.id)
                if own is None or own.hash != one.grant.fields:
                    yield f"{self._me} has not shared the fields of the grant {one.grant.number}"

    def _of_stage(self, stage: Stage, facts: RunFacts) -> Iterator[str]:
        limits, algorithm = self._agreement.limits, facts.run.draft.algorithm
        if stage.work not in (ALIGNMENT, SCORING, CONTRIBUTION, algorithm):
            yield f"the stage {stage.name} does {stage.work}, the run is of {algorithm}"
        guests = {one.organisation for one in self._agreement.parties if one.part == "guest"}
        guest = stage.config.get("guest")
        if guests and guest not in guests:
            yield f"the stage {stage.name} has {guest} as its guest, who brings no label"
        if stage.work == ALIGNMENT:
            yield from _at_least(stage, stage.config, "commonMin", limits.common_rows_min)
        if stage.work in (algorithm, CONTRIBUTION):
            settings = stage.config.get("settings")
            yield from self._of_settings(stage, settings if isinstance(settings, Mapping) else {})

    def _of_settings(self, stage: Stage, settings: Mapping[str, Json]) -> Iterator[str]:
        limits = self._agreement.limits
        hides_nothing = settings.get("rehearsal", False) is not False
        if (hides_nothing or settings.get("scheme") == "plain") and not limits.rehearsal:
            yield f"the stage {stage.name} is a rehearsal, which hides nothing"
        smallest = SMALLEST_GROUP.get(stage.work)
        if smallest is not None:
            yield from _at_least(stage, settings, smallest, limits.group_rows_min)
            yield from _at_least(stage, settings, "key_bits", limits.key_bits_min)


def _at_least(stage: Stage, given: Mapping[str, Json], name: str, least: int) -> Iterator[str]:
    value = given.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        yield f"the stage {stage.name} has {name} {value}: at least {least} was agreed on"


def _hash_of(text: str) -> Hash32:
    """Raises `ValueError`."""
    if len(text) != 66 or not text.startswith("0x"):
        raise ValueError(text)
    return Hash32(bytes.fromhex(text[2:]))


def _text(hash_: bytes) -> str:
    return "0x" + hash_.hex()
