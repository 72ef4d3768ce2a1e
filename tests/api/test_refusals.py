"""Which status a contract's error is told with: its name decides."""

from __future__ import annotations

import pytest

from api.operations.errors import Refused
from api.operations.refusing import FULL_OR_OTHERWISE, NOT_THEIRS, STALE, refused_as
from contracts.refusals import refusal_names

pytestmark = pytest.mark.feature("A1")


@pytest.mark.parametrize(
    ("status", "names"),
    [
        (403, ("NotAuthority", "NotEntitled", "CallerNotActive", "NotParty")),
        (409, ("AlreadyPledged", "StillLive", "WrongState", "TooManyFreezes", "OfferDiffers")),
        (409, ("WrongPeriod", "WrongDate", "PledgeDiffers", "NotClaimed", "TooManyHolders")),
        (412, ("StaleRevision", "StaleDeal", "StaleCollections")),
        (422, ("InvalidNumber", "UnknownLot", "RemarkTooLong", "DecisionMissing", "OutOfBounds")),
        (422, ("TooManyKeys", "WrongKeys", "WrongLegs", "WrongPaymentCount", "ZeroKey")),
    ],
)
def test_an_errors_name_says_its_status(status: int, names: tuple[str, ...]) -> None:
    for name in names:
        problem = refused_as(name, "why")
        assert (problem.status, problem.refusal) == (status, name)
        assert problem.members["refusal"] == name


def test_what_has_no_name_is_about_the_record() -> None:
    assert refused_as(None, "why").status == 409
    assert isinstance(refused_as("NeverHeardOf", "why"), Refused)


def test_whatever_is_stale_is_told_as_a_precondition_that_failed() -> None:
    """A contract that compares revisions later on is not forgotten here."""
    names = refusal_names()
    assert {name for name in names if name.startswith("Stale")} == STALE
    assert names >= FULL_OR_OTHERWISE | NOT_THEIRS, "nothing stands here that no contract says"
