"""Under which names a node signs (docs/consortium.md, "Who vouches")."""

from __future__ import annotations

import re

from ledger.tlog import NoteMalformed, NoteSigner, NoteVerifier, SignatureType
from ledger.witness.errors import LabelInvalid

_LABEL = re.compile(r"[a-z0-9-]{1,32}")


def cosigner_name(origin: str, label: str) -> str:
    """Name of a node's cosignatures: `<origin>/<label>`. Raises `LabelInvalid`."""
    if not _LABEL.fullmatch(label):
        raise LabelInvalid(f"{label[:60]!r} is no node label: 1 to 32 of a-z, 0-9 and -")
    return f"{origin}/{label}"


def label_of(name: str, origin: str) -> str | None:
    """The label in a cosigner's name; None where it is no name of a node of this log."""
    label = name.removeprefix(f"{origin}/")
    return label if name != label and _LABEL.fullmatch(label) else None


def cosigner_of(signer: NoteSigner, label: str) -> NoteSigner:
    """A node's cosigner: the key of its log signer, under the node's own name."""
    return signer.cosigner(cosigner_name(signer.name, label))


def cosigner_verifier(origin: str, label: str, public_key: bytes) -> NoteVerifier:
    """The public half, as trust files list it. Raises `LabelInvalid`."""
    return NoteVerifier(cosigner_name(origin, label), SignatureType.COSIGNATURE, public_key)


def cosigner_of_text(vkey: str, origin: str) -> NoteVerifier | None:
    """A node's cosigner by its verifier key; None where the text is none, or of another log.

    A key of another type does not count either: the contract keeps texts apart, not what another
    type would make of the same key.
    """
    try:
        key = NoteVerifier.parse(vkey)
    except NoteMalformed:
        return None
    named = label_of(key.name, origin) is not None
    return key if named and key.type is SignatureType.COSIGNATURE else None


def cosigner_vkey(origin: str, label: str, public_key: bytes) -> str:
    """The same as text (C2SP vkey). Raises `LabelInvalid`."""
    return cosigner_verifier(origin, label, public_key).vkey
