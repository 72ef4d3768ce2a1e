"""Projects, data sets and grants: who agrees to what, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contracts.models import (
    MODELS_ADDRESS,
    Budget,
    DataSet,
    Grant,
    Part,
    Party,
    RecordKind,
    Terms,
    binding,
    decode_log,
    record_id,
    terms_digest,
)
from contracts.models.events import ProjectActed
from ledger.types import Hash32
from tests.contracts.models.scene import (
    BEGIN,
    CODE,
    DAY,
    NAMES,
    PARTIES,
    TERMS,
    ModelScene,
    digest,
)
from tests.contracts.scene import CHAIN_ID, told

pytestmark = pytest.mark.feature("D1")


@pytest.fixture
def scene() -> ModelScene:
    return ModelScene()


def refused(scene: ModelScene, by: str, data: bytes) -> str | None:
    return scene.refusal(by, MODELS_ADDRESS, data)


def test_a_project_holds_once_every_party_has_accepted_the_same_terms(scene: ModelScene) -> None:
    id_ = scene.proposed()
    known = scene.project(id_)
    assert (known.version, known.terms, known.proposed) == (0, None, TERMS)
    assert (known.parties, known.accepted) == (PARTIES, ("town-bank",))
    seen = terms_digest(id_, 1, PARTIES, TERMS)
    other = terms_digest(id_, 1, PARTIES, replace(TERMS, price=36))
    accept = binding.accept_calldata
    assert refused(scene, "machine-works", accept(id_, 0, other)) == "TermsDiffer"
    assert refused(scene, "town-bank", accept(id_, 0, seen)) == "DoneAlready"
    assert refused(scene, "other-bank", accept(id_, 0, seen)) == "NotEntitled"
    assert refused(scene, "machine-works", accept(id_, 2, seen)) == "StaleRevision"
    scene.models("machine-works", accept(id_, 1, seen))
    assert scene.state(id_) == "proposed"
    receipt = scene.models("power-house", accept(id_, 2, seen))
    events = [decode_log(log) for log in told(receipt, MODELS_ADDRESS)]
    acts = [(one.act, one.revision, one.state) for one in events if isinstance(one, ProjectActed)]
    assert acts == [("accept", 3, "proposed"), ("agree", 4, "agreed")]
    known = scene.project(id_)
    assert (known.version, known.terms, known.proposed, known.accepted) == (1, TERMS, None, ())
    assert refused(scene, "town-bank", accept(id_, 0, seen)) == "NothingProposed"


def test_an_amendment_holds_once_all_have_accepted_it_and_the_old_terms_until_then(
    scene: ModelScene,
) -> None:
    id_ = scene.agreed()
    dearer = replace(TERMS, price=40)
    scene.models("machine-works", binding.amend_calldata(id_, 0, dearer))
    known = scene.project(id_)
    assert (known.version, known.terms, known.proposed) == (1, TERMS, dearer)
    scene.accept(id_, "town-bank")
    assert scene.project(id_).terms == TERMS
    scene.accept(id_, "power-house")
    known = scene.project(id_)
    assert (known.version, known.terms, known.proposed) == (2, dearer, None)
    # Who accepts an amendment accepts that one alone, whatever takes its place meanwhile.
    seen = terms_digest(id_, 3, PARTIES, TERMS)
    scene.models("machine-works", binding.amend_calldata(id_, 0, TERMS))
    scene.models("town-bank", binding.amend_calldata(id_, 0, replace(TERMS, price=41)))
    accept = binding.accept_calldata(id_, 0, seen)
    assert refused(scene, "power-house", accept) == "TermsDiffer"
    scene.models("power-house", binding.decline_calldata(id_, 0, "no"))
    known = scene.project(id_)
    assert (known.version, known.terms, known.proposed) == (2, dearer, None)
    assert refused(scene, "power-house", binding.decline_calldata(id_, 0)) == "NothingProposed"


def test_what_was_proposed_is_not_accepted_after_its_end(scene: ModelScene) -> None:
    id_ = scene.proposed(replace(TERMS, until=BEGIN + DAY))
    scene.wait(DAY)
    seen = terms_digest(id_, 1, PARTIES, replace(TERMS, until=BEGIN + DAY))
    data = binding.accept_calldata(id_, 0, seen)
    assert refused(scene, "machine-works", data) == "InvalidEntry"


def party(name: str, part: Part = Part.HOST) -> Party:
    return Party(name, part)


@pytest.mark.parametrize(
    ("parties", "error"),
    [
        (PARTIES[:1], "InvalidEntry"),
        (tuple(party(one) for one in NAMES), "InvalidEntry"),  # nobody has the label
        (PARTIES[1:], "NotAParty"),  # the proposer is not among them
        ((*PARTIES, PARTIES[1]), "NotAParty"),
        ((*PARTIES, party("market-office")), "NotAParty"),
        ((*PARTIES, party("trade-court")), "NotAParty"),
        ((*PARTIES, party("nobody")), "PartyNotActive"),
        ((PARTIES[0], *(party(f"org-{n}") for n in range(16))), "InvalidEntry"),
    ],
)
def test_parties_are_active_members_each_once_with_somebody_who_has_the_label(
    scene: ModelScene, parties: tuple[Party, ...], error: str
) -> None:
    terms = replace(TERMS, shares=())
    data = binding.propose_calldata("P", parties, terms)
    assert refused(scene, "town-bank", data) == error


@pytest.mark.parametrize(
    ("terms", "error"),
    [
        (replace(TERMS, document=Hash32(bytes(32))), "HashMissing"),
        (replace(TERMS, algorithms=()), "InvalidEntry"),
        (replace(TERMS, algorithms=("a", "b", "a")), "InvalidEntry"),
        (replace(TERMS, algorithms=tuple(f"a{n}" for n in range(17))), "InvalidEntry"),
        (replace(TERMS, codes=()), "InvalidEntry"),
        (replace(TERMS, codes=(CODE, Hash32(bytes(32)))), "InvalidEntry"),
        (replace(TERMS, budget=Budget(10**12 + 1, 0)), "InvalidEntry"),
        (replace(TERMS, budget=Budget(0, 10**18 + 1)), "InvalidEntry"),
        (replace(TERMS, price=(1 << 100) + 1), "InvalidEntry"),
        (replace(TERMS, shares=(5_000, 5_000)), "InvalidEntry"),
        (replace(TERMS, shares=(5_000, 5_000, 1)), "SharesDiffer"),
        (replace(TERMS, until=BEGIN), "InvalidEntry"),
        (replace(TERMS, until=BEGIN + 3_662 * DAY), "InvalidEntry"),
    ],
)
def test_terms_out_of_bounds_are_refused(scene: ModelScene, terms: Terms, error: str) -> None:
    assert refused(scene, "town-bank", binding.propose_calldata("P", PARTIES, terms)) == error
    id_ = scene.agreed()
    assert refused(scene, "town-bank", binding.amend_calldata(id_, 0, terms)) == error


def test_a_number_is_used_once(scene: ModelScene) -> None:
    data = binding.propose_calldata("P-1", PARTIES, TERMS)
    scene.models("town-bank", data)
    assert refused(scene, "town-bank", data) == "RecordExists"
    id_ = record_id(RecordKind.PROJECT, CHAIN_ID, "town-bank", "P-1")
    assert id_ != record_id(RecordKind.PROJECT, CHAIN_ID, "machine-works", "P-1")
    assert id_ != record_id(RecordKind.DATA_SET, CHAIN_ID, "town-bank", "P-1")
    assert scene.state(id_) == "proposed"


def test_a_proposal_is_refused_by_a_party_or_withdrawn_by_its_maker(scene: ModelScene) -> None:
    first, second = scene.proposed(), scene.proposed()
    withdraw = binding.withdraw_calldata(first, 0)
    assert refused(scene, "machine-works", withdraw) == "NotEntitled"
    scene.models("town-bank", withdraw)
    scene.models("machine-works", binding.refuse_calldata(second, 0, "too dear"))
    assert [scene.state(first), scene.state(second)] == ["withdrawn", "refused"]
    seen = terms_digest(second, 1, PARTIES, TERMS)
    assert refused(scene, "power-house", binding.accept_calldata(second, 0, seen)) == "WrongState"


def test_a_project_without_fixed_shares_is_by_contribution(scene: ModelScene) -> None:
    id_ = scene.agreed(replace(TERMS, shares=()))
    known = scene.project(id_)
    assert known.terms is not None
    assert known.terms.shares == ()


# ---- data ---------------------------------------------------------------------------------------


def data_set(owner: str = "machine-works", **changes: object) -> DataSet:
    made = DataSet(owner, "D", digest("schema"), 10, digest("rows"), digest("quality"))
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_data_set_is_its_owners_and_is_superseded_or_taken_back(scene: ModelScene) -> None:
    first = scene.data_set("machine-works")
    stranger = binding.register_calldata(data_set("power-house", number="X", replaces=first))
    assert refused(scene, "power-house", stranger) == "NotEntitled"
    second = scene.data_set("machine-works", replaces=first)
    assert [scene.state(first), scene.state(second)] == ["superseded", "registered"]
    again = binding.register_calldata(data_set(number="Y", replaces=first))
    assert refused(scene, "machine-works", again) == "WrongState"
    remove = binding.remove_calldata(second, 0)
    assert refused(scene, "power-house", remove) == "NotEntitled"
    scene.models("machine-works", remove)
    scene.models("machine-works", binding.remove_calldata(first, 0))
    assert [scene.state(first), scene.state(second)] == ["withdrawn", "withdrawn"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"owner": "town-bank"}, "InvalidEntry"),
        ({"rows": 0}, "InvalidEntry"),
        ({"rows": (1 << 40) + 1}, "InvalidEntry"),
        ({"schema": Hash32(bytes(32))}, "HashMissing"),
        ({"commitment": Hash32(bytes(32))}, "HashMissing"),
        ({"quality": Hash32(bytes(32))}, "HashMissing"),
        ({"replaces": digest("nothing")}, "UnknownRecord"),
    ],
)
def test_a_data_set_is_whole(scene: ModelScene, changes: dict[str, object], error: str) -> None:
    data = binding.register_calldata(data_set(**changes))
    assert refused(scene, "machine-works", data) == error


def test_fields_are_given_by_their_owner_to_a_project_of_its_own(scene: ModelScene) -> None:
    project, proposed = scene.agreed(), scene.proposed()
    mine, others = scene.data_set("machine-works"), scene.data_set("power-house")
    old = scene.data_set("machine-works")
    scene.data_set("machine-works", replaces=old)
    stranger = scene.data_set("other-bank")
    good = Grant("machine-works", "G", mine, project, digest("fields"), BEGIN + 50 * DAY)
    for by, grant, error in (
        ("machine-works", good, None),
        ("power-house", good, "InvalidEntry"),
        ("machine-works", replace(good, data_set=others), "InvalidEntry"),
        ("machine-works", replace(good, data_set=old), "InvalidEntry"),
        ("machine-works", replace(good, project=proposed), "ProjectNotOpen"),
        ("machine-works", replace(good, project=digest("none")), "InvalidEntry"),
        ("other-bank", replace(good, owner="other-bank", data_set=stranger), "InvalidEntry"),
        ("machine-works", replace(good, fields=Hash32(bytes(32))), "HashMissing"),
        ("machine-works", replace(good, until=BEGIN), "InvalidEntry"),
    ):
        assert refused(scene, by, binding.give_calldata(grant)) == error, grant
    id_ = scene.grant(project, "machine-works", mine)
    revoke = binding.revoke_calldata(id_, 0, "no longer")
    assert refused(scene, "town-bank", revoke) == "NotEntitled"
    scene.models("machine-works", revoke)
    assert scene.state(id_) == "revoked"
    assert refused(scene, "machine-works", revoke) == "WrongState"


def test_a_closed_or_past_project_takes_no_grants(scene: ModelScene) -> None:
    closed, past = scene.agreed(), scene.agreed(replace(TERMS, until=BEGIN + DAY))
    data = scene.data_set("machine-works")
    scene.models("power-house", binding.close_calldata(closed, 0))
    scene.wait(2 * DAY)
    for project in (closed, past):
        until = scene.chain.time + DAY
        grant = Grant("machine-works", "G", data, project, digest("fields"), until)
        assert refused(scene, "machine-works", binding.give_calldata(grant)) == "ProjectNotOpen"


def test_refusals_are_told_in_words(scene: ModelScene) -> None:
    id_ = scene.agreed()
    grant = Grant("machine-works", "G", digest("x"), id_, digest("f"), BEGIN + DAY)
    words = scene.words("machine-works", MODELS_ADDRESS, binding.give_calldata(grant))
    assert words == "dataSet is missing, out of its bounds, or not the caller's to name"
    wrong = replace(TERMS, shares=(1, 2, 3))
    words = scene.words("town-bank", MODELS_ADDRESS, binding.amend_calldata(id_, 0, wrong))
    assert words == "the parties' shares make 6 bp, not 10000"
    words = scene.words("grain-store", MODELS_ADDRESS, binding.close_calldata(id_, 0))
    assert words.startswith(f"close of 0x{id_.hex()} is not for grain-store: it is for the party")
