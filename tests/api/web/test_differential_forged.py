"""What a hostile member, or a hostile log with the right key, could write: both verifiers agree.

Everything here is hashed, logged and signed properly, so that no broken hash hides the question.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from contracts.provenance import BATCH_ANCHORED_TOPIC, PROVENANCE_ADDRESS, Batch
from ledger.canonical import canonical_json
from ledger.tlog import Checkpoint, NoteSigner, SignatureType, TlogProof, leaf_hash, root_of
from ledger.tlog.note import Note
from tests.api.web.story_answers import ORIGIN, Json, StoryLog, story_log
from tests.api.web.test_differential import Case, javascript_answers, python_answer
from traceability.epcis import event_id

pytestmark = [pytest.mark.feature("T5"), pytest.mark.feature("L4")]

LOG_KEY = NoteSigner(ORIGIN, b"\1" * 32)
MEMBERS = [NoteSigner(f"member-{n}.example", bytes([n]) * 32) for n in (2, 3)]
NUMBER = b'"tally:x":0'


@pytest.fixture(scope="module")
def log() -> StoryLog:
    return story_log()


def test_verdicts_agree_on_what_is_properly_signed(
    require: Callable[[str], str], project_root: Path, log: StoryLog
) -> None:
    cases = list(forged(dict(log.entries[0].body)))
    answers = javascript_answers(
        require("node"), project_root, [case for _, case, _ in cases], bundled=False
    )
    for (name, (data, trust), expected), javascript in zip(cases, answers, strict=True):
        assert (python_answer(data, trust), javascript) == (expected, expected), name


def forged(event: Json) -> Iterator[tuple[str, Case, str]]:
    """What it is, bundle and trust, and the verdict that is right."""
    yield "sound", forge(event), "valid format"
    yield from forged_events(event)
    yield from forged_leaves(event)
    yield from forged_notes(event)


def forged_events(event: Json) -> Iterator[tuple[str, Case, str]]:
    recorded = event | {"recordTime": "2026-01-01T00:00:00.000Z"}
    yield "record time of its own", forge(recorded), "invalid event"
    declared = event | {"errorDeclaration": {"declarationTime": "2026-01-02T00:00:00.000Z"}}
    yield "error declaration", forge(declared), "valid format"
    for name in ("__proto__", "constructor", "toString", "hasOwnProperty"):
        odd = event | {name: {name: "x"}, "@context": [*context(event), {name: "urn:x:"}]}
        yield f"a member named {name}", forge(odd), "valid format"
    for number in ("1e+21", "1e+300", "-1e+21", "9007199254740992", "9007199254740993"):
        data, trust = forge(event | {"tally:x": 0})
        yield f"the number {number}", (respelled(data, number), trust), "invalid format"
    for text in ("\u00e9", "e\u0301", "\U0001f600", "\uffff", "\u202eabc", "\0"):
        case = forge(event | {"tally:text": text, text: 1})
        yield f"the text {text!r}", case, "valid format"
    composed, decomposed = (forge(event | {"tally:x": text})[0] for text in ("\u00e9", "e\u0301"))
    mixed = json.loads(composed) | {"event": json.loads(decomposed)["event"]}
    yield "another normal form", (line(mixed), trust_of()), "invalid event"


def forged_leaves(event: Json) -> Iterator[tuple[str, Case, str]]:
    word = (1).to_bytes(32, "big")
    for name, change in {
        "bytes behind the data": {"data": hexed(word + bytes(32) + b"\0")},
        "a count beyond uint32": {"data": hexed(((1 << 32) + 1).to_bytes(32, "big") + bytes(32))},
        "an unknown visibility": {"data": hexed(word + (3).to_bytes(32, "big"))},
        "a visibility beyond uint8": {"data": hexed(word + (256).to_bytes(32, "big"))},
        "a submitter of more than 20 bytes": {"topic 3": hexed(b"\1" + bytes(31))},
        "a fifth topic": {"topic 4": hexed(bytes(32))},
        "no organisation": {"topic 2": hexed(bytes(32))},
        "an organisation with a gap": {"topic 2": hexed(b"a\0b".ljust(32, b"\0"))},
        "an organisation in capitals": {"topic 2": hexed(b"FARM".ljust(32, b"\0"))},
        "another event of the contract": {"topic 0": hexed(b"\2" * 32)},
        "another contract": {"address": "0x" + "33" * 20},
        "a later year than calendars have": {"blockTime": 253_402_300_800},
        "digested data": {"data": None, "dataDigest": hexed(bytes(32))},
        "a type of its own": {"type": "block"},
        "a number as text": {"blockNumber": "1"},
        "half a number": {"logIndex": 0.5},
    }.items():
        yield name, forge(event, leaf=change), "invalid leaf"
    other = {"address": "0x" + "33" * 20, "blockNumber": 7}
    for since, expected in ((1, "valid format"), (7, "valid format"), (8, "invalid leaf")):
        data, trust = forge(event, leaf=other)
        first = {"consortium": "0x" + "11" * 20, "provenance": hexed(PROVENANCE_ADDRESS)}
        later = {"address": other["address"], "fromBlock": since}
        both = first | {"provenance": [first["provenance"], later]}
        yield f"a version named in block {since}", (data, trust | {"contracts": both}), expected
    block = {"blockHash": hexed(bytes(32)), "blockNumber": 1, "blockTime": 1, "type": "block"}
    yield "a block's leaf", forge(event, whole_leaf=block), "invalid leaf"


def forged_notes(event: Json) -> Iterator[tuple[str, Case, str]]:
    both = [LOG_KEY, LOG_KEY.cosigner()]
    one_key_twice = forge(event, signers=both, keys=[*both, MEMBERS[0]], threshold=2)
    yield "one key under two kinds", one_key_twice, "unknown checkpoint"
    too_few = forge(event, signers=both, keys=both, threshold=2)
    yield "a threshold that one key cannot meet", too_few, "trust refused"
    yield (
        "twice the same signature",
        forge(event, signers=[LOG_KEY, LOG_KEY], keys=[LOG_KEY, *MEMBERS], threshold=2),
        "unknown checkpoint",
    )
    yield (
        "two of three",
        forge(event, signers=MEMBERS, keys=[LOG_KEY, *MEMBERS], threshold=2),
        "valid format",
    )
    stranger = NoteSigner("stranger.example", b"\7" * 32)
    yield (
        "a stranger's signature beside",
        forge(event, signers=[stranger, LOG_KEY], keys=[LOG_KEY]),
        "valid format",
    )
    namesake = NoteSigner(ORIGIN, b"\x08" * 32)
    yield (
        "a stranger with the log's name",
        forge(event, signers=[namesake], keys=[LOG_KEY]),
        "unknown checkpoint",
    )
    yield "an origin like the trusted one", forge(event, origin=ORIGIN + "\u200b"), "unknown leaf"
    for moment in (0, 2**63 - 1):
        yield f"cosigned at {moment}", cosigned(event, moment), "valid format"
    yield "cosigned beyond all time", cosigned(event, 2**63), "invalid checkpoint"
    extended = forge(event, extension=("x", "y" * 1000))
    yield "a checkpoint with further lines", extended, "valid format"


def forge(
    event: Json,
    *,
    leaf: Json | None = None,
    whole_leaf: Json | None = None,
    signers: list[NoteSigner] | None = None,
    keys: list[NoteSigner] | None = None,
    threshold: int = 1,
    origin: str = ORIGIN,
    extension: tuple[str, ...] = (),
) -> Case:
    """A bundle of one event in a log of one leaf, with the trust that goes with it."""
    digest = sha256(canonical_json(event)).hexdigest()
    identity = event_id(event)
    root = Batch.of([(identity, digest)]).root
    written = whole_leaf or changed_leaf(root, leaf or {})
    root_hash = root_of([leaf_hash(canonical_json(written))])
    text = Checkpoint(origin, 1, root_hash, extension).text
    note = Note(text, tuple(one.sign(text, 1) for one in signers or [LOG_KEY])).encode()
    bundle = {
        "format": "tallystick-proof/1",
        "eventID": identity,
        "event": event,
        "batch": {"index": 0, "count": 1, "path": []},
        "leaf": written,
        "proof": TlogProof(0, (), note).encode(),
    }
    return line(bundle), trust_of(keys, threshold)


def changed_leaf(root: bytes, change: Json) -> Json:
    topics = [
        hexed(BATCH_ANCHORED_TOPIC),
        hexed(root),
        hexed(b"farm".ljust(32, b"\0")),
        hexed(b"\x11" * 20, 32),
    ]
    for number in range(5):
        if f"topic {number}" in change:
            topics[number : number + 1] = [str(change[f"topic {number}"])]
    fields: Json = {
        "address": hexed(PROVENANCE_ADDRESS),
        "blockNumber": 1,
        "blockTime": 1_767_225_600,
        "data": hexed((1).to_bytes(32, "big") + bytes(32)),
        "logIndex": 0,
        "topics": topics,
        "transactionHash": hexed(b"\2" * 32),
        "type": "event",
    } | {name: value for name, value in change.items() if not name.startswith("topic ")}
    return {name: value for name, value in fields.items() if value is not None}


def cosigned(event: Json, moment: int) -> Case:
    witness = NoteSigner("witness.example", b"\5" * 32, SignatureType.COSIGNATURE)
    data, trust = forge(event, signers=[witness], keys=[witness])
    bundle = json.loads(data)
    proof = TlogProof.decode(bundle["proof"])
    text = Note.decode(proof.checkpoint_note).text
    note = Note(text, (witness.sign(text, moment),)).encode()
    return line(bundle | {"proof": TlogProof(0, (), note).encode()}), trust


def trust_of(keys: list[NoteSigner] | None = None, threshold: int = 1) -> Json:
    return {
        "format": "tallystick-trust/1",
        "name": "Demo consortium",
        "origin": ORIGIN,
        "keys": [key.vkey for key in keys or [LOG_KEY]],
        "threshold": threshold,
        "chainId": 827166,
        "contracts": {"consortium": "0x" + "11" * 20, "provenance": hexed(PROVENANCE_ADDRESS)},
    }


def respelled(data: bytes, number: str) -> bytes:
    """The bundle with a number that strict writers refuse; its hashes no longer matter."""
    assert data.count(NUMBER) == 1
    return data.replace(NUMBER, b'"tally:x":' + number.encode())


def context(event: Json) -> list[object]:
    value = event["@context"]
    assert isinstance(value, list)
    return value


def hexed(data: bytes, size: int = 0) -> str:
    return "0x" + data.rjust(size, b"\0").hex()


def line(bundle: Json) -> bytes:
    return canonical_json(bundle) + b"\n"


def test_base64_has_one_spelling(
    require: Callable[[str], str], project_root: Path, log: StoryLog
) -> None:
    bundle = log.bundle(log.entries[5])
    proof = str(bundle["proof"])
    spelled = proof.split("\n")[2]
    raw = base64.b64decode(spelled)
    others = [
        spelled.rstrip("="),
        spelled[:-2] + chr(ord(spelled[-2]) + 1) + "=",
        base64.urlsafe_b64encode(raw).decode().replace("=", "%3D"),
        spelled + "=",
        spelled[:10] + " " + spelled[10:],
        raw.hex(),
    ]
    cases = [(line(bundle | {"proof": proof.replace(spelled, one)}), log.trust) for one in others]
    javascript = javascript_answers(require("node"), project_root, cases, bundled=False)
    python = [python_answer(data, trust) for data, trust in cases]
    assert python == javascript
    assert all(answer.startswith("invalid") for answer in python)
