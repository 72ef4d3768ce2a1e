"""What is refused at the door and in the block, and that nothing changes by it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ledger.chain import (
    BlockEmpty,
    BlockInvalid,
    Genesis,
    Ledger,
    NotPermitted,
    WaitTimeout,
    encode_block,
)
from ledger.chain.builder import BlockBuilder, Parent
from ledger.chain.permission import Permission
from ledger.evm import PyEvmEngine, decode_transaction, encode_header
from ledger.evm.errors import (
    ChainIdMismatch,
    FeeInvalid,
    GasLimitExceeded,
    InsufficientFunds,
    IntrinsicGasTooLow,
    NonceTooHigh,
    NonceTooLow,
    SignatureInvalid,
    TransactionMalformed,
    TransactionRefused,
    TransactionTooLarge,
)
from ledger.mempool import AlreadyKnown, NonceTaken
from ledger.state import FlatState
from ledger.tlog import NoteSigner
from ledger.types import Block
from tests.ledger.chain.support import (
    PERMISSION,
    closing_genesis,
    genesis_document,
    permission_storage,
    sender,
)

OUTSIDER = 9


def _bad_signature() -> bytes:
    raw = bytearray(sender(1).sign())
    raw[-32:] = bytes(31) + b"\x01"
    raw[-65] ^= 0xFF
    return bytes(raw)


@pytest.mark.feature("L1")
@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", TransactionMalformed),
        (b"\x02\xc0", TransactionMalformed),
        (sender(1).sign()[:-1], TransactionMalformed),
        (sender(1).sign() + b"\0", TransactionMalformed),
        (sender(1).sign(data=bytes(1 << 20), gas=29_000_000), TransactionTooLarge),
        (sender(1).sign(chainId=1), ChainIdMismatch),
        (sender(1).sign(gas=30_000_001), GasLimitExceeded),
        (sender(1).sign(gas=21_000), IntrinsicGasTooLow),
        (sender(1).sign(maxPriorityFeePerGas=1), FeeInvalid),
        (sender(1).sign(value=1), InsufficientFunds),
        (sender(1).sign(nonce=5_000), NonceTooHigh),
        (sender(OUTSIDER).sign(), NotPermitted),
    ],
)
def test_the_door_refuses_with_a_precise_reason(
    open_ledger: Ledger, raw: bytes, reason: type[TransactionRefused]
) -> None:
    with pytest.raises(reason):
        open_ledger.submit(raw)
    assert not open_ledger.pending()
    assert open_ledger.mempool.status().size_bytes == 0


def test_a_changed_signature_is_another_senders_or_nobodys(open_ledger: Ledger) -> None:
    with pytest.raises((SignatureInvalid, NotPermitted, TransactionMalformed)):
        open_ledger.submit(_bad_signature())


def test_duplicates_replays_and_replacements_are_refused(open_ledger: Ledger) -> None:
    alice = sender(1)
    raw = alice.sign()
    tx_hash = open_ledger.submit(raw)
    with pytest.raises(AlreadyKnown):
        open_ledger.submit(raw)
    with pytest.raises(NonceTaken):
        open_ledger.submit(alice.sign(gas=300_000))
    open_ledger.append_block(open_ledger.pending(), 0x65000001)
    assert open_ledger.receipt(tx_hash) is not None
    with pytest.raises(NonceTooLow):
        open_ledger.submit(raw)
    assert not open_ledger.pending()


def _transactions(*raws: bytes) -> list[Any]:
    return [decode_transaction(raw) for raw in raws]


def test_own_blocks_leave_out_what_cannot_be_part_of_them(open_ledger: Ledger) -> None:
    alice, bob = sender(1), sender(2)
    good = [alice.call(1), bob.call(2)]
    bad = [
        sender(OUTSIDER).sign(),
        sender(3).sign(chainId=5),
        alice.sign(nonce=0, gas=250_000),
        sender(4).sign(nonce=3),
        sender(3).sign(value=5),
    ]
    block = open_ledger.append_block(_transactions(good[0], *bad, good[1]), 0x65000001)
    assert [one.raw for one in block.block.transactions] == good
    head = open_ledger.head()
    with pytest.raises(BlockEmpty) as empty:
        open_ledger.append_block(_transactions(*bad), 0x65000002)
    assert [type(one.reason) for one in empty.value.dropped] == [
        NotPermitted,
        ChainIdMismatch,
        NonceTooLow,
        NonceTooHigh,
        InsufficientFunds,
    ]
    assert [one.final for one in empty.value.dropped] == [True, True, True, False, True]
    with pytest.raises(BlockEmpty):
        open_ledger.append_block([], 0x65000002)
    assert open_ledger.head() == head


def test_time_does_not_run_backwards(open_ledger: Ledger) -> None:
    with pytest.raises(BlockInvalid, match="before its parent"):
        open_ledger.append_block(_transactions(sender(1).sign()), 0x64FFFFFF)
    assert open_ledger.append_block(_transactions(sender(1).sign()), 0x65000000)


def test_what_does_not_fit_waits_for_the_next_block(open_ledger: Ledger) -> None:
    alice, bob = sender(1), sender(2)
    raws = [alice.call(n, gas=12_000_000) for n in range(2)] + [bob.call(9, gas=29_960_000)]
    for raw in raws:
        open_ledger.submit(raw)
    first = open_ledger.append_block(open_ledger.pending(), 0x65000001)
    assert len(first.block.transactions) == 2
    assert [one.raw for one in open_ledger.pending()] == raws[2:]
    second = open_ledger.append_block(open_ledger.pending(), 0x65000002)
    assert [one.raw for one in second.block.transactions] == raws[2:]


def test_a_dropped_transaction_tells_its_reason_to_who_waits(open_ledger: Ledger) -> None:
    alice = sender(1)
    tx_hash = open_ledger.submit(alice.sign())
    open_ledger.mempool.drop(decode_transaction(alice.sign()), NotPermitted("suspended"))
    with pytest.raises(NotPermitted, match="suspended"):
        open_ledger.wait_for(tx_hash, 5)
    with pytest.raises(WaitTimeout):
        open_ledger.wait_for(open_ledger.submit(alice.sign()), 0.01)


# ---- permission in the block ---------------------------------------------------------------------


def _builder_without_permission(ledger: Ledger, raws: list[bytes], **changes: Any) -> bytes:
    """What a dishonest builder makes: a block that is right in all, but for who may transact."""
    builder = BlockBuilder(PyEvmEngine(), ledger.chain_id)
    with ledger.state() as state:
        assert isinstance(state, FlatState)
        parent = Parent(
            ledger.head(),
            ledger.log.root,
            state,
            Permission(None, state),
            ledger.limits(),
            lambda number: block.hash if (block := ledger.block(number)) else None,
        )
        made = builder.build(parent, _transactions(*raws), 0x65000009).block
    return _encode(made, **changes)


def _encode(block: Block, **changes: Any) -> bytes:
    header = replace(block.header, **changes)
    return encode_block(encode_header(header), [one.raw for one in block.transactions])


@pytest.mark.feature("L1")
def test_a_dishonest_builders_block_is_refused(open_ledger: Ledger) -> None:
    head, size = open_ledger.head(), open_ledger.log.size
    block = _builder_without_permission(open_ledger, [sender(1).sign(), sender(OUTSIDER).sign()])
    with pytest.raises(BlockInvalid, match="not an account of any member"):
        open_ledger.validate_block(block)
    with pytest.raises(BlockInvalid, match="not an account of any member"):
        open_ledger.import_block(block)
    assert (open_ledger.head(), open_ledger.log.size) == (head, size)


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"state_root": bytes(32)}, "state_root"),
        ({"receipts_root": bytes(32)}, "receipts_root"),
        ({"transactions_root": bytes(32)}, "transactions_root"),
        ({"extra_data": bytes(32)}, "extra_data"),
        ({"gas_used": 1}, "gas_used"),
        ({"gas_limit": 1 << 40}, "gas_limit"),
        ({"bloom": 1}, "bloom"),
        ({"base_fee_per_gas": 7}, "base_fee_per_gas"),
        ({"coinbase": b"\x01" * 20}, "coinbase"),
        ({"parent_hash": bytes(32)}, "parent"),
        ({"number": 2}, "due"),
        ({"timestamp": 1}, "before its parent"),
    ],
)
def test_every_field_of_a_foreign_header_counts(
    open_ledger: Ledger, changes: dict[str, Any], place: str
) -> None:
    block = _builder_without_permission(open_ledger, [sender(1).sign()], **changes)
    with pytest.raises(BlockInvalid, match=place):
        open_ledger.import_block(block)
    assert open_ledger.head().header.number == 0


def test_foreign_blocks_with_bad_transactions_are_refused(open_ledger: Ledger) -> None:
    good = _builder_without_permission(open_ledger, [sender(1).sign()])
    open_ledger.validate_block(good)
    assert open_ledger.head().header.number == 0
    for raws, reason in (
        ([sender(1).sign(nonce=1)], "nonce too high"),
        ([sender(1).sign(), sender(1).sign()], "nonce too low"),
        ([sender(1).sign(chainId=3)], "chain"),
        ([sender(1).sign(gas=1 << 40)], "gas"),
        ([], "no transactions"),
    ):
        header = replace(open_ledger.head().header, number=1, parent_hash=open_ledger.head().hash)
        with pytest.raises(BlockInvalid, match=reason):
            open_ledger.import_block(encode_block(encode_header(header), raws))
    for broken in (b"", good[:-1], good + b"\0", b"\xc0", bytes(40)):
        with pytest.raises(BlockInvalid):
            open_ledger.import_block(broken)


def test_an_imported_block_is_the_block_that_was_made(
    open_ledger: Ledger, tmp_path: Any, note_signer: NoteSigner
) -> None:
    alice, bob = sender(1), sender(2)
    with Ledger.open(
        tmp_path / "other",
        genesis=open_ledger.genesis,
        signer=note_signer,
        map_size_bytes=1 << 28,
    ) as other:
        for number in range(1, 4):
            made = other.append_block(
                _transactions(alice.call(number), bob.call(number, to=None)), 0x65000000 + number
            )
            assert open_ledger.import_block(_encode(made.block)) == made
        assert open_ledger.head() == other.head()
        assert open_ledger.log.checkpoint() == other.log.checkpoint()


# ---- who may transact ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("account", "organisation", "words"),
    [
        (1, 1, None),
        (0, 1, "account .* is not active"),
        (2, 1, "account .* is not active"),
        (1, 0, "organisation 'acme' .* is not active"),
        (1, 2, "organisation 'acme' .* is not active"),
    ],
)
def test_account_and_organisation_must_both_be_active(
    tmp_path: Any, note_signer: NoteSigner, account: int, organisation: int, words: str | None
) -> None:
    document = genesis_document()
    alice = sender(1)
    document["alloc"][f"0x{PERMISSION.hex()}"]["storage"] = permission_storage(
        {alice.address: (b"acme", account)}, {b"acme": organisation}
    )
    with Ledger.open(
        tmp_path / "l",
        genesis=Genesis.parse(document),
        signer=note_signer,
        map_size_bytes=1 << 28,
    ) as ledger:
        if words is None:
            ledger.submit(alice.sign())
        else:
            with pytest.raises(NotPermitted, match=words):
                ledger.submit(alice.sign())


def test_permission_is_that_of_the_parent_state(tmp_path: Any, note_signer: NoteSigner) -> None:
    """A block that closes the organisation still carries what stood in it; the next does not."""
    genesis, closing_number = closing_genesis()
    alice, bob = sender(1), sender(2)
    with Ledger.open(
        tmp_path / "l", genesis=genesis, signer=note_signer, map_size_bytes=1 << 28
    ) as ledger:
        closing = alice.call(closing_number)
        ledger.append_block(_transactions(closing, bob.call(1)), 0x65000001)
        assert len(ledger.head().transactions) == 2
        with pytest.raises(BlockEmpty) as empty:
            ledger.append_block(_transactions(bob.call(2)), 0x65000002)
        assert isinstance(empty.value.dropped[0].reason, NotPermitted)
        with pytest.raises(NotPermitted):
            ledger.submit(bob.sign(nonce=1))
