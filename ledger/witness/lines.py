"""Cosignatures on their way between nodes (docs/proof-format.md, section 9): a small text.

    <origin>
    <size> <base64 of the root>
    — <name> <base64 of key id and signature>
    <size> <base64 of the root>
    — …

Sizes ascend. The root is told so that a cosignature over another root than the reader's is known
for what it is, and can be shown to others.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from ledger.tlog import Checkpoint, CheckpointMalformed, Note, NoteMalformed
from ledger.tlog.encoding import encode_base64
from ledger.witness.errors import CosignaturesMalformed
from ledger.witness.types import Cosignature

COUNT_MAX = 1_000
"""Of one answer."""
LINE_CHARACTERS_MAX = 1_024
SIZE_BYTES_MAX = 1 << 20
"""Of one answer, far above what `COUNT_MAX` cosignatures need."""


def encode_cosignatures(origin: str, cosignatures: Iterable[Cosignature]) -> str:
    """The text; `decode_cosignatures` reads it."""
    pairs = (f"{one.size} {encode_base64(one.root)}\n{one.signature.line}" for one in cosignatures)
    return f"{origin}\n" + "".join(pairs)


def decode_cosignatures(text: str, origin: str) -> tuple[Cosignature, ...]:
    """Read a peer's text; no signature is verified. Raises `CosignaturesMalformed`."""
    if len(text) > SIZE_BYTES_MAX or not text.endswith("\n"):
        raise CosignaturesMalformed("the list is too long, or its last line is not whole")
    first, *lines = text[:-1].split("\n")
    if first != origin:
        raise CosignaturesMalformed(f"a list of the log {first[:80]!r}, expected {origin!r}")
    if len(lines) % 2 or len(lines) > 2 * COUNT_MAX:
        raise CosignaturesMalformed(f"{len(lines)} lines: pairs are expected, at most {COUNT_MAX}")
    pairs = zip(lines[::2], lines[1::2], strict=True)
    found = tuple(_cosignature(origin, head, line) for head, line in pairs)
    if any(later.size <= one.size for one, later in pairwise(found)):
        raise CosignaturesMalformed("the sizes do not ascend")
    return found


def _cosignature(origin: str, head: str, line: str) -> Cosignature:
    if len(head) + len(line) > LINE_CHARACTERS_MAX:
        raise CosignaturesMalformed("a line is too long")
    size, _, root = head.partition(" ")
    # As the note that it stands for: so the spelling of every part is the note's.
    try:
        note = Note.decode(f"{origin}\n{size}\n{root}\n\n{line}\n")
        checkpoint = Checkpoint.parse(note.text)
    except (NoteMalformed, CheckpointMalformed) as error:
        raise CosignaturesMalformed(str(error)) from None
    if checkpoint.extension or len(note.signatures) != 1:
        raise CosignaturesMalformed("size and root on one line, one signature on the next")
    return Cosignature(checkpoint.size, checkpoint.root, note.signatures[0])
