"""Commands that write and read records through a node's HTTP interface."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.canonical import canonical_json
from nodes.cli.history import check_histories, history_json, is_broken, print_histories
from nodes.cli.journey import print_journey, worst
from nodes.cli.options import AsJson, Key, Url
from nodes.cli.output import (
    EXIT_BAD_INPUT,
    EXIT_INVALID,
    EXIT_UNKNOWN,
    err,
    out,
    print_json,
    program,
    progress,
)
from nodes.client import CaptureOutcome, NodeClient, find_address
from nodes.errors import NodeError, RequestRefused
from traceability.bundle import Outcome, Trust, Verdict, known_trust, verify_bundle
from traceability.gs1 import parse_identifier
from traceability.gs1.keys import DOMAIN


def capture(
    files: Annotated[list[str], typer.Argument(help="EPCIS 2.0 JSON documents; - reads stdin.")],
    url: Url = None,
    key: Key = None,
    proceed: Annotated[
        bool, typer.Option("--proceed", help="Capture the valid events even if others are not.")
    ] = False,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the events are provable.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Capture EPCIS documents: each becomes events on the ledger, or is refused with reasons."""
    documents = [("stdin" if name == "-" else name, _read(name)) for name in files]
    outcomes: list[tuple[str, CaptureOutcome | str]] = []
    with NodeClient(find_address(url, key)) as node:
        mode = "proceed" if proceed else "rollback"
        with progress("capturing", len(documents), not as_json) as done:
            jobs = [(name, _submit(node, body, mode)) for name, body in documents]
            for index, (name, job) in enumerate(jobs, 1):
                if isinstance(job, str) and wait:
                    outcomes.append((name, node.wait(job)))
                else:
                    outcomes.append((name, job))
                done(index)
    if as_json:
        print_json({"captures": [_capture_json(*one) for one in outcomes]})
    else:
        for name, outcome in outcomes:
            _print_capture(name, outcome)
    if any(isinstance(one, CaptureOutcome) and not one.success for _, one in outcomes):
        raise typer.Exit(EXIT_BAD_INPUT)


def trace(
    epc: Annotated[str, typer.Argument(help="EPC URN, GS1 Digital Link, or a path such as /01/…")],
    url: Url = None,
    trust: Annotated[
        Path | None, typer.Option("--trust", help="Trust file to check each proof with.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show where an item has been, who said so, and check every proof here, offline.

    Exits 1 where a proof is invalid, 3 where one cannot be decided on.
    """
    with NodeClient(find_address(url, None)) as node:
        item = node.item(_item_path(epc))
    checked = []
    with progress("checking", len(item["journey"]), not as_json) as done:
        for index, step in enumerate(item["journey"], 1):
            checked.append(_check(step["bundle"], trust))
            done(index)
    if not checked:
        raise RequestRefused(f"the node knows of no event about {epc}")
    histories = check_histories(checked, find_address(url, None))
    verdicts = [str(verdict.outcome) for _, verdict in checked]
    # A log that contradicts what was seen of it vouches for nothing.
    whole = str(Outcome.INVALID) if is_broken(histories) else worst(verdicts)
    if as_json:
        for step, verdict in zip(item["journey"], verdicts, strict=True):
            step["verdict"] = verdict
        told = [history_json(one) for one in histories]
        print_json({**item, "verdict": whole, "histories": told})
    else:
        print_journey(out, item, verdicts)
        print_histories(histories)
    if whole != Outcome.VALID:
        raise typer.Exit(EXIT_INVALID if whole == Outcome.INVALID else EXIT_UNKNOWN)


def proof(
    event_id: Annotated[str, typer.Argument(help="Event id (ni:///sha-256;…?ver=CBV2.0).")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Fetch the proof of an event: one file that anybody can check offline."""
    with NodeClient(find_address(url, None)) as node:
        bundle = node.proof(event_id)
    path = output or Path(f"{_short(event_id)}.tally-proof.json")
    path.write_bytes(bundle)
    if as_json:
        print_json({"eventID": event_id, "bundle": str(path), "sizeBytes": len(bundle)})
    else:
        out.print(
            f"{path}: {len(bundle)} bytes; check it with `{program()} verify {path}`", markup=False
        )


def _submit(node: NodeClient, body: bytes, mode: str) -> CaptureOutcome | str:
    """The job, or the refusal: other documents are handed in all the same."""
    try:
        return node.submit(body, mode)
    except RequestRefused as refused:
        return CaptureOutcome("", False, (), (str(refused),), (), {})


def _read(name: str) -> bytes:
    data = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    if data[:100].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"<":
        raise NodeError(f"{name}: XML is not read yet; send EPCIS 2.0 JSON")
    return data


def _item_path(epc: str) -> str:
    """Path under which a node answers for the item."""
    if epc.startswith("/"):
        epc = DOMAIN + epc
    return parse_identifier(epc).digital_link(whole=True).removeprefix(DOMAIN)


def _check(bundle: dict[str, Any], trust_path: Path | None) -> tuple[bytes, Verdict]:
    data = canonical_json(bundle) + b"\n"
    trust = Trust.load(trust_path) if trust_path else known_trust(data)
    return data, verify_bundle(data, trust)


def _short(event_id: str) -> str:
    return event_id.removeprefix("ni:///sha-256;").split("?", 1)[0][:16] or "event"


def _capture_json(name: str, outcome: CaptureOutcome | str) -> dict[str, object]:
    if isinstance(outcome, str):
        return {"file": name, "job": outcome, "running": True}
    return {
        "file": name,
        "job": outcome.job or None,
        "success": outcome.success,
        "eventIDs": list(outcome.event_ids),
        "alreadyPresent": list(outcome.already_present),
        "errors": list(outcome.errors),
    }


def _print_capture(name: str, outcome: CaptureOutcome | str) -> None:
    if isinstance(outcome, str):
        out.print(f"{name}: accepted as {outcome}", markup=False)
        return
    if outcome.event_ids:
        known = len(outcome.already_present)
        before = f" ({known} of them from before)" if known else ""
        out.print(f"{name}: {_events(len(outcome.event_ids))} on the ledger{before}", markup=False)
        for event_id in outcome.event_ids:
            out.print(f"  {event_id}", markup=False)
    if outcome.success:
        return
    rest = "the rest " if outcome.event_ids else ""
    err.print(f"{name}: {rest}refused", markup=False)
    for line in outcome.errors:
        err.print(f"  {line}", markup=False)


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"
