"""Python and JavaScript give the same verdict, on sound bundles and on spoiled ones."""

from __future__ import annotations

import base64
import copy
import json
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.canonical import CanonicalError, canonical_json
from tests.api.web.story_answers import Json, StoryLog, story_log
from traceability.bundle import Outcome, Trust, TrustMalformed, verify_bundle

pytestmark = [pytest.mark.feature("T5"), pytest.mark.feature("L4")]

Case = tuple[bytes, Json | None]


@pytest.mark.parametrize("bundled", [False, True], ids=["own cryptography", "bundled cryptography"])
def test_verdicts_agree(
    require: Callable[[str], str], project_root: Path, log: StoryLog, bundled: bool
) -> None:
    cases = list(all_cases(log))
    assert len(cases) > 300
    python = [python_answer(data, trust) for data, trust in cases]
    javascript = javascript_answers(require("node"), project_root, cases, bundled)
    for (data, trust), ours, theirs in zip(cases, python, javascript, strict=True):
        assert ours == theirs, (data[:3000], trust)
    assert {answer.split()[0] for answer in python} >= {"valid", "invalid", "unknown"}


def test_no_spoiled_bundle_is_valid() -> None:
    # All three keys must sign: a surplus signature may be spoilt into a stranger's, which signed
    # notes pass over.
    log = story_log(cosigners=2, threshold=3)
    trust = Trust.parse(json.dumps(log.trust).encode())
    for data in spoiled(log):
        assert verify_bundle(data, trust).outcome is not Outcome.VALID, data[:2000]


def python_answer(data: bytes, trust: Json | None) -> str:
    try:
        read = None if trust is None else Trust.parse(json.dumps(trust).encode())
    except TrustMalformed:
        return "trust refused"
    verdict = verify_bundle(data, read)
    step = next(step for step in verdict.steps if step.outcome == verdict.outcome)
    return f"{verdict.outcome} {step.name}"


def javascript_answers(
    node: str, project_root: Path, cases: list[Case], bundled: bool
) -> list[str]:
    question = {
        "cases": [
            {"bundle": base64.b64encode(data).decode(), "trust": trust} for data, trust in cases
        ]
    }
    command = [node, str(project_root / "tests" / "js" / "verify_many.mjs")]
    done = subprocess.run(
        [*command, "--bundled"] if bundled else command,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        timeout=100,
        check=True,
    )
    answers = json.loads(done.stdout)
    assert isinstance(answers, list)
    return answers


def all_cases(log: StoryLog) -> Iterator[Case]:
    bundles = [log.bundle(entry) for entry in log.entries]
    for bundle in bundles:
        yield encoded(bundle), log.trust
    for trust in trusts(log):
        yield encoded(bundles[4]), trust
    for data in spoiled(log):
        yield data, log.trust


def trusts(log: StoryLog) -> Iterator[Json | None]:
    yield None
    keys = log.trust["keys"]
    assert isinstance(keys, list)
    for change in (
        {"threshold": 3},
        {"threshold": 4},
        {"threshold": 0},
        {"threshold": True},
        {"origin": "tallystick.example/other"},
        {"contracts": {"consortium": "0x" + "00" * 20, "provenance": "0x" + "11" * 20}},
        {"contracts": {"provenance": "0x" + "11" * 20}},
        {"keys": keys[1:], "threshold": 2},
        {"keys": [keys[0], keys[0]], "threshold": 1},
        {"keys": [], "threshold": 1},
        {"keys": [keys[0][:-4] + "AAA="], "threshold": 1},
        {"keys": ["nothing"], "threshold": 1},
        {"name": ""},
        {"chainId": 0},
        {"format": "tallystick-trust/2"},
        {"more": 1},
        {"genesis": {"document": "ab" * 32}},
        {"genesis": {"document": "ab" * 32, "engine": "cd" * 32}},
        {"genesis": None},
        {"genesis": {}},
        {"genesis": {"engine": "cd" * 32}},
        {"genesis": {"document": "AB" * 32}},
        {"genesis": {"document": "ab" * 31}},
        {"genesis": {"document": "ab" * 32, "engine": None}},
        {"genesis": {"document": "ab" * 32, "more": "cd" * 32}},
        *({"contracts": contracts} for contracts in contracts_of(log)),
    ):
        yield {**log.trust, **change}


