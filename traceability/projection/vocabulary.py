"""One spelling for each value that events are asked by, so that all its spellings meet.

Standard vocabulary (CBV 2.0 section 7) is kept as its bare word, identifiers as their canonical
GS1 Digital Link, extension names as full IRIs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from typing import Final

from traceability.gs1 import canonical_or_same

KEY_SIZE_BYTES_MAX: Final = 512
"""Longer values are indexed by their hash: a database's index entries are bounded."""
_EVENT_ID: Final = re.compile(r"ni:///sha-256;([0-9a-f]{64})\?ver=(CBV[0-9.]{1,12})")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_WEB: Final = ("https://ref.gs1.org/cbv/", "http://ref.gs1.org/cbv/", "cbv:")


class Vocabulary(Enum):
    """CBV vocabularies: the word in the URN form, and the one in the web form."""

    BIZ_STEP = ("bizstep", "BizStep")
    DISPOSITION = ("disp", "Disp")
    TRANSACTION_TYPE = ("btt", "BTT")
    SOURCE_DESTINATION_TYPE = ("sdt", "SDT")
    ERROR_REASON = ("er", "ER")


def bare_word(text: str, vocabulary: Vocabulary) -> str:
    """`urn:epcglobal:cbv:bizstep:shipping` and `https://ref.gs1.org/cbv/BizStep-shipping` become
    `shipping`; words of other vocabularies stay as they are."""
    urn, web = vocabulary.value
    word = text.removeprefix(f"urn:epcglobal:cbv:{urn}:")
    if word == text:
        for start in _WEB:
            word = word.removeprefix(f"{start}{web}-")
    return index_key(word)


@lru_cache(maxsize=65_536)
def thing_key(text: str) -> str:
    """An identifier of a thing, place, party or document, as the tables keep it."""
    return index_key(canonical_or_same(text))


def index_key(text: str) -> str:
    """The text, or its hash where it is too long or no database text (PostgreSQL knows no NUL)."""
    if len(text) * 4 <= KEY_SIZE_BYTES_MAX and "\0" not in text:
        return text
    data = text.encode("utf-8", "surrogatepass")
    if len(data) <= KEY_SIZE_BYTES_MAX and "\0" not in text:
        return text
    return f"sha-256:{hashlib.sha256(data).hexdigest()}"


def event_identity(event_id: str) -> tuple[bytes, str]:
    """Hash and version of a CBV event hash id. Raises `ValueError`."""
    match = _EVENT_ID.fullmatch(event_id)
    if match is None:
        raise ValueError(f"{event_id[:120]!r} is not a CBV event hash id")
    return bytes.fromhex(match[1]), match[2]


def microseconds(text: str) -> int:
    """An ISO 8601 time with its offset, in microseconds since 1970; finer digits are cut off.

    Raises `ValueError` for what is no such time.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        raise ValueError(f"the time {text!r} has no offset (such as Z or +08:00)")
    return (moment - _EPOCH) // _MICROSECOND


def prefixes_of(context: object) -> Mapping[str, str]:
    """The namespace prefixes that an event's `@context` declares, beside the standard's own."""
    prefixes = dict(_STANDARD_PREFIXES)
    for entry in context if isinstance(context, list) else [context]:
        if isinstance(entry, dict):
            for name, term in entry.items():
                value = term.get("@id") if isinstance(term, dict) else term
                if isinstance(value, str):
                    prefixes[name] = value
    return prefixes


def extension_name(name: str, prefixes: Mapping[str, str]) -> str | None:
    """The full IRI of a field outside the standard; None for a name that has none."""
    prefix, colon, local = name.partition(":")
    if not colon:
        term = prefixes.get(name)
        return None if term is None else index_key(term)
    if local.startswith("//") or prefix == "urn":
        return index_key(name)
    namespace = prefixes.get(prefix)
    return None if namespace is None else index_key(namespace + local)


_STANDARD_PREFIXES: Final[Mapping[str, str]] = {
    "cbvmda": "urn:epcglobal:cbv:mda:",
    "gs1": "https://gs1.org/voc/",
}
