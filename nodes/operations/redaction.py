"""Keeping secrets out of the log, should one ever reach it: a second line, not the first.

Code does not log secrets; but errors of databases and clients quote addresses and headers, and
an address may have a password in it.
"""

from __future__ import annotations

import re
from typing import Final

HIDDEN: Final = "[secret]"

SECRET_NAME: Final = re.compile(
    r"(?:^|[_.-])(?:token|secret|secrets|pass|passwd|password|passphrase|passcode|pin|seed|mnemonic"
    r"|authorization|cookie|credential|credentials|private|privatekey|private_key|api_?key)$",
    re.IGNORECASE,
)
"""Names of fields whose values are never written."""

_PATTERNS: Final = (
    # user:password@ in an address (RFC 3986 section 3.2.1)
    (re.compile(r"(://[^/\s:@]{0,200}):[^/\s@]{1,500}@"), rf"\1:{HIDDEN}@"),
    # Authorization: Bearer … (RFC 6750 section 2.1)
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    # bearer keys of this API
    (re.compile(r"\btally_[A-Za-z0-9_-]{20,}"), HIDDEN),
    # signer keys of notes (C2SP signed-note)
    (re.compile(r"PRIVATE\+KEY\+\S+"), HIDDEN),
    (
        re.compile(r"(?s)-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*KEY-----|\Z)"),
        HIDDEN,
    ),
    # password=…, "token": "…", pin-value=… (RFC 7512)
    (
        re.compile(
            r"(?i)\b(password|passphrase|passwd|token|secret|pin|pin-value|private_?key|api_?key)"
            r"(\"?'?\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;&)}]+)"
        ),
        rf"\1\2{HIDDEN}",
    ),
)


def redacted(text: str) -> str:
    """The text without what looks like a secret."""
    for pattern, shown in _PATTERNS:
        text = pattern.sub(shown, text)
    return text
