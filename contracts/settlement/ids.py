"""Ids and words, as the contracts make them."""

from __future__ import annotations

import re
from typing import Final

from eth_abi.abi import encode

from contracts.consortium import organisation_id_word
from contracts.errors import CalldataValueError
from contracts.genesis import DEPOSITS_ADDRESS, SETTLEMENT_ADDRESS
from contracts.instruments.records import code_word
from ledger.state.keccak import keccak
from ledger.types import Address, Hash32

NUMBER_SIZE_BYTES: Final = 32
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


def number_word(number: str) -> bytes:
    """An organisation's own number as bytes32. Raises `CalldataValueError`."""
    try:
        return code_word(number, NUMBER_SIZE_BYTES)
    except ValueError as error:
        raise CalldataValueError(f"number: {error}") from error


def currency_word(currency: str) -> bytes:
    """An ISO 4217 code as bytes3. Raises `CalldataValueError`."""
    if not _CURRENCY.fullmatch(currency):
        raise CalldataValueError(f"currency {currency[:40]!r}: three capital letters are meant")
    return currency.encode("ascii")


def account_key(bank: str, currency: str, owner: str) -> Hash32:
    """Key of an account. Raises `CalldataValueError` or `OrganisationIdError`."""
    words = [organisation_id_word(bank), currency_word(currency), organisation_id_word(owner)]
    return Hash32(keccak(encode(["bytes32", "bytes3", "bytes32"], words)))


def payment_id(
    chain_id: int, organisation: str, number: str, contract: Address = DEPOSITS_ADDRESS
) -> Hash32:
    """Id of an issue, payment, redemption or interbank settlement in Deposits.

    Raises `CalldataValueError` or `OrganisationIdError`.
    """
    words = [chain_id, contract, organisation_id_word(organisation), number_word(number)]
    return Hash32(keccak(encode(["uint256", "address", "bytes32", "bytes32"], words)))


def deal_id(
    chain_id: int, organisation: str, number: str, contract: Address = SETTLEMENT_ADDRESS
) -> Hash32:
    """Id of a deal, or of the payment of a receivable, in one version of Settlement.

    Raises `CalldataValueError` or `OrganisationIdError`.
    """
    return payment_id(chain_id, organisation, number, contract)


def hold_id(account: Hash32, authority: str, decision: Hash32) -> Hash32:
    """Id of an authority's hold. Raises `OrganisationIdError`."""
    words = [account, organisation_id_word(authority), decision]
    return Hash32(keccak(encode(["bytes32", "bytes32", "bytes32"], words)))
