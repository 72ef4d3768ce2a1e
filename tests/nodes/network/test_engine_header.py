"""The engine's header hash, against headers that CometBFT v0.38.25 itself made and signed."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from nodes.network.engine_header import read_header
from nodes.network.errors import JoinRefused

pytestmark = pytest.mark.feature("N1")

EMPTY = "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855"
VALIDATORS = "191A41B42DB1EA78ECB8814E57512594A527AC0ECE57030DF0355A2AF935CA00"
FIRST: dict[str, Any] = {
    "version": {"block": "11", "app": "1"},
    "chain_id": "tally-7b64532393ce9b440799a0bf2285e9acc2",
    "height": "1",
    "time": "2026-11-21T13:09:25Z",
    "last_block_id": {"hash": "", "parts": {"total": 0, "hash": ""}},
    "last_commit_hash": EMPTY,
    "data_hash": EMPTY,
    "validators_hash": VALIDATORS,
    "next_validators_hash": VALIDATORS,
    "consensus_hash": "95F271CB307A919393DECF09FACDAF5F4F3C17334A6BB013584D7DE6ECD12634",
    "app_hash": EMPTY,
    "last_results_hash": EMPTY,
    "evidence_hash": EMPTY,
    "proposer_address": "0A96BE5173271E536499A280CDD9D13FB3B41417",
}
FIRST_HASH = "5D552D6A95E23AC4BDCA1E6C349BC9508DBDC59B065DB66449C772945291AEC6"
SECOND: dict[str, Any] = {
    **FIRST,
    "height": "2",
    "time": "2026-11-21T13:09:48.344332563Z",
    "last_block_id": {
        "hash": FIRST_HASH,
        "parts": {
            "total": 1,
            "hash": "8C343DCE2E9B26CB487D38E11AC4FED856360357F5BFD3E876BC4229094A8DB3",
        },
    },
    "last_commit_hash": "24EA2396840DE7E70BF277A0E8FED2C6AAC56B799916DB02D52FCDF13D5FB649",
    "data_hash": "F84B1E98392CF3AEC5A44D7BEE3040D871CBE252A12D74C064002FAC04CB06C9",
    "proposer_address": "430DAABABCA729EA426C0262AE0A70DABC871650",
}
SECOND_HASH = "7562EE1062D1207EC61BF923258E957F5BC7DD8F7B77CD2D68A2F1A9D6A189D5"


@pytest.mark.parametrize(("fields", "known"), [(FIRST, FIRST_HASH), (SECOND, SECOND_HASH)])
def test_the_hash_is_that_which_the_validators_signed(fields: dict[str, Any], known: str) -> None:
    header = read_header(fields)
    assert header.hash.hex().upper() == known
    assert header.height == int(fields["height"])
    assert header.app_hash.hex().upper() == fields["app_hash"]


@pytest.mark.parametrize("name", [*SECOND])
def test_every_field_is_bound_by_the_hash(name: str) -> None:
    changed = copy.deepcopy(SECOND)
    changed[name] = {
        "version": {"block": "12", "app": "1"},
        "chain_id": "tally-other",
        "height": "3",
        "time": "2026-11-21T13:09:48.344332564Z",
        "last_block_id": FIRST["last_block_id"],
    }.get(name, "AB" * 20)
    assert read_header(changed).hash.hex().upper() != SECOND_HASH


@pytest.mark.parametrize(
    "fields",
    [
        None,
        [],
        {},
        {**FIRST, "height": "-1"},
        {**FIRST, "height": "1" * 30},
        {**FIRST, "height": True},
        {**FIRST, "time": "yesterday"},
        {**FIRST, "time": "1960-01-01T00:00:00Z"},
        {**FIRST, "app_hash": "xyz"},
        {**FIRST, "app_hash": 1},
        {**FIRST, "last_block_id": None},
        {name: value for name, value in FIRST.items() if name != "app_hash"},
    ],
)
def test_what_is_no_header_is_refused(fields: object) -> None:
    with pytest.raises(JoinRefused, match="header"):
        read_header(fields)
