"""Where belief begins: what k of n members have signed, and a header of the right network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable

import pytest

from ledger.tlog import (
    Checkpoint,
    Ed25519Key,
    NoteSigner,
    SignatureType,
    leaf_hash,
    root_of,
    sign_checkpoint,
)
from nodes.network.anchoring import check_signed, find_anchor
from nodes.network.errors import JoinRefused
from nodes.network.source import MemberSource
from tests.nodes.network.members import ROOT, TRUST, Member, cosigned
from tests.nodes.network.support import ORIGIN
from tests.nodes.network.test_engine_header import SECOND, SECOND_HASH

pytestmark = [pytest.mark.feature("N1"), pytest.mark.usefixtures("impatient")]

CHAIN = SECOND["chain_id"]


def test_a_header_with_the_root_that_enough_have_signed_is_the_anchor(
    members: Callable[[], Member],
) -> None:
    anchor = find_anchor(MemberSource(members().url), TRUST, CHAIN)
    assert anchor.header.hash.hex().upper() == SECOND_HASH
    assert (anchor.checkpoint.size, anchor.checkpoint.root) == (5, ROOT)


@pytest.mark.parametrize("count", [1, 2])
def test_too_few_signatures_are_none(members: Callable[[], Member], count: int) -> None:
    member = members()
    member.checkpoint = cosigned(count)
    with pytest.raises(JoinRefused, match="nothing can be trusted yet"):
        find_anchor(MemberSource(member.url), TRUST, CHAIN)


def test_signatures_of_strangers_count_nothing(members: Callable[[], Member]) -> None:
    member = members()
    signers = [
        NoteSigner(f"{ORIGIN}/member-{number}", Ed25519Key.generate(), SignatureType.COSIGNATURE)
        for number in range(4)
    ]
    member.checkpoint = sign_checkpoint(Checkpoint(ORIGIN, 5, ROOT), signers)
    with pytest.raises(JoinRefused):
        find_anchor(MemberSource(member.url), TRUST, CHAIN)


def test_a_header_with_another_root_is_no_anchor(members: Callable[[], Member]) -> None:
    member = members()
    member.checkpoint = cosigned(4, root=b"\x01" * 32)
    member.headers[1] = {**SECOND, "height": "1"}
    with pytest.raises(JoinRefused, match="no header of the engine has the root"):
        find_anchor(MemberSource(member.url), TRUST, CHAIN)


def test_a_member_without_a_cosigned_checkpoint_is_waited_for_and_said(
    members: Callable[[], Member],
) -> None:
    member = members()
    member.checkpoint = None
    with pytest.raises(JoinRefused, match="no checkpoint that enough"):
        find_anchor(MemberSource(member.url), TRUST, CHAIN)


# ---- what a snapshot brings ---------------------------------------------------------------------

LEAVES = [leaf_hash(bytes([number])) for number in range(8)]
HALF, WHOLE = root_of(LEAVES[:4]), root_of(LEAVES)


def _with_log(member: Member, *, proof: bytes = root_of(LEAVES[4:]), signed: int = 3) -> None:
    member.checkpoint = cosigned(signed, WHOLE, 8)
    path = base64.b64encode(proof).decode()
    member.raw["/log/consistency?from=4&to=8"] = json.dumps({"proof": [path]}).encode()
    member.raw["/log/consistency?from=8&to=8"] = b'{"proof": []}'


def test_a_log_that_a_signed_one_begins_with_is_believed(members: Callable[[], Member]) -> None:
    member = members()
    _with_log(member)
    check_signed(MemberSource(member.url), TRUST, 4, HALF)
    check_signed(MemberSource(member.url), TRUST, 8, WHOLE)


@pytest.mark.parametrize(("size", "root"), [(4, WHOLE), (8, HALF)])
def test_another_log_than_the_signed_one_is_refused(
    members: Callable[[], Member], size: int, root: bytes
) -> None:
    member = members()
    _with_log(member)
    with pytest.raises(JoinRefused, match="does not begin with"):
        check_signed(MemberSource(member.url), TRUST, size, root)


def test_a_wrong_proof_is_none(members: Callable[[], Member]) -> None:
    member = members()
    _with_log(member, proof=bytes(32))
    with pytest.raises(JoinRefused, match="does not begin with"):
        check_signed(MemberSource(member.url), TRUST, 4, HALF)


def test_blocks_beyond_what_is_signed_are_not_believed(members: Callable[[], Member]) -> None:
    """A sender could put any block behind the newest checkpoint that it shows."""
    member = members()
    _with_log(member)
    with pytest.raises(JoinRefused, match="up to size 9: the newest signed checkpoint has size 8"):
        check_signed(MemberSource(member.url), TRUST, 9, WHOLE)
    _with_log(member, signed=2)
    with pytest.raises(JoinRefused, match="too few members"):
        check_signed(MemberSource(member.url), TRUST, 8, WHOLE)


def test_a_header_of_another_network_of_the_engine_is_refused(
    members: Callable[[], Member],
) -> None:
    """Its root alone says nothing: every network begins with the same one."""
    member = members()
    member.headers[2] = {**SECOND, "chain_id": "tally-other"}
    with pytest.raises(JoinRefused, match="'tally-other', and this ledger's is"):
        find_anchor(MemberSource(member.url), TRUST, CHAIN)
