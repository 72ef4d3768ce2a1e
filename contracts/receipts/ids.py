"""Ids of receipts, as the contract makes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from eth_abi.abi import encode

from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.genesis import RECEIPTS_ADDRESS
from contracts.instruments.records import code_word
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

NUMBER_SIZE_BYTES: Final = 32


def number_word(number: str) -> bytes:
    """A warehouse's number as bytes32. Raises `CalldataValueError`."""
    try:
        return code_word(number, NUMBER_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"receipt number: {error}") from error


def receipt_id(
    chain_id: int, warehouse: str, number: str, contract: Address = RECEIPTS_ADDRESS
) -> Hash32:
    """Id of the receipt that a warehouse issues under a number, in one version of the contract.

    Raises `CalldataValueError` or `OrganisationIdError`.
    """
    words = [chain_id, contract, organisation_id_word(warehouse), number_word(number)]
    return Hash32(keccak(encode(["uint256", "address", "bytes32", "bytes32"], words)))


def part_id(origin: Hash32, part: int) -> Hash32:
    """Id of a part of a split receipt, counted from 1."""
    return Hash32(keccak(encode(["bytes32", "uint256"], [origin, part])))


def merged_id(ids: Sequence[Hash32], revisions: Sequence[int]) -> Hash32:
    """Id of the receipt that a merger of these, at these revisions, makes."""
    return Hash32(keccak(encode(["bytes32[]", "uint64[]"], [list(ids), list(revisions)])))
