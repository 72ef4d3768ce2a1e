"""A bank, a maker of machines and a power company train a credit model, on a chain in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

from contracts.consortium import Founder, Profile, Role, organisation_id_word
from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    MODEL_RUNS_ADDRESS,
    MODELS_ADDRESS,
    Budget,
    Calls,
    DataSet,
    Due,
    Grant,
    Mode,
    ModelShare,
    Part,
    Party,
    Payment,
    Project,
    RecordKind,
    ReleaseDraft,
    Round,
    RunDraft,
    Terms,
    binding,
    decoding,
    record_id,
    terms_digest,
)
from contracts.refusals import explain
from ledger.types import Address, Hash32, Receipt
from tests.contracts.scene import CHAIN_ID, OPERATOR, Key, MemoryChain, entries, error_of, key
from tests.contracts.tables import Tables

ROLES = {
    "town-bank": Role.BANK,
    "machine-works": Role.MANUFACTURER,
    "power-house": Role.OPERATOR,
    "other-bank": Role.BANK,
    "grain-store": Role.WAREHOUSE,
    "market-office": Role.REGULATOR,
    "trade-court": Role.ARBITRATOR,
}
KEYS: dict[str, Key] = {name: key(300 + number) for number, name in enumerate(ROLES)}
KEYS[OPERATOR.id] = key(1)
PARTIES = (
    Party("town-bank", Part.GUEST),
    Party("machine-works", Part.HOST),
    Party("power-house", Part.HOST),
)
NAMES = tuple(party.organisation for party in PARTIES)
DAY = 86_400
BEGIN = 1_800_000_000
SHARES = (2_000, 5_000, 3_000)
SET_ASIDE = Budget(400_000, 10**12)
NOTHING = Budget()


def digest(text: str) -> Hash32:
    return Hash32(sha256(text.encode()).digest())


CODE = digest("code 1.0")
TERMS = Terms(
    document=digest("agreement"),
    algorithms=("secureboost", "scorecard"),
    codes=(CODE, digest("code 1.1")),
    budget=Budget(1_000_000, 10**13),
    price=37,
    currency="CNY",
    shares=SHARES,
    until=BEGIN + 90 * DAY,
)


def founders() -> list[Founder]:
    return [OPERATOR] + [
        Founder(name, role, Profile(name, "", ""), (KEYS[name].address,))
        for name, role in ROLES.items()
    ]


@dataclass
class ModelScene:
    """The chain, and who does what on it."""

    chain: MemoryChain = field(
        default_factory=lambda: MemoryChain.of(entries(founders(), votes={OPERATOR.id: 1}))
    )
    receipts: list[Receipt] = field(default_factory=list)
    times: list[int] = field(default_factory=list)
    numbers: int = 0

    # ---- acting -------------------------------------------------------------------------------

    def send(self, by: str, to: Address, data: bytes) -> Receipt:
        receipt = self.chain.send(KEYS[by], to, data)
        self.receipts.append(receipt)
        self.times.append(self.chain.time)
        return receipt

    def act(self, by: str, to: Address, data: bytes) -> Receipt:
        """A call that goes through."""
        why = self.refusal(by, to, data)
        assert why is None, self.words(by, to, data)
        receipt = self.send(by, to, data)
        assert receipt.status == 1
        return receipt

    def models(self, by: str, data: bytes) -> Receipt:
        return self.act(by, MODELS_ADDRESS, data)

    def runs(self, by: str, data: bytes) -> Receipt:
        return self.act(by, MODEL_RUNS_ADDRESS, data)

    def releases(self, by: str, data: bytes) -> Receipt:
        return self.act(by, MODEL_RELEASES_ADDRESS, data)

    def refusal(self, by: str, to: Address, data: bytes) -> str | None:
        """Name of the error with which the call would be refused in the next block."""
        return error_of(self.chain.call(KEYS[by].address, to, data))

    def words(self, by: str, to: Address, data: bytes) -> str:
        return explain(self.chain.call(KEYS[by].address, to, data).output, decoding.MACHINE)

    def wait(self, seconds: int) -> None:
        self.chain.number += seconds

    def number(self) -> str:
        self.numbers += 1
        return f"N-{self.numbers}"

    # ---- reading ------------------------------------------------------------------------------

    def ask(self, to: Address, data: bytes) -> bytes:
        result = self.chain.call(KEYS["market-office"].address, to, data)
        assert not result.reverted, explain(result.output)
        return result.output

    def standing(self, to: Address, id_: Hash32) -> tuple[int, str]:
        return decoding.decode_standing(self.ask(to, decoding.standing_calldata(id_)))

    def state(self, id_: Hash32) -> str:
        """Of a record, wherever it is."""
        for to in (MODELS_ADDRESS, MODEL_RUNS_ADDRESS, MODEL_RELEASES_ADDRESS):
            revision, state = self.standing(to, id_)
            if revision:
                return state
        return "none"

    def project(self, id_: Hash32) -> Project:
        found = decoding.decode_project(self.ask(MODELS_ADDRESS, decoding.project_calldata(id_)))
        assert found is not None
        return found

    def used(self, project: Hash32) -> Budget:
        return decoding.decode_used(self.ask(MODEL_RUNS_ADDRESS, decoding.used_calldata(project)))

    def due(self, project: Hash32, payer: str, payee: str, currency: str = "CNY") -> Due:
        words = organisation_id_word(payer), organisation_id_word(payee)
        data = decoding.due_calldata(project, currency.encode(), *words)
        return decoding.decode_due(self.ask(MODEL_RELEASES_ADDRESS, data))

    # ---- projects -----------------------------------------------------------------------------

    def proposed(
        self,
        terms: Terms = TERMS,
        parties: Sequence[Party] = PARTIES,
        by: str = "town-bank",
    ) -> Hash32:
        number = self.number()
        self.models(by, binding.propose_calldata(number, parties, terms))
        return record_id(RecordKind.PROJECT, CHAIN_ID, by, number)

    def accept(self, project: Hash32, by: str) -> None:
        known = self.project(project)
        assert known.proposed is not None
        seen = terms_digest(project, known.version + 1, known.parties, known.proposed)
        self.models(by, binding.accept_calldata(project, 0, seen))

    def agreed(self, terms: Terms = TERMS, parties: Sequence[Party] = PARTIES) -> Hash32:
        id_ = self.proposed(terms, parties, parties[0].organisation)
        for party in parties[1:]:
            self.accept(id_, party.organisation)
        return id_

    def amend(self, project: Hash32, terms: Terms) -> None:
        """Other terms, which all accept."""
        first, *others = (party.organisation for party in self.project(project).parties)
        self.models(first, binding.amend_calldata(project, 0, terms))
        for other in others:
            self.accept(project, other)

    # ---- data ---------------------------------------------------------------------------------

    def data_set(self, owner: str, replaces: Hash32 | None = None) -> Hash32:
        number = self.number()
        content = DataSet(
            owner, number, digest("schema"), 30_000, digest(f"rows {number}"), digest("quality")
        )
        data = binding.register_calldata(replace(content, replaces=replaces))
        self.models(owner, data)
        return record_id(RecordKind.DATA_SET, CHAIN_ID, owner, number)

    def grant(
        self, project: Hash32, owner: str, data: Hash32 | None = None, days: int = 60
    ) -> Hash32:
        made = self.data_set(owner) if data is None else data
        number = self.number()
        until = self.chain.time + days * DAY
        content = Grant(owner, number, made, project, digest("fields"), until)
        self.models(owner, binding.give_calldata(content))
        return record_id(RecordKind.GRANT, CHAIN_ID, owner, number)

    def grants(self, project: Hash32, names: Sequence[str] = NAMES) -> tuple[Hash32, ...]:
        return tuple(self.grant(project, name) for name in names)

    # ---- runs ---------------------------------------------------------------------------------

    def run_draft(
        self,
        project: Hash32,
        grants: tuple[Hash32, ...],
        budget: Budget = SET_ASIDE,
        participants: tuple[str, ...] = NAMES,
    ) -> RunDraft:
        return RunDraft(
            project=project,
            number=self.number(),
            algorithm="secureboost",
            code=CODE,
            config=digest("config"),
            seed=digest("seed"),
            budget=budget,
            participants=participants,
            grants=grants,
        )

    def opened(self, draft: RunDraft, by: str = "town-bank") -> Hash32:
        self.runs(by, binding.open_calldata(draft))
        return record_id(RecordKind.RUN, CHAIN_ID, by, draft.number)

    def running(self, draft: RunDraft, by: str = "town-bank") -> Hash32:
        id_ = self.opened(draft, by)
        for name in draft.participants:
            data = binding.join_calldata(id_, 0, draft.code, digest(f"node {name}"))
            self.runs(name, data)
        return id_

    def round(self, run: Hash32, number: int, spent: Budget = NOTHING) -> Receipt:
        content = Round(number, digest(f"round {number}"), spent, NAMES)
        return self.runs("town-bank", binding.round_calldata(run, 0, content))

    def completed(self, draft: RunDraft) -> Hash32:
        id_ = self.running(draft)
        self.round(id_, 1, Budget(100_000, 10**11))
        self.runs("town-bank", binding.complete_calldata(id_, 0, digest("record")))
        return id_

    def trained(self, project: Hash32 | None = None) -> tuple[Hash32, Hash32]:
        """Project and completed run."""
        made = self.agreed() if project is None else project
        return made, self.completed(self.run_draft(made, self.grants(made)))

    # ---- releases -----------------------------------------------------------------------------

    def release_draft(self, run: Hash32) -> ReleaseDraft:
        shares = tuple(
            ModelShare(name, digest(f"model {name}"), digest(f"data {name}")) for name in NAMES
        )
        return ReleaseDraft(run, self.number(), digest("card"), digest("metrics"), shares)

    def offered(self, run: Hash32, by: str = "town-bank") -> Hash32:
        draft = self.release_draft(run)
        self.releases(by, binding.offer_calldata(draft))
        return record_id(RecordKind.RELEASE, CHAIN_ID, by, draft.number)

    def live(self, project: Hash32 | None = None) -> tuple[Hash32, Hash32]:
        """Project and live release."""
        made, run = self.trained(project)
        return made, self.approved(run)

    def approved(self, run: Hash32) -> Hash32:
        id_ = self.offered(run)
        for name in NAMES[1:]:
            self.releases(name, binding.approve_calldata(id_, 0))
        return id_

    def calls(
        self,
        release: Hash32,
        count: int,
        first: int = 1,
        mode: Mode = Mode.BATCH,
        since: int | None = None,
    ) -> Calls:
        """Calls in a period that ends now."""
        now = self.chain.time
        begin = now - 1 if since is None else since
        return Calls(release, self.number(), mode, first, count, digest("calls"), begin, now)

    def counted(self, calls: Calls, by: str = "town-bank") -> Hash32:
        self.releases(by, binding.count_calldata(calls))
        return record_id(RecordKind.BATCH, CHAIN_ID, by, calls.number)

    def payment(
        self, project: Hash32, amount: int, payee: str = "machine-works", by: str = "town-bank"
    ) -> Payment:
        shown = digest("transfer")
        return Payment(by, self.number(), project, payee, "CNY", amount, shown)

    def told(self, payment: Payment) -> Hash32:
        self.releases(payment.payer, binding.tell_calldata(payment))
        return record_id(RecordKind.PAYMENT, CHAIN_ID, payment.payer, payment.number)


def projected(scene: ModelScene) -> Tables:
    """What the tables say of a scene's transactions."""
    tables = Tables.of(entries(founders(), votes={OPERATOR.id: 1}))
    for number, (receipt, time) in enumerate(zip(scene.receipts, scene.times, strict=True), 1):
        tables.take(receipt, number, time)
    return tables
