"""The rows that all have, in one secret order; own ids that cannot be aligned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.alignment import (
    AlignmentError,
    AlignmentSettings,
    CommonTooFew,
    IdsInvalid,
    SettingsInvalid,
    align_as_guest,
)
from federation.alignment.types import CHUNK_ROWS
from federation.channel import MessageInvalid, PartyGone, local_channels
from tests.federation.alignment.parties import GUEST, SMALL, align, guest_part, host_part, run_parts

pytestmark = pytest.mark.feature("D2")

identifiers = st.text(min_size=1, max_size=4, alphabet=st.characters(exclude_categories=["Cs"]))


def aligned_ids(sets: list[list[str]], results: list[object]) -> list[list[str]]:
    """The ids that each party's rows stand for."""
    ids = []
    for one, rows in zip(sets, results, strict=True):
        assert isinstance(rows, np.ndarray), rows
        assert rows.dtype == np.int64
        ids.append([one[row] for row in rows])
    return ids


@given(
    st.lists(st.lists(identifiers, unique=True, max_size=30), min_size=2, max_size=4),
    st.sampled_from([1, 8]),
)
@settings(max_examples=25)
def test_the_result_is_the_plain_intersection_in_one_order(
    sets: list[list[str]], pad_to: int
) -> None:
    results = align(sets, settings=AlignmentSettings(threads=1, pad_to=pad_to))
    each = aligned_ids(sets, results)
    assert all(ids == each[0] for ids in each)
    assert len(set(each[0])) == len(each[0])
    assert set(each[0]) == set.intersection(*map(set, sets))


@pytest.mark.parametrize("hosts", [1, 2])
def test_sets_of_several_chunks_are_aligned(hosts: int) -> None:
    rows = CHUNK_ROWS + 3
    sets = [[str(n) for n in range(k * 50, k * 50 + rows + k)] for k in range(hosts + 1)]
    each = aligned_ids(sets, align(sets))
    assert all(ids == each[0] for ids in each)
    assert set(each[0]) == {str(n) for n in range(hosts * 50, rows)}


def test_ids_are_compared_as_written() -> None:
    sets = [["\u00c9", "a", "1"], ["E\u0301", "A", "01", "1 "]]
    assert aligned_ids(sets, align(sets)) == [[], []]


def test_the_order_has_nothing_to_do_with_ids_or_rows_and_changes() -> None:
    ids = [f"{n:04}" for n in range(500)]
    orders = []
    for _ in range(2):
        guest, host = align([ids, ids])
        assert isinstance(guest, np.ndarray)
        assert isinstance(host, np.ndarray)
        assert np.array_equal(guest, host)
        assert abs(np.corrcoef(guest, np.arange(500))[0, 1]) < 0.25
        orders.append(guest.tolist())
    assert orders[0] != orders[1]


def test_progress_tells_both_stages_to_the_end() -> None:
    seen: list[tuple[str, int, int]] = []
    rows = CHUNK_ROWS + 1
    ids = [str(n) for n in range(rows)]
    run_parts(
        {
            GUEST: lambda channel: align_as_guest(
                channel, ["host1"], ids, SMALL, progress=lambda *one: seen.append(one)
            ),
            "host1": host_part(ids),
        }
    )
    own = [(done, of) for stage, done, of in seen if stage == "own"]
    assert own == [(CHUNK_ROWS, rows), (rows, rows)]
    assert [done for stage, done, _ in seen if stage == "theirs"] == [CHUNK_ROWS, rows]


@pytest.mark.parametrize(
    ("ids", "reason"),
    [
        (["secret-7", "b", "secret-7"], "row 2: the same id as in row 0"),
        (["a", ""], "row 1"),
        (["a", "secret-7" * 200], "row 1"),
        (["\ud800"], "row 0"),
        ([str(n) for n in range(11)], "at most 10"),
    ],
)
def test_own_ids_that_cannot_be_aligned_are_refused_without_naming_them(
    ids: list[str], reason: str
) -> None:
    channel = local_channels("0x01", [GUEST, "host1"])[GUEST]
    with pytest.raises(IdsInvalid, match=reason) as refused:
        align_as_guest(channel, ["host1"], ids, AlignmentSettings(rows_max=10))
    assert "secret" not in str(refused.value)
    assert channel.traffic.sent_bytes == 0


@pytest.mark.parametrize("hosts", [[], ["host1", "host1"], ["stranger"], [GUEST]])
def test_the_hosts_are_others_of_the_run_each_once(hosts: list[str]) -> None:
    channel = local_channels("0x01", [GUEST, "host1"])[GUEST]
    with pytest.raises(AlignmentError):
        align_as_guest(channel, hosts, ["a"])


@pytest.mark.parametrize(
    "wrong",
    [
        {"rows_max": 0},
        {"rows_max": 1 << 40},
        {"pad_to": 0},
        {"pad_to": 11, "rows_max": 10},
        {"common_min": -1},
        {"threads": 0},
    ],
)
def test_settings_out_of_bounds_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(SettingsInvalid):
        AlignmentSettings(**wrong)


def test_a_party_that_brings_more_rows_than_agreed_is_named() -> None:
    few = AlignmentSettings(rows_max=2, threads=1)
    many = ["a", "b", "c"]
    results = run_parts({GUEST: guest_part(["host1"], ["a"], few), "host1": host_part(many)})
    error = results[GUEST]
    assert isinstance(error, MessageInvalid)
    assert error.party == "host1"
    results = run_parts({GUEST: guest_part(["host1"], many), "host1": host_part(["a"], few)})
    error = results["host1"]
    assert isinstance(error, MessageInvalid)
    assert error.party == GUEST


def test_too_few_common_rows_are_refused_by_whoever_asks_for_more() -> None:
    strict = AlignmentSettings(threads=1, common_min=3)
    ids = [["a", "b", "c"], ["b", "c", "d"]]
    results = run_parts({GUEST: guest_part(["host1"], ids[0], strict), "host1": host_part(ids[1])})
    assert isinstance(results[GUEST], CommonTooFew)
    assert isinstance(results["host1"], PartyGone)
    results = run_parts({GUEST: guest_part(["host1"], ids[0]), "host1": host_part(ids[1], strict)})
    assert isinstance(results["host1"], CommonTooFew)
    assert isinstance(results[GUEST], PartyGone)


def sizes_sent(sets: list[list[str]], *, pad_to: int) -> tuple[int, ...]:
    """The sizes of the guest's messages, in order."""
    seen: list[tuple[str, int]] = []
    align(
        sets,
        settings=AlignmentSettings(threads=1, pad_to=pad_to),
        tap=lambda sender, _, data: seen.append((sender, len(data))),
    )
    return tuple(size for sender, size in seen if sender == GUEST)


def test_padding_hides_how_many_rows_a_party_has() -> None:
    sizes = set()
    for rows in (1, 9, 16):
        sizes.add(sizes_sent([[str(n) for n in range(rows)], ["x"]], pad_to=16))
    assert len(sizes) == 1