def contracts_of(log: StoryLog) -> Iterator[object]:
    """The trust file's contracts: versions of Provenance as they may and as they must not stand."""
    own = log.trust["contracts"]
    assert isinstance(own, dict)
    first, other, third = str(own["provenance"]), "0x" + "22" * 20, "0x" + "33" * 20
    for provenance in (
        [first],
        [first, version(other, 1)],
        [other, version(first, 1)],
        [other, version(first, 1 << 40)],
        [first, version(other, 7), version(third, 7)],
        [first, version(other, 7), version(third, 6)],
        [first, version(other, 7), version(other, 8)],
        [first, version(first, 7)],
        [first, version(other, 0)],
        [first, version(other, -1)],
        [first, version(other, True)],
        [first, version(other, 1.5)],
        [first, version(other, "1")],
        [first, version(other, 1 << 53)],
        [first, version(other, None)],
        [first, version("0x22", 1)],
        [first, version(None, 1)],
        [first, {**version(other, 1), "more": 1}],
        [first, {"address": other}],
        [first, other],
        [first, [other]],
        [first, None],
        [version(first, 1)],
        [],
        [[first]],
        {"address": first, "fromBlock": 1},
        None,
        1,
        [first, *(version(f"0x{number:040x}", number) for number in range(1, 32))],
        [first, *(version(f"0x{number:040x}", number) for number in range(1, 33))],
    ):
        yield {**own, "provenance": provenance}
    for directory in (other, "0x22", None, [other], ""):
        yield {**own, "directory": directory}
    yield {**own, "directory": other, "more": other}
    yield {**own, "provenance": [other, version(first, 1)], "directory": third}
    yield [first]


def version(address: object, from_block: object) -> Json:
    return {"address": address, "fromBlock": from_block}


def spoiled(log: StoryLog) -> Iterator[bytes]:
    """Bundles with one thing wrong: every field, every byte class, and whole parts exchanged."""
    shapes = [log.bundle(log.entries[number]) for number in (0, 5, 10, 20)]
    for bundle in shapes:
        for path in paths(bundle):
            for change in changes(at(bundle, path)):
                try:
                    data = encoded(changed(bundle, path, change))
                except CanonicalError:
                    continue
                if data != encoded(bundle):
                    yield data
    first, other = shapes[0], shapes[2]
    for part in ("event", "eventID", "batch", "leaf", "proof"):
        yield encoded({**first, part: other[part]})
    yield encoded({**first, "format": "tallystick-proof/2"})
    yield encoded({**first, "more": 1})
    yield from mangled(encoded(first))


def mangled(data: bytes) -> Iterator[bytes]:
    yield from (
        data[:-1],
        data + b"\n",
        b" " + data,
        data[: len(data) // 2],
        b"",
        b"null\n",
        b"[]\n",
    )
    yield b"\xef\xbb\xbf" + data
    yield data.replace(b'"eventID":', b'"eventID":"x","eventID":', 1)
    yield b"[" * 500 + b"]" * 500 + b"\n"
    chance = random.Random(20260101)
    for _ in range(60):
        place = chance.randrange(len(data))
        spoilt = bytearray(data)
        spoilt[place] ^= 1 << chance.randrange(8)
        yield bytes(spoilt)


def changes(value: object) -> Iterator[object]:
    if isinstance(value, str):
        yield from (value + "x", value[1:], 7, None)
        if value:
            middle = len(value) // 2
            yield value[:middle] + ("1" if value[middle] != "1" else "2") + value[middle + 1 :]
    elif isinstance(value, bool) or value is None:
        yield "x"
    elif isinstance(value, int | float):
        yield from (value + 1, -1, 2**53 - 1, str(value), None)
    elif isinstance(value, list):
        yield from ([], [*value, "x"], {})
        if len(value) > 1 and value[0] != value[-1]:
            yield [*value[1:], value[0]] if not isinstance(value[0], str | dict) else value[:-1]
    elif isinstance(value, dict):
        yield {**value, "further": "x"}
        yield "x"


def paths(value: object, prefix: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in a JSON value below its root; of long lists the first two items."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield (*prefix, key)
            yield from paths(inner, (*prefix, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:2]):
            yield (*prefix, index)
            yield from paths(inner, (*prefix, index))


def at(value: object, path: tuple[str | int, ...]) -> object:
    for step in path:
        value = value[step]  # type: ignore[index]  # the path came from this value
    return value


def changed(bundle: Json, path: tuple[str | int, ...], change: object) -> Json:
    spoilt = copy.deepcopy(bundle)
    parent = at(spoilt, path[:-1])
    parent[path[-1]] = change  # type: ignore[index]  # the path came from this value
    return spoilt


def encoded(bundle: Json) -> bytes:
    return canonical_json(bundle) + b"\n"
