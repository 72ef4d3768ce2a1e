"""The proof bundle as bytes (docs/proof-format.md, section 5)."""

from __future__ import annotations

from dataclasses import dataclass

from contracts.provenance import COUNT_MAX
from ledger.canonical import CanonicalError, JsonError, canonical_json, parse_json
from ledger.tlog import HASH_SIZE_BYTES, TlogError, TlogProof
from ledger.tlog.encoding import decode_base64, encode_base64
from traceability.bundle.errors import BundleFormatUnknown, BundleMalformed
from traceability.epcis import DEPTH_MAX as EVENT_DEPTH_MAX

FORMAT = "tallystick-proof/1"
FILE_SUFFIX = ".tally-proof.json"
BUNDLE_SIZE_BYTES_MAX = 8 * 1024 * 1024
BATCH_PATH_LENGTH_MAX = (COUNT_MAX - 1).bit_length()
DEPTH_MAX = EVENT_DEPTH_MAX + 2
_FORMAT_FAMILY = "tallystick-proof/"
_NAMES = frozenset(("format", "eventID", "event", "batch", "leaf", "proof"))
_BATCH_NAMES = frozenset(("index", "count", "path"))


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Where an event stands in its batch."""

    index: int
    count: int
    """Events in the batch, 1 to 10,000."""
    path: tuple[bytes, ...]
    """Inclusion path, from the leaf's sibling up; 32 bytes each."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof bundle, well-formed and not verified."""

    event_id: str
    event: bytes
    """JCS bytes of the anchored event."""
    batch: BatchPlace
    leaf: bytes
    """JCS bytes of the log leaf."""
    proof: str
    """C2SP tlog-proof text with the signed checkpoint."""

    def encode(self) -> bytes:
        """The file's bytes: JCS and a newline."""
        return self.json() + b"\n"

    def json(self) -> bytes:
        """The JCS bytes of the bundle, to be put into other JSON as they are.

        `event` and `leaf` are JCS already: they are joined, not parsed again.
        """
        batch = {
            "count": self.batch.count,
            "index": self.batch.index,
            "path": [encode_base64(value) for value in self.batch.path],
        }
        members = (
            (b"batch", canonical_json(batch)),
            (b"event", self.event),
            (b"eventID", canonical_json(self.event_id)),
            (b"format", canonical_json(FORMAT)),
            (b"leaf", self.leaf),
            (b"proof", canonical_json(self.proof)),
        )
        return b"{" + b",".join(b'"%b":%b' % member for member in members) + b"}"

    @classmethod
    def decode(cls, data: bytes) -> Bundle:
        """Read a file's bytes; any other spelling of the same object is refused.

        Raises `BundleMalformed`, `BundleFormatUnknown`.
        """
        fields = _fields(data)
        event_id, event, leaf, proof = (fields[n] for n in ("eventID", "event", "leaf", "proof"))
        if not isinstance(event_id, str) or not isinstance(proof, str):
            raise BundleMalformed("eventID and proof must be texts")
        if not isinstance(event, dict) or not isinstance(leaf, dict):
            raise BundleMalformed("event and leaf must be objects")
        batch = _batch(fields["batch"])
        return cls(event_id, canonical_json(event), batch, canonical_json(leaf), proof)


def log_origin(bundle: Bundle) -> str | None:
    """Which log a bundle says it comes from; None where it does not say. Nothing is verified."""
    try:
        return TlogProof.decode(bundle.proof).checkpoint().origin
    except TlogError:
        return None


def _fields(data: bytes) -> dict[str, object]:
    try:
        fields = parse_json(data, size_bytes_max=BUNDLE_SIZE_BYTES_MAX, depth_max=DEPTH_MAX)
        canonical = canonical_json(fields) + b"\n"
    except (JsonError, CanonicalError) as error:
        raise BundleMalformed(f"not the JSON of a proof bundle: {error}") from None
    if not isinstance(fields, dict):
        raise BundleMalformed("not a proof bundle: no JSON object")
    form = fields.get("format")
    if form != FORMAT:
        if isinstance(form, str) and form.startswith(_FORMAT_FAMILY):
            raise BundleFormatUnknown(f"format {form[:60]!r}; this program knows {FORMAT!r}")
        raise BundleMalformed(f"not a proof bundle: the format is not {FORMAT!r}")
    if fields.keys() != _NAMES:
        odd = ", ".join(sorted(name[:40] for name in fields.keys() ^ _NAMES)[:5])
        raise BundleMalformed(f"members missing or too many: {odd}")
    if canonical != data:
        raise BundleMalformed(
            "not spelled as canonical JSON (RFC 8785) with one newline: the file was edited or "
            "written anew by a program that does not keep every byte"
        )
    return fields


def _batch(batch: object) -> BatchPlace:
    if not isinstance(batch, dict) or batch.keys() != _BATCH_NAMES:
        raise BundleMalformed("batch must have index, count and path, and nothing else")
    index, count, path = batch["index"], batch["count"], batch["path"]
    if type(count) is not int or not 1 <= count <= COUNT_MAX:
        raise BundleMalformed(f"batch: count is not a number from 1 to {COUNT_MAX}")
    if type(index) is not int or not 0 <= index < count:
        raise BundleMalformed("batch: index is not a number from 0 to count less one")
    if not isinstance(path, list) or len(path) > BATCH_PATH_LENGTH_MAX:
        raise BundleMalformed(f"batch: path is no list of at most {BATCH_PATH_LENGTH_MAX}")
    return BatchPlace(index, count, tuple(_hash(value) for value in path))


def _hash(value: object) -> bytes:
    try:
        found = decode_base64(value if isinstance(value, str) else "?")
    except ValueError as error:
        raise BundleMalformed(f"batch: path: {error}") from None
    if len(found) != HASH_SIZE_BYTES:
        raise BundleMalformed(f"batch: path: a hash of {len(found)} bytes")
    return found
