"""A party's part as it is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from federation.scorecard import GuestPart, HostPart, PartInvalid, hash_of
from ledger.canonical import canonical_json
from tests.federation.scorecard.parties import fit, invented

pytestmark = pytest.mark.feature("D7")


@pytest.fixture(scope="module")
def parts() -> tuple[GuestPart, HostPart]:
    fitted = fit(invented(rows=300))
    assert fitted.guest is not None
    return fitted.guest, fitted.hosts["host0"]


def test_parts_come_back_from_their_bytes(parts: tuple[GuestPart, HostPart]) -> None:
    guest, host = parts
    assert GuestPart.from_json(guest.to_json()) == guest
    assert HostPart.from_json(host.to_json()) == host
    assert guest.to_json() == canonical_json(json.loads(guest.to_json()))
    assert len(hash_of(guest)) == 32 != hash_of(host)


def test_the_same_data_and_settings_make_the_same_bytes(parts: tuple[GuestPart, HostPart]) -> None:
    again = fit(invented(rows=300))
    assert again.guest is not None
    assert hash_of(again.guest) == hash_of(parts[0])
    assert hash_of(again.hosts["host0"]) == hash_of(parts[1])


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("type",), "tally-scorecard-host"),
        (("version",), 2),
        (("intercept",), 0.5),
        (("more",), 1),
        (("features", 0, "weight"), 1 << 40),
        (("features", 0, "evidence", 0), 1 << 20),
        (("features", 0, "evidence", -1), 5),
        (("features", 0, "groups", 0), 60),
        (("features", 0, "groups"), [0, 1]),
        (("features", 0, "edges"), [2.0, 1.0]),
        (("features", 0, "error"), -1.0),
        (("features", 0, "field"), ""),
    ],
)
def test_what_is_no_part_is_refused(
    parts: tuple[GuestPart, HostPart], place: tuple[Any, ...], value: object
) -> None:
    body = json.loads(parts[0].to_json())
    inner = body
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(PartInvalid):
        GuestPart.from_json(json.dumps(body).encode())


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff", b" " * (5 << 20)])
def test_bytes_that_are_no_json_are_refused(data: bytes) -> None:
    with pytest.raises(PartInvalid):
        HostPart.from_json(data)


def test_parts_of_others_are_refused(parts: tuple[GuestPart, HostPart]) -> None:
    with pytest.raises(PartInvalid):
        HostPart.from_json(parts[0].to_json())
