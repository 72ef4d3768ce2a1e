"""Ids, offers and sealed quotes, as the contracts make them."""

from __future__ import annotations

from typing import Final

from eth_abi.abi import encode

from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.financing.types import Offer
from contracts.genesis import APPLICATIONS_ADDRESS
from contracts.instruments.records import code_word
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

NUMBER_SIZE_BYTES: Final = 32
CURRENCY_SIZE_BYTES: Final = 3
NO_HASH: Final = Hash32(bytes(32))


def number_word(number: str) -> bytes:
    """A borrower's number as bytes32. Raises `CalldataValueError`."""
    try:
        return code_word(number, NUMBER_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"loan number: {error}") from error


def currency_word(currency: str) -> bytes:
    """A currency's ISO 4217 code as bytes3. Raises `CalldataValueError`."""
    if len(currency) != CURRENCY_SIZE_BYTES or not all("A" <= c <= "Z" for c in currency):
        raise CalldataValueError(f"currency {currency[:16]!r} is not three capital letters")
    return currency.encode("ascii")


def loan_id(
    chain_id: int, borrower: str, number: str, contract: Address = APPLICATIONS_ADDRESS
) -> Hash32:
    """Id of what a borrower applies for under a number, in one version of Applications.

    Raises `CalldataValueError` or `OrganisationIdError`.
    """
    words = [chain_id, contract, organisation_id_word(borrower), number_word(number)]
    return Hash32(keccak(encode(["uint256", "address", "bytes32", "bytes32"], words)))


def offer_hash(id_: Hash32, bank: str, offer: Offer) -> Hash32:
    """What a borrower accepts. Raises `OrganisationIdError`."""
    types = ["bytes32", "bytes32", "uint128", "uint32", "uint32", "uint48", "bytes32"]
    words = [
        id_,
        organisation_id_word(bank),
        offer.amount,
        offer.rate_bp,
        offer.discount_bp,
        offer.valid_until,
        offer.text or NO_HASH,
    ]
    return Hash32(keccak(encode(types, words)))


def commitment(
    id_: Hash32, bank: str, amount: int, rate_bp: int, text: Hash32, salt: Hash32
) -> Hash32:
    """What a bank seals; the salt is 32 random bytes, kept until the quote is opened.

    Raises `OrganisationIdError`.
    """
    types = ["bytes32", "bytes32", "uint128", "uint32", "bytes32", "bytes32"]
    words = [id_, organisation_id_word(bank), amount, rate_bp, text, salt]
    return Hash32(keccak(encode(types, words)))
