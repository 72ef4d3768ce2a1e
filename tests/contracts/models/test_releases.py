"""Releases, what their use costs and earns, and who has paid."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.genesis import DEPOSITS_ADDRESS
from contracts.instruments.viewer import Viewer
from contracts.models import (
    MODEL_RELEASES_ADDRESS,
    Calls,
    Due,
    Mark,
    Mode,
    binding,
    contribution_digest,
    decode_releases_log,
    parts_of,
)
from contracts.models.events import CallsCounted, CallsDisputed, PaymentActed, ReleaseActed
from contracts.settlement import (
    AccountQuery,
    choose_home_calldata,
    issue_calldata,
    list_accounts,
    set_limit_calldata,
)
from ledger.types import Hash32
from tests.contracts.models.scene import NAMES, TERMS, ModelScene, digest, projected
from tests.contracts.scene import told

pytestmark = [pytest.mark.feature("D6"), pytest.mark.feature("D1")]
BY_CONTRIBUTION = replace(TERMS, shares=())


@pytest.fixture
def scene() -> ModelScene:
    return ModelScene()


def refused(scene: ModelScene, by: str, data: bytes) -> str | None:
    return scene.refusal(by, MODEL_RELEASES_ADDRESS, data)


# ---- releases -----------------------------------------------------------------------------------


def test_a_release_is_live_once_every_party_has_approved(scene: ModelScene) -> None:
    _, run = scene.trained()
    draft = scene.release_draft(run)
    for wrong, error in (
        (replace(draft, shares=draft.shares[:2]), "InvalidEntry"),
        (replace(draft, shares=tuple(reversed(draft.shares))), "InvalidEntry"),
        (replace(draft, card=Hash32(bytes(32))), "HashMissing"),
        (replace(draft, metrics=Hash32(bytes(32))), "HashMissing"),
        (
            replace(
                draft, shares=(replace(draft.shares[0], model=Hash32(bytes(32))), *draft.shares[1:])
            ),
            "HashMissing",
        ),
    ):
        assert refused(scene, "town-bank", binding.offer_calldata(wrong)) == error
    assert refused(scene, "other-bank", binding.offer_calldata(draft)) == "NotEntitled"
    id_ = scene.offered(run, "machine-works")
    approve = binding.approve_calldata(id_, 0)
    assert refused(scene, "machine-works", approve) == "DoneAlready"
    assert refused(scene, "market-office", approve) == "NotEntitled"
    scene.releases("town-bank", approve)
    assert scene.state(id_) == "offered"
    receipt = scene.releases("power-house", approve)
    *_, last = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    assert isinstance(last, ReleaseActed)
    assert (last.act, last.state, last.release.approved) == ("go-live", "live", (0, 1, 2))
    assert last.release.live == scene.chain.time


def test_a_release_is_rejected_or_retired_by_any_party(scene: ModelScene) -> None:
    _, run = scene.trained()
    offered, live = scene.offered(run), scene.approved(run)
    scene.releases("power-house", binding.reject_calldata(offered, 0, "not so"))
    scene.releases("machine-works", binding.retire_calldata(live, 0))
    assert [scene.state(offered), scene.state(live)] == ["rejected", "retired"]
    approve = binding.approve_calldata(offered, 0)
    assert refused(scene, "machine-works", approve) == "WrongState"


def test_a_revoked_grant_is_released_no_more(scene: ModelScene) -> None:
    project = scene.agreed()
    grants = scene.grants(project)
    run = scene.completed(scene.run_draft(project, grants))
    scene.models("machine-works", binding.revoke_calldata(grants[1], 0))
    offer = binding.offer_calldata(scene.release_draft(run))
    assert refused(scene, "town-bank", offer) == "GrantNotGood"


def test_a_project_has_one_champion(scene: ModelScene) -> None:
    _, run = scene.trained()
    first, second = scene.approved(run), scene.approved(run)
    champion = binding.mark_calldata(first, 0, Mark.CHAMPION)
    assert refused(scene, "machine-works", champion) == "NotEntitled"  # it has no label
    scene.releases("town-bank", champion)
    scene.releases("town-bank", binding.mark_calldata(second, 0, Mark.CHALLENGER))
    receipt = scene.releases("town-bank", binding.mark_calldata(second, 0, Mark.CHAMPION))
    events = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    marks = {one.id: one.release.mark for one in events if isinstance(one, ReleaseActed)}
    assert marks == {first: Mark.NONE, second: Mark.CHAMPION}
    scene.releases("power-house", binding.retire_calldata(second, 0))
    receipt = scene.releases("town-bank", champion)
    (event,) = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    assert isinstance(event, ReleaseActed)
    assert (event.id, event.release.mark) == (first, Mark.CHAMPION)


# ---- use ----------------------------------------------------------------------------------------


def test_no_call_and_no_period_is_counted_twice(scene: ModelScene) -> None:
    _, release = scene.live()
    scene.wait(1_000)
    first = replace(scene.calls(release, 10), since=scene.chain.time - 500)
    scene.counted(first)
    again = replace(first, number="again")
    scene.wait(100)
    later = scene.calls(release, 5, first=11)
    for calls, error in (
        (again, "WrongSequence"),
        (replace(first, first=11, number="b"), "PeriodTaken"),
        (replace(later, first=10), "WrongSequence"),
        (replace(later, first=12), "WrongSequence"),
        (replace(later, since=first.until - 1), "PeriodTaken"),
        (replace(later, until=later.since), "InvalidEntry"),
        (replace(later, until=scene.chain.time + 1_000), "InvalidEntry"),
        (replace(later, count=0), "InvalidEntry"),
        (replace(later, root=Hash32(bytes(32))), "HashMissing"),
        (replace(later, release=digest("none")), "UnknownRecord"),
        (replace(later, number=first.number), "RecordExists"),
    ):
        assert refused(scene, "town-bank", binding.count_calldata(calls)) == error, calls
    assert refused(scene, "other-bank", binding.count_calldata(later)) == "NotEntitled"
    scene.counted(replace(later, since=first.until))
    # Another mode, and another asker, have lines of their own.
    scene.counted(scene.calls(release, 3, mode=Mode.ONLINE))
    scene.counted(scene.calls(release, 3), by="machine-works")


def test_calls_are_counted_while_and_for_the_time_that_it_was_live(scene: ModelScene) -> None:
    _, run = scene.trained()
    offered = scene.offered(run)
    early = binding.count_calldata(scene.calls(offered, 1))
    assert refused(scene, "town-bank", early) == "UnknownRecord"
    before = scene.chain.time
    for name in NAMES[1:]:
        scene.releases(name, binding.approve_calldata(offered, 0))
    scene.wait(100)
    calls = replace(scene.calls(offered, 1), since=before)
    assert refused(scene, "town-bank", binding.count_calldata(calls)) == "PeriodTaken"
    scene.releases("machine-works", binding.retire_calldata(offered, 0))
    retired = scene.chain.time
    scene.wait(100)
    late = replace(scene.calls(offered, 1), since=retired - 10, until=retired + 1)
    assert refused(scene, "town-bank", binding.count_calldata(late)) == "InvalidEntry"
    scene.counted(replace(late, until=retired))


def test_the_price_is_that_of_the_terms_in_force(scene: ModelScene) -> None:
    project, release = scene.live()
    scene.wait(100)
    scene.counted(scene.calls(release, 10))
    scene.amend(project, replace(TERMS, price=100, shares=(0, 10_000, 0)))
    scene.wait(100)
    scene.counted(scene.calls(release, 10, first=11))
    assert scene.due(project, "town-bank", "machine-works").accrued == 185 + 1_000
    assert scene.due(project, "town-bank", "power-house").accrued == 111
    assert scene.due(project, "town-bank", "town-bank") == Due()
    dear = replace(TERMS, price=1 << 100)
    scene.amend(project, dear)
    scene.wait(100)
    beyond = binding.count_calldata(scene.calls(release, 2, first=21))
    assert refused(scene, "town-bank", beyond) == "InvalidEntry"


def test_another_party_puts_its_own_count_beside_a_batch(scene: ModelScene) -> None:
    project, release = scene.live()
    scene.wait(100)
    batch = scene.counted(scene.calls(release, 10))
    dispute = binding.dispute_calldata(batch, 0, 12, digest("my log"), "two are missing")
    assert refused(scene, "town-bank", dispute) == "NotEntitled"
    assert refused(scene, "other-bank", dispute) == "NotEntitled"
    same = binding.dispute_calldata(batch, 0, 10, digest("my log"))
    assert refused(scene, "machine-works", same) == "InvalidEntry"
    receipt = scene.releases("machine-works", dispute)
    (event,) = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    assert isinstance(event, CallsDisputed)
    assert (event.by, event.count, event.project) == ("machine-works", 12, project)
    assert refused(scene, "machine-works", dispute) == "DoneAlready"
    scene.releases("power-house", binding.dispute_calldata(batch, 2, 11, digest("log")))
    assert scene.state(batch) == "disputed"
    assert scene.due(project, "town-bank", "machine-works").accrued == 185  # as it was counted


# ---- contribution -------------------------------------------------------------------------------


def test_by_contribution_nothing_is_shared_before_all_have_approved_the_same(
    scene: ModelScene,
) -> None:
    project, release = scene.live(scene.agreed(BY_CONTRIBUTION))
    scene.wait(100)
    calls = scene.calls(release, 100)
    count = binding.count_calldata(calls)
    assert refused(scene, "town-bank", count) == "ContributionMissing"
    shares, evidence = (1_000, 6_000, 3_000), digest("shapley")
    for wrong, error in (
        ((5_000, 5_000), "InvalidEntry"),
        ((5_000, 5_000, 5_000), "SharesDiffer"),
    ):
        data = binding.attribute_calldata(release, 0, wrong, evidence)
        assert refused(scene, "town-bank", data) == error
    scene.releases("town-bank", binding.attribute_calldata(release, 0, shares, evidence))
    other = contribution_digest(release, 1, (6_000, 1_000, 3_000), evidence)
    concur = binding.concur_calldata
    assert refused(scene, "machine-works", concur(release, 0, other)) == "TermsDiffer"
    seen = contribution_digest(release, 1, shares, evidence)
    scene.releases("machine-works", concur(release, 0, seen))
    assert refused(scene, "town-bank", count) == "ContributionMissing"
    scene.releases("power-house", concur(release, 0, seen))
    assert refused(scene, "power-house", concur(release, 0, seen)) == "NothingProposed"
    scene.counted(calls)
    assert scene.due(project, "town-bank", "machine-works").accrued == 2_220
    # A later one holds once all have approved it.
    fresh = (0, 0, 10_000)
    scene.releases("power-house", binding.attribute_calldata(release, 0, fresh, evidence))
    scene.wait(100)
    scene.counted(scene.calls(release, 100, first=101))
    assert scene.due(project, "town-bank", "machine-works").accrued == 4_440


@pytest.mark.feature("D6")
@given(st.integers(0, 1 << 110), st.lists(st.integers(0, 10_000), min_size=1, max_size=16))
def test_parts_always_make_the_amount(amount: int, weights: list[int]) -> None:
    cuts = sorted(min(one, 10_000) for one in weights[1:])
    shares = [b - a for a, b in zip([0, *cuts], [*cuts, 10_000], strict=True)]
    parts = parts_of(amount, shares)
    assert sum(parts) == amount
    for part, share in zip(parts, shares, strict=True):
        assert abs(part * 10_000 - amount * share) < 10_000


# ---- payment ------------------------------------------------------------------------------------


def test_what_is_paid_outside_is_settled_when_the_payee_confirms(scene: ModelScene) -> None:
    project, release = scene.live()
    scene.wait(100)
    scene.counted(scene.calls(release, 100))  # 1,850 to the works
    tell = binding.tell_calldata
    for payment, error in (
        (scene.payment(project, 1_851), "Overpaid"),
        (scene.payment(project, 0), "InvalidEntry"),
        (scene.payment(project, 1, payee="other-bank"), "Overpaid"),
        (scene.payment(project, 1, by="machine-works"), "InvalidEntry"),
        (replace(scene.payment(project, 1), currency="USD"), "Overpaid"),
        (replace(scene.payment(project, 1), settled=None), "HashMissing"),
    ):
        assert refused(scene, "town-bank", tell(payment)) == error, payment
    first = scene.told(scene.payment(project, 1_000))
    assert refused(scene, "town-bank", tell(scene.payment(project, 851))) == "Overpaid"
    second = scene.told(scene.payment(project, 850))
    assert refused(scene, "town-bank", binding.confirm_calldata(first, 0)) == "NotEntitled"
    scene.releases("machine-works", binding.confirm_calldata(first, 0))
    scene.releases("machine-works", binding.deny_calldata(second, 0, "not come in"))
    assert [scene.state(first), scene.state(second)] == ["confirmed", "denied"]
    assert scene.due(project, "town-bank", "machine-works") == Due(1_850, 1_000, 0)
    assert refused(scene, "machine-works", binding.confirm_calldata(second, 0)) == "WrongState"


def test_what_is_owed_is_paid_out_of_a_deposit(scene: ModelScene) -> None:
    project, release = scene.live()
    scene.act("machine-works", DEPOSITS_ADDRESS, choose_home_calldata("other-bank", "CNY"))
    scene.act("other-bank", DEPOSITS_ADDRESS, set_limit_calldata("town-bank", "CNY", 1_000))
    scene.wait(100)
    scene.counted(scene.calls(release, 100))
    payment = replace(scene.payment(project, 1_850), settled=None)
    pay = binding.pay_calldata
    assert refused(scene, "town-bank", pay(payment, "town-bank")) == "LimitExceeded"
    assert scene.due(project, "town-bank", "machine-works") == Due(1_850)
    scene.act("other-bank", DEPOSITS_ADDRESS, set_limit_calldata("town-bank", "CNY", 5_000))
    named = replace(payment, settled=digest("x"))
    assert refused(scene, "town-bank", pay(named, "town-bank")) == "InvalidEntry"
    receipt = scene.releases("town-bank", pay(payment, "town-bank"))
    events = [decode_releases_log(log) for log in told(receipt, MODEL_RELEASES_ADDRESS)]
    (paid,) = [one for one in events if isinstance(one, PaymentActed)]
    assert (paid.act, paid.state, paid.payment.amount) == ("pay", "confirmed", 1_850)
    assert paid.payment.settled is not None
    assert scene.due(project, "town-bank", "machine-works") == Due(1_850, 1_850, 0)
    assert refused(scene, "town-bank", pay(payment, "town-bank")) == "Overpaid"
    tables = projected(scene)
    with tables.engine.connect() as connection:
        query = AccountQuery(limit=10)
        accounts = list_accounts(connection, query, Viewer.everything()).items
        held = {one.account.owner: one.account.balance for one in accounts}
    assert held == {"machine-works": 1_850}


def test_a_customer_pays_its_part_out_of_its_deposit(scene: ModelScene) -> None:
    project, release = scene.live()
    scene.act("other-bank", DEPOSITS_ADDRESS, issue_calldata("machine-works", "CNY", 700, "I-1"))
    scene.act("power-house", DEPOSITS_ADDRESS, choose_home_calldata("other-bank", "CNY"))
    scene.wait(100)
    scene.counted(scene.calls(release, 100), by="machine-works")  # 1,110 to the power house
    payment = scene.payment(project, 1_110, payee="power-house", by="machine-works")
    pay = binding.pay_calldata(replace(payment, settled=None), "other-bank")
    assert refused(scene, "machine-works", pay) == "Insufficient"
    less = binding.pay_calldata(replace(payment, settled=None, amount=700), "other-bank")
    scene.releases("machine-works", less)
    due = scene.due(project, "machine-works", "power-house")
    assert (due.outstanding, due.paid) == (410, 700)


def test_the_log_of_a_batch_says_what_each_party_gets(scene: ModelScene) -> None:
    _, release = scene.live()
    scene.wait(100)
    calls: Calls = scene.calls(release, 7)
    receipt = scene.releases("town-bank", binding.count_calldata(calls, "July"))
    event = decode_releases_log(told(receipt, MODEL_RELEASES_ADDRESS)[0])
    assert isinstance(event, CallsCounted)
    assert (event.batch.calls, event.batch.price, event.remark) == (calls, 37, "July")
    assert event.amounts == (51, 130, 78)
