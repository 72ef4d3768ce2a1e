"""Ids of receivables, as the contract makes them."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode

from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.genesis import RECEIVABLES_ADDRESS
from contracts.instruments.records import code_word
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

NUMBER_SIZE_BYTES: Final = 32
CURRENCY_SIZE_BYTES: Final = 3


def number_word(number: str) -> bytes:
    """An issuer's number as bytes32. Raises `CalldataValueError`."""
    try:
        return code_word(number, NUMBER_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"receivable number: {error}") from error


def currency_word(currency: str) -> bytes:
    """A currency's ISO 4217 code as bytes3. Raises `CalldataValueError`."""
    if len(currency) != CURRENCY_SIZE_BYTES or not all("A" <= c <= "Z" for c in currency):
        raise CalldataValueError(f"currency {currency[:16]!r} is not three capital letters")
    return currency.encode("ascii")


def receivable_id(
    chain_id: int, issuer: str, number: str, contract: Address = RECEIVABLES_ADDRESS
) -> Hash32:
    """Id of what an issuer writes down under a number, in one version of the contract.

    Raises `CalldataValueError` or `OrganisationIdError`.
    """
    words = [chain_id, contract, organisation_id_word(issuer), number_word(number)]
    return Hash32(keccak(encode(["uint256", "address", "bytes32", "bytes32"], words)))


def part_id(origin: Hash32, part: int) -> Hash32:
    """Id of a part of what was split, counted from 1."""
    return Hash32(keccak(encode(["bytes32", "uint256"], [origin, part])))
