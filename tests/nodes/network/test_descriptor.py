"""Descriptors: what is written is read, and nobody alters one on the way."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.consortium import Profile, Role
from ledger.crypto import AccountKey
from ledger.tlog import SignatureType
from nodes.network.descriptor import Descriptor
from nodes.network.errors import DescriptorInvalid
from tests.nodes.network.support import ORIGIN, descriptor

pytestmark = pytest.mark.feature("N1")

ACME = descriptor("acme", 1)
DATA = ACME.encode()


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "descriptor.json"
    path.write_bytes(DATA)
    assert Descriptor.load(path) == ACME == Descriptor.parse(DATA)


def test_the_fingerprint_is_of_all_that_is_signed_and_short_enough_to_read_out() -> None:
    assert ACME.fingerprint == Descriptor.parse(DATA).fingerprint
    assert len(ACME.fingerprint) == 19
    assert descriptor("acme", 1).fingerprint != ACME.fingerprint


def test_its_witness_is_a_cosigner_named_after_log_and_label() -> None:
    witness = ACME.witness(ORIGIN)
    assert (witness.name, witness.type) == (f"{ORIGIN}/acme", SignatureType.COSIGNATURE)
    assert witness.public_key == ACME.witness_key


def changed(place: list[str | int], value: object) -> bytes:
    fields = json.loads(DATA)
    inner: Any = fields
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return json.dumps(fields).encode()


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (["organisation", "name"], "Acme Ltd"),
        (["organisation", "nameZh"], "别人"),
        (["organisation", "role"], "bank"),
        (["organisation", "id"], "other"),
        (["node", "id"], "ab" * 20),
        (["node", "label"], "other"),
        (["node", "validatorKey"], "ab" * 32),
        (["node", "witnessKey"], "ab" * 32),
        (["node", "p2p"], "evil.example:26656"),
        (["node", "api"], "https://evil.example"),
        (["accounts", 0], "0x" + "ab" * 20),
        (["accounts"], [json.loads(DATA)["accounts"][0], "0x" + "ab" * 20]),
        (["signature"], "0x" + "11" * 65),
    ],
)
def test_whatever_is_altered_on_the_way_is_noticed(place: list[str | int], value: object) -> None:
    with pytest.raises(DescriptorInvalid, match=r"signed|signature"):
        Descriptor.parse(changed(place, value))


def test_somebody_elses_signature_is_refused() -> None:
    with pytest.raises(DescriptorInvalid, match="not its first account"):
        ACME.signed(AccountKey.generate())


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        (["format"], "tallystick-node/2", "format"),
        (["more"], 1, "more"),
        (["node", "more"], 1, "node/more"),
        (["organisation", "id"], "Acme", "organisation/id"),
        (["organisation", "role"], "king", "role 'king'"),
        (["organisation", "name"], "", "organisation/name"),
        (["organisation", "name"], "a\nb", "organisation/name"),
        (["node", "id"], "AB" * 20, "node/id"),
        (["node", "validatorKey"], "ab" * 31, "validatorKey"),
        (["node", "p2p"], "acme.example", "HOST:PORT"),
        (["node", "p2p"], "acme.example:0", "1 to 65535"),
        (["node", "api"], "ftp://acme.example", "http"),
        (["node", "api"], "https://user@acme.example", "user"),
        (["accounts"], [], "accounts"),
        (["accounts"], ["0x" + "ab" * 20] * 9, "accounts"),
        (["accounts"], "0x" + "ab" * 20, "accounts"),
        (["signature"], "0x", "signature"),
    ],
)
def test_what_is_none_is_refused_with_place_and_reason(
    place: list[str | int], value: object, reason: str
) -> None:
    with pytest.raises(DescriptorInvalid, match=reason):
        Descriptor.parse(changed(place, value))


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_garbage_is_refused(data: bytes) -> None:
    with pytest.raises(DescriptorInvalid):
        Descriptor.parse(data)


@given(at=st.integers(0, len(DATA) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_never_gives_another_descriptor(at: int, bit: int) -> None:
    data = bytearray(DATA)
    data[at] ^= 1 << bit
    try:
        found = Descriptor.parse(bytes(data))
    except DescriptorInvalid:
        return
    assert found == ACME


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(DescriptorInvalid, match="nowhere"):
        Descriptor.load(tmp_path / "nowhere")
    path = tmp_path / "large.json"
    path.write_bytes(b" " * 20_000 + DATA)
    with pytest.raises(DescriptorInvalid, match=r"large\.json"):
        Descriptor.load(path)


def test_names_of_any_script_are_kept() -> None:
    named = descriptor("acme", 1, profile=Profile("Ácme & Söhne", "海林食品"), role=Role.BANK)
    assert Descriptor.parse(named.encode()).profile == Profile("Ácme & Söhne", "海林食品")
