"""How a pool ends: what investors are owed is repaid first, or truly lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from contracts.genesis import POOL_BOOK_ADDRESS, RECEIVABLES_ADDRESS
from contracts.pools import binding
from ledger.types import Hash32
from tests.contracts.pools.scene import FIRST, PoolScene, collection, day, digest, receivable

pytestmark = pytest.mark.feature("F7")
OWED = 950_007_01
SECOND = FIRST + timedelta(days=1)


@pytest.fixture
def scene() -> PoolScene:
    return PoolScene()


def close(scene: PoolScene, id_: Hash32, by: str = "trust-house") -> str | None:
    return scene.refusal(by, POOL_BOOK_ADDRESS, binding.close_calldata(id_))


def distributed(scene: PoolScene, id_: Hash32, principal: int) -> None:
    """The first period, all of it confirmed."""
    scene.commit(id_, FIRST, day())
    scene.collect(id_, collection(f"p {id_.hex()}", principal, 20_000_00))
    scene.distribute(id_, 1, FIRST)
    confirmed(scene, id_)


def confirmed(scene: PoolScene, id_: Hash32) -> None:
    for number in range(1, scene.account(id_).payments + 1):
        if scene.payment(id_, number).settled is None:
            done = binding.confirm_calldata(id_, number, digest(f"{id_.hex()} {number}"))
            assert scene.cash("trust-house", done).status == 1


def test_a_trustee_does_not_close_while_principal_is_owed(scene: PoolScene) -> None:
    fresh = scene.active()
    scene.commit(fresh, FIRST, day())
    assert close(scene, fresh) == "PrincipalOwed"
    distributed(scene, fresh, OWED - 1)
    assert scene.account(fresh).unconfirmed == 0
    assert close(scene, fresh) == "PrincipalOwed"


def test_a_pool_that_never_began_is_closed_once_nothing_stands_in_it(scene: PoolScene) -> None:
    """No state was ever committed: what it would share out by does not exist."""
    id_, debt = scene.active(), receivable(scene)
    assert close(scene, id_, "loan-service") == "NotOffice"
    admit = binding.admit_calldata(id_, RECEIVABLES_ADDRESS, [debt])
    assert scene.book("loan-service", admit).status == 1
    assert close(scene, id_) == "PrincipalOwed"  # an instrument stands in it
    dismiss = binding.dismiss_calldata(id_, RECEIVABLES_ADDRESS, [debt], "given back")
    assert scene.book("loan-service", dismiss).status == 1
    scene.collect(id_, collection("too soon", 5_00, 0))
    assert close(scene, id_) == "PoolNotEmpty"
    void = binding.void_collection_calldata(id_, 1, "sent back")
    assert scene.cash("trust-house", void).status == 1
    assert scene.book("trust-house", binding.close_calldata(id_)).status == 1
    late = binding.commit_calldata(id_, FIRST, day())
    assert scene.refusal("loan-service", POOL_BOOK_ADDRESS, late) == "WrongPoolState"


def test_a_pool_ends_once_all_principal_is_repaid_and_its_instruments_go_then(
    scene: PoolScene,
) -> None:
    id_, debt = scene.active(), receivable(scene)
    admit = binding.admit_calldata(id_, RECEIVABLES_ADDRESS, [debt])
    assert scene.book("loan-service", admit).status == 1
    distributed(scene, id_, OWED)
    assert scene.book("trust-house", binding.close_calldata(id_)).status == 1
    late = binding.collect_calldata(id_, collection("late", 1, 0, period=2))
    assert scene.cash("loan-service", late).status == 0
    again = binding.admit_calldata(id_, RECEIVABLES_ADDRESS, [debt])
    assert scene.refusal("loan-service", POOL_BOOK_ADDRESS, again) == "WrongPoolState"
    dismiss = binding.dismiss_calldata(id_, RECEIVABLES_ADDRESS, [debt], "over")
    assert scene.refusal("car-bank", POOL_BOOK_ADDRESS, dismiss) == "NotOffice"
    for by in ("loan-service", "trust-house"):
        assert scene.refusal(by, POOL_BOOK_ADDRESS, dismiss) is None
    assert scene.book("trust-house", dismiss).status == 1


def test_what_is_lost_is_written_off_by_a_distribution_with_nothing_left(scene: PoolScene) -> None:
    id_, debt = scene.active(), receivable(scene)
    admit = binding.admit_calldata(id_, RECEIVABLES_ADDRESS, [debt])
    assert scene.book("loan-service", admit).status == 1
    distributed(scene, id_, 100_000_00)
    nothing = day(performing=0, root="nothing left")
    assert scene.commit(id_, SECOND, nothing).status == 1
    assert close(scene, id_) == "PrincipalOwed"  # nobody has shared out by that state
    scene.distribute(id_, 2, SECOND)
    assert close(scene, id_) == "PrincipalOwed"  # an instrument of this ledger is left
    dismiss = binding.dismiss_calldata(id_, RECEIVABLES_ADDRESS, [debt], "sold")
    assert scene.refusal("trust-house", POOL_BOOK_ADDRESS, dismiss) == "NotOffice"
    assert scene.book("loan-service", dismiss).status == 1
    assert close(scene, id_) is None
    still = day(performing=0, defaulted=1, root="a loan is found again")
    data = binding.correct_calldata(id_, SECOND, still, "forgotten")
    assert scene.book("loan-service", data).status == 1
    assert close(scene, id_) == "PrincipalOwed"
    again = binding.correct_calldata(id_, SECOND, nothing, "it was not")
    assert scene.book("loan-service", again).status == 1
    assert close(scene, id_) == "PrincipalOwed"  # shared out by the first one
    third = SECOND + timedelta(days=1)
    last = day(performing=0, changed=0, root="nothing left")
    assert scene.commit(id_, third, last).status == 1
    scene.distribute(id_, 3, third)
    assert scene.book("trust-house", binding.close_calldata(id_)).status == 1
