"""Every call of Models, Runs and Releases × every role."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from contracts.genesis import DEPOSITS_ADDRESS
from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    Calls,
    DataSet,
    Fault,
    FaultKind,
    Grant,
    Mark,
    Mode,
    ModelShare,
    Part,
    Party,
    Payment,
    RecordKind,
    ReleaseDraft,
    Round,
    RunDraft,
    Terms,
    binding,
    contribution_digest,
    record_id,
    terms_digest,
)
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.settlement import choose_home_calldata, issue_calldata
from ledger.types import Hash32
from tests.contracts.financing.loans import Loans
from tests.contracts.models.scene import BEGIN, CODE, DAY, NOTHING, TERMS, digest
from tests.contracts.roles import MEMBERS, SUSPENDED, Call, check, opened, read_table
from tests.contracts.scene import CHAIN_ID

pytestmark = [pytest.mark.feature("D1"), pytest.mark.feature("D6")]
TABLE: Final = read_table(__file__)
PARTIES: Final = (
    Party("bank", Part.EQUAL),
    Party("farm", Part.HOST),
    Party("other-bank", Part.EQUAL),
)
NAMES: Final = tuple(party.organisation for party in PARTIES)


@dataclass
class Records:
    """Records of models by how far they are."""

    world: Loans
    numbers: int = 0
    projects: dict[Hash32, Hash32] = field(default_factory=dict)
    """By release and run."""

    def number(self) -> str:
        self.numbers += 1
        return f"M-{self.numbers}"

    def models(self, who: str, data: bytes) -> None:
        self.world.act(who, MODELS_ADDRESS, data)

    def runs(self, who: str, data: bytes) -> None:
        self.world.act(who, MODEL_RUNS_ADDRESS, data)

    def releases(self, who: str, data: bytes) -> None:
        self.world.act(who, MODEL_RELEASES_ADDRESS, data)

    def proposed(self, *accepted: str) -> Hash32:
        number = self.number()
        self.models("bank", binding.propose_calldata(number, PARTIES, self.terms))
        id_ = record_id(RecordKind.PROJECT, CHAIN_ID, "bank", number)
        for who in accepted:
            self.models(who, self.accepting(id_))
        return id_

    @property
    def terms(self) -> Terms:
        return replace(TERMS, until=BEGIN + 3_000 * DAY)

    def accepting(self, id_: Hash32) -> bytes:
        seen = terms_digest(id_, 1, PARTIES, self.terms)
        return binding.accept_calldata(id_, 0, seen)

    def agreed(self) -> Hash32:
        return self.proposed("farm", "other-bank")

    def data_set(self, owner: str) -> Hash32:
        number = self.number()
        content = DataSet(owner, number, digest("s"), 1, digest("c"), digest("q"))
        self.models(owner, binding.register_calldata(content))
        return record_id(RecordKind.DATA_SET, CHAIN_ID, owner, number)

    def giving(self, project: Hash32, owner: str, number: str) -> bytes:
        until = self.world.chain.time + 2_000 * DAY
        data = self.data_set(owner)
        grant = Grant(owner, number, data, project, digest("fields"), until)
        return binding.give_calldata(grant)

    def grant(self, project: Hash32, owner: str) -> Hash32:
        number = self.number()
        self.models(owner, self.giving(project, owner, number))
        return record_id(RecordKind.GRANT, CHAIN_ID, owner, number)

    def draft(self, project: Hash32) -> RunDraft:
        grants = tuple(self.grant(project, name) for name in NAMES)
        hashes = CODE, digest("config"), digest("seed")
        rest = NOTHING, NAMES, grants
        return RunDraft(project, self.number(), "scorecard", *hashes, *rest)

    def opened(self, *joined: str) -> Hash32:
        draft = self.draft(self.agreed())
        self.runs("bank", binding.open_calldata(draft))
        id_ = record_id(RecordKind.RUN, CHAIN_ID, "bank", draft.number)
        self.projects[id_] = draft.project
        for who in joined:
            self.runs(who, binding.join_calldata(id_, 0, CODE, digest(who)))
        return id_

    def running(self) -> Hash32:
        id_ = self.opened(*NAMES)
        content = Round(1, digest("r"), NOTHING, NAMES)
        self.runs("bank", binding.round_calldata(id_, 0, content))
        return id_

    def offering(self) -> ReleaseDraft:
        run = self.running()
        self.runs("bank", binding.complete_calldata(run, 0, digest("record")))
        shares = tuple(ModelShare(name, digest("m"), digest("d")) for name in NAMES)
        return ReleaseDraft(run, self.number(), digest("card"), digest("metrics"), shares)

    def offered(self, *approved: str) -> Hash32:
        draft = self.offering()
        self.releases("bank", binding.offer_calldata(draft))
        id_ = record_id(RecordKind.RELEASE, CHAIN_ID, "bank", draft.number)
        self.projects[id_] = self.projects[draft.run]
        for who in approved:
            self.releases(who, binding.approve_calldata(id_, 0))
        return id_

    def live(self) -> Hash32:
        return self.offered("farm", "other-bank")

    def calls(self, release: Hash32) -> Calls:
        self.world.wait(1_000)
        now = self.world.chain.time
        return Calls(release, self.number(), Mode.BATCH, 1, 1_000, digest("r"), now - 10, now)

    def counted(self, release: Hash32) -> Hash32:
        calls = self.calls(release)
        self.releases("bank", binding.count_calldata(calls))
        return record_id(RecordKind.BATCH, CHAIN_ID, "bank", calls.number)

    def payment(self, project: Hash32) -> Payment:
        return Payment("bank", self.number(), project, "farm", "CNY", 10, digest("shown"))

    def told(self, project: Hash32) -> Hash32:
        payment = self.payment(project)
        self.releases("bank", binding.tell_calldata(payment))
        return record_id(RecordKind.PAYMENT, CHAIN_ID, "bank", payment.number)


def agreeing(records: Records) -> Mapping[str, Call]:
    project, amended = records.agreed(), records.agreed()
    records.models("farm", binding.amend_calldata(amended, 0, records.terms))
    data, proposed = records.data_set("farm"), records.proposed("farm")

    def registering(caller: str) -> bytes:
        owner = MEMBERS.get(caller, "nobody")
        content = DataSet(owner, "NEW", digest("s"), 1, digest("c"), digest("q"))
        return binding.register_calldata(content)

    return {
        "propose": binding.propose_calldata("NEW", PARTIES, records.terms),
        "accept": records.accepting(proposed),
        "refuse": binding.refuse_calldata(proposed, 0),
        "withdraw": binding.withdraw_calldata(proposed, 0),
        "amend": binding.amend_calldata(project, 0, records.terms),
        "decline": binding.decline_calldata(amended, 0),
        "close": binding.close_calldata(project, 0),
        "register": registering,
        "remove": binding.remove_calldata(data, 0),
        "give": records.giving(project, "farm", "NEW"),
        "revoke": binding.revoke_calldata(records.grant(project, "farm"), 0),
    }


def running(records: Records) -> Mapping[str, Call]:
    run = records.running()
    fault = Fault("farm", FaultKind.DROPPED, 2, digest("evidence"))
    return {
        "open": binding.open_calldata(records.draft(records.agreed())),
        "join": binding.join_calldata(records.opened("bank", "farm"), 0, CODE, digest("n")),
        "round": binding.round_calldata(run, 0, Round(2, digest("r"), NOTHING, NAMES)),
        "fault": binding.fault_calldata(run, 0, fault),
        "complete": binding.complete_calldata(run, 0, digest("record")),
        "abort": binding.abort_calldata(run, 0, digest("reason")),
    }


def releasing(records: Records) -> Mapping[str, Call]:
    live, offered = records.live(), records.offered("farm")
    batch = records.counted(live)
    world, project = records.world, records.projects[live]
    told = records.told(project)
    shares, evidence = (1_000, 8_000, 1_000), digest("evidence")
    records.releases("farm", binding.attribute_calldata(live, 0, shares, evidence))
    seen = contribution_digest(live, 1, shares, evidence)
    records.releases("bank", binding.concur_calldata(live, 0, seen))
    world.act("farm", DEPOSITS_ADDRESS, choose_home_calldata("bank", "CNY"))
    world.act("bank", DEPOSITS_ADDRESS, issue_calldata("farm", "CNY", 5, "home"))
    payment = records.payment(project)
    return {
        "offer": binding.offer_calldata(records.offering()),
        "approve": binding.approve_calldata(offered, 0),
        "reject": binding.reject_calldata(offered, 0),
        "retire": binding.retire_calldata(live, 0),
        "mark": binding.mark_calldata(live, 0, Mark.CHAMPION),
        "attribute": binding.attribute_calldata(live, 0, shares, evidence),
        "concur": binding.concur_calldata(live, 0, seen),
        "count": binding.count_calldata(records.calls(records.live())),
        "dispute": binding.dispute_calldata(batch, 0, 5, digest("log")),
        "pay": binding.pay_calldata(replace(payment, settled=None), "bank"),
        "tell": binding.tell_calldata(payment),
        "confirm": binding.confirm_calldata(told, 0),
        "deny": binding.deny_calldata(told, 0),
    }


def test_every_call_of_models_answers_every_role_as_the_table_says() -> None:
    records = Records(opened())
    calls: dict[str, Call] = {}
    for contract, made in (("Models", agreeing), ("Runs", running), ("Releases", releasing)):
        calls |= {f"{contract}.{name}": call for name, call in made(records).items()}
    records.world.suspend(SUSPENDED)
    artifacts = {
        MODELS_ADDRESS: MODELS_ARTIFACT,
        MODEL_RUNS_ADDRESS: RUNS_ARTIFACT,
        MODEL_RELEASES_ADDRESS: RELEASES_ARTIFACT,
    }
    check(records.world, TABLE, artifacts, calls)
