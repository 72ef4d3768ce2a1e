"""What a tap of the channels sees of an alignment: nothing of an id, nothing twice."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import numpy as np
import pytest

from federation.alignment.curve import Hasher
from federation.alignment.own import ID_TAG, OwnSet
from federation.channel import decode
from tests.federation.alignment.parties import SMALL, align

pytestmark = pytest.mark.feature("D4")

COMMON = [f"91310000MA1FL{n:05}" for n in range(40)]
GUEST_IDS = [*COMMON, *(f"guest-only-{n:05}" for n in range(20))]
HOST_IDS = [*(f"host-only-{n:05}" for n in range(30)), *COMMON]


def record(sets: list[list[str]]) -> list[tuple[str, str, bytes]]:
    seen: list[tuple[str, str, bytes]] = []
    results = align(sets, tap=lambda sender, to, data: seen.append((sender, to, data)))
    assert all(isinstance(rows, np.ndarray) and len(rows) == len(COMMON) for rows in results)
    return seen


def encodings(identifier: str) -> Iterator[bytes]:
    """An id as somebody might have let it slip."""
    plain = identifier.encode()
    yield from (plain, identifier.encode("utf-16-le"), identifier.encode("utf-16-be"))
    yield from (plain[::-1], plain.hex().encode(), plain.hex().upper().encode())
    yield from (
        base64.b64encode(plain).rstrip(b"=")[:-1],
        base64.b32encode(plain).rstrip(b"=")[:-1],
    )
    for name in ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b"):
        digest = hashlib.new(name, plain)
        yield from (digest.digest()[:16], digest.hexdigest()[:16].encode())


def test_no_id_is_in_the_transcript_in_any_encoding() -> None:
    whole = b"".join(data for _, _, data in record([GUEST_IDS, HOST_IDS, HOST_IDS]))
    for identifier in (*GUEST_IDS, *HOST_IDS):
        for encoded in encodings(identifier):
            assert encoded not in whole, identifier


def test_no_hash_of_an_id_under_the_salt_is_in_the_transcript_without_a_secret() -> None:
    seen = record([GUEST_IDS, HOST_IDS])
    session = next(
        one.body["session"]
        for one in map(decode, (data for _, _, data in seen))
        if "session" in one.body
    )
    assert isinstance(session, bytes)
    whole = b"".join(data for _, _, data in seen)
    hasher = Hasher(ID_TAG)
    for identifier in (*GUEST_IDS, *HOST_IDS):
        assert hasher.point(session + identifier.encode())[:16] not in whole
        assert hashlib.sha256(session + identifier.encode()).digest()[:16] not in whole


def points_of(seen: list[tuple[str, str, bytes]]) -> list[bytes]:
    points = []
    for _, _, data in seen:
        for key in ("points", "tags"):
            array = decode(data).body.get(key)
            if isinstance(array, np.ndarray):
                points += [row.tobytes()[:16] for row in array]
    return points


def test_two_runs_share_no_point_and_a_run_shows_none_twice() -> None:
    first, second = (points_of(record([GUEST_IDS, HOST_IDS])) for _ in range(2))
    assert len(first) == len(second) == 2 * len(GUEST_IDS) + len(HOST_IDS)
    assert len(set(first)) == len(first)
    assert not set(first) & set(second)


def test_a_host_sees_no_point_of_another_host_that_the_guest_has_not_masked() -> None:
    """A guest who passed raw sets on would let two hosts compare behind its back."""
    seen = record([GUEST_IDS, HOST_IDS, HOST_IDS])
    uploaded = points_of([one for one in seen if decode(one[2]).kind == "psi/points"])
    passed = points_of([one for one in seen if decode(one[2]).kind == "psi/pass"])
    assert uploaded
    assert not set(uploaded) & set(passed)


def test_own_points_go_out_in_a_secret_order_of_the_rows() -> None:
    ids = [one.encode() for one in COMMON]
    orders = []
    for _ in range(2):
        own = OwnSet(ids, SMALL, b"session")
        hasher = Hasher(ID_TAG)
        rows = {hasher.point(b"session" + one): row for row, one in enumerate(ids)}
        (points,) = own.chunks()
        order = [rows[point.tobytes()] for point in points]
        assert sorted(order) == list(range(len(ids)))
        told = own.rows(np.arange(len(ids)))
        assert told is not None
        assert told.tolist() == order
        orders.append(order)
    assert orders[0] != orders[1]
    assert list(range(len(ids))) not in orders


def positions_of(seen: list[tuple[str, str, bytes]], kind: str, party: str) -> list[list[int]]:
    """The positions in each message of this kind to or from the party."""
    found = []
    for sender, to, data in seen:
        message = decode(data)
        positions = message.body.get("positions")
        if message.kind == kind and party in (sender, to) and isinstance(positions, np.ndarray):
            found.append(positions.tolist())
    return found


@pytest.mark.parametrize("hosts", [1, 2])
def test_every_host_shuffles_every_set_that_passes_it(hosts: int) -> None:
    """Else the guest would know which rows it shares with a single host."""
    seen = record([GUEST_IDS, *[HOST_IDS] * hosts])
    for n in range(1, hosts + 1):
        asked = positions_of(seen, "psi/common", f"host{n}")
        told = positions_of(seen, "psi/origin", f"host{n}")
        assert len(asked) == len(told) == hosts
        for shuffled, origin in zip(asked, told, strict=True):
            assert shuffled != origin
            assert len(set(shuffled)) == len(set(origin)) == len(COMMON)


def test_what_a_host_is_told_of_its_own_set_is_in_no_order() -> None:
    seen = record([COMMON, COMMON])
    (rows,) = positions_of(seen, "psi/rows", "host1")
    assert sorted(rows) == list(range(len(COMMON)))
    assert rows != list(range(len(COMMON)))
