"""Keys of claims: what may stand behind one live instrument only (docs/finance.md, "Claims").

Keys of goods without an identifier and of invoices come out of scrypt (RFC 7914): whoever guesses
the whole content can test his guess, at a price, and the key alone tells nothing.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from contracts.errors import ContractError
from ledger.canonical import CanonicalError, canonical_json
from ledger.state.keccak import keccak
from ledger.types import Hash32

SCRYPT_N: Final = 1 << 15
SCRYPT_R: Final = 8
SCRYPT_P: Final = 1
URI_BYTES_MAX: Final = 1_024
DESCRIPTION_BYTES_MAX: Final = 65_536
FIELD_CHARACTERS_MAX: Final = 64
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+")
_SEPARATORS: Final = re.compile(r"[\s./·-]+")


class ClaimInvalid(ContractError, ValueError):
    """What is to be claimed is not told in a form that has one key only."""


@dataclass(frozen=True, slots=True)
class Invoice:
    """The fields by which a tax office knows an invoice."""

    seller_tax_number: str
    code: str
    """Series or code of the form; empty where invoices have none."""
    number: str
    date: datetime.date
    total: int
    """Gross, in hundredths of its currency."""


def item_key(uri: str) -> Hash32:
    """Key of one item, by its canonical EPC URI. Raises `ClaimInvalid` where it is no URI."""
    data = uri.encode("utf-8", "replace")
    if len(data) > URI_BYTES_MAX or not _SCHEME.fullmatch(uri):
        raise ClaimInvalid(f"item {uri[:60]!r} is no URI of up to {URI_BYTES_MAX} ASCII characters")
    return _key("tally:item", data)


def goods_key(description: object, salt: str) -> Hash32:
    """Key of goods whose lot must not be shown, by a JSON description of them.

    `salt` is the ledger's origin. Member order and Unicode composition make no difference. Raises
    `ClaimInvalid` where the description is no JSON value of up to 64 KiB.
    """
    try:
        data = canonical_json(_composed(description))
    except (CanonicalError, RecursionError) as error:
        raise ClaimInvalid(f"description of the goods: {error}") from error
    if len(data) > DESCRIPTION_BYTES_MAX:
        raise ClaimInvalid(f"description of the goods: over {DESCRIPTION_BYTES_MAX} bytes")
    return _key("tally:fingerprint", _stretched(data, salt))


def invoice_key(invoice: Invoice, salt: str) -> Hash32:
    """Key of an invoice, the same for whoever reads it off the paper.

    `salt` is the ledger's origin. Case, width, and separators within numbers make no difference.
    Raises `ClaimInvalid`.
    """
    if not 0 < invoice.total < 1 << 128:
        raise ClaimInvalid(f"total {invoice.total} is no amount above zero in hundredths")
    fields = [
        _plain("seller's tax number", invoice.seller_tax_number),
        _plain("invoice code", invoice.code, empty=True),
        _plain("invoice number", invoice.number),
        invoice.date.isoformat()[:10],
        str(invoice.total),
    ]
    return _key("tally:invoice", _stretched("\x1f".join(fields).encode("utf-8"), salt))


def _key(domain: str, content: bytes) -> Hash32:
    return Hash32(keccak(keccak(domain.encode()) + content))


def _stretched(data: bytes, salt: str) -> bytes:
    if not salt:
        raise ClaimInvalid("the salt is the ledger's origin, which is never empty")
    return Scrypt(salt=salt.encode(), length=32, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P).derive(data)


def _plain(what: str, text: str, *, empty: bool = False) -> str:
    """Letters and digits alone, in capitals: how people write the same number differs."""
    plain = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text)).upper()
    if len(plain) > FIELD_CHARACTERS_MAX or not (plain or empty) or not plain.isprintable():
        raise ClaimInvalid(
            f"{what} {text[:60]!r}: 1 to {FIELD_CHARACTERS_MAX} letters and digits are meant"
        )
    return plain


def _composed(value: object) -> object:
    """Texts in NFC, throughout."""
    match value:
        case str():
            return unicodedata.normalize("NFC", value)
        case list() | tuple():
            return [_composed(one) for one in value]
        case dict():
            members = {_composed(name): _composed(one) for name, one in value.items()}
            if len(members) != len(value):
                raise ClaimInvalid("description of the goods: two names differ in composition only")
            return members
        case _:
            return value
