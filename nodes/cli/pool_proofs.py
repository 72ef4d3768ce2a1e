"""`tally pool prove` and `tally pool verify`: single assets, checked against the ledger's root."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.markup import escape

from contracts.genesis import POOL_BOOK_ADDRESS
from contracts.pools import (
    AssetBook,
    AssetKind,
    AssetProof,
    AssetProofError,
    DayEvidence,
    StateUnproven,
)
from contracts.pools.evidence import SIZE_BYTES_MAX as STATE_BYTES_MAX
from contracts.pools.proof import SIZE_BYTES_MAX
from ledger.canonical import canonical_json
from ledger.tlog import ThresholdNotMet, TlogError, identity_of, require_threshold
from ledger.types import Address
from nodes.cli.options import AsJson, Key, Url
from nodes.cli.output import EXIT_INVALID, EXIT_UNKNOWN, out, print_json
from nodes.cli.pool import BookFile, app
from nodes.cli.pool_files import day_of
from nodes.cli.pool_sending import fetch_state
from nodes.errors import NodeError
from traceability.bundle import Trust, TrustStore

PROOF_SUFFIX: Final = ".tally-asset.json"
_KINDS: Final = {
    AssetKind.OUTSIDE: "asset outside this ledger",
    AssetKind.RECEIVABLE: "receivable",
    AssetKind.RECEIPT: "warehouse receipt",
}
_MARKS: Final = {"valid": "[green]✓[/]", "invalid": "[bold red]✗[/]", "unknown": "[yellow]?[/]"}


@app.command("prove")
def prove(
    book: BookFile,
    reference: Annotated[
        str, typer.Argument(help="What the asset is called, or its id: 0x and 64 hex digits.")
    ],
    on: Annotated[
        str | None, typer.Option("--date", help="YYYY-MM-DD. Default: the newest state's.")
    ] = None,
    revision: Annotated[
        int, typer.Option("--revision", min=0, help="Of that date's state; 0: the newest.")
    ] = 0,
    attributes: Annotated[
        bool, typer.Option("--attributes", help="Show what the asset's terms say.")
    ] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="File to write.")] = None,
    as_json: AsJson = False,
) -> None:
    """Write the proof of one asset: one file that anybody can check."""
    with AssetBook(book) as opened:
        day = opened.newest().date if on is None else day_of(on)
        proof = opened.prove(reference, day, revision, show_attributes=attributes)
    path = output or Path(f"asset-{proof.index}-{proof.date}{PROOF_SUFFIX}")
    path.write_bytes(proof.encode())
    if as_json:
        print_json({"proof": str(path), "index": proof.index, "root": f"0x{proof.root().hex()}"})
        return
    out.print(f"{path}: {reference}: {_asset(proof)}", markup=False)


@app.command("verify")
def verify(
    proof: Annotated[Path, typer.Argument(help=f"A file of `tally pool prove` ({PROOF_SUFFIX}).")],
    state: Annotated[
        Path | None,
        typer.Option(
            "--state",
            help="What GET /pools/{id}/days/{date}?evidence=true answered. Default: a node is "
            "asked for it, with a key of a party to the pool.",
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(
            "--trust", help="Trust file of the ledger. Default: the logs known in $TALLY_HOME."
        ),
    ] = None,
    contract: Annotated[
        str | None,
        typer.Option("--contract", help="PoolBook, where members have voted another version."),
    ] = None,
    url: Url = None,
    key: Key = None,
    as_json: AsJson = False,
) -> None:
    """Check that an asset stood in a pool on a date, and who has signed what.

    Exits 0 valid, 1 invalid, 3 undecided: nothing vouches for the state.
    """
    try:
        found = AssetProof.decode(_read(proof, SIZE_BYTES_MAX))
    except AssetProofError as error:
        raise AssetProofError(
            f"{proof}: no proof of an asset, as `tally pool prove` writes it: {error}"
        ) from error
    data = _fetched(found, url, key) if state is None else _read(state, STATE_BYTES_MAX)
    book = POOL_BOOK_ADDRESS if contract is None else _address(contract)
    evidence: DayEvidence | None = None
    try:
        evidence = DayEvidence.decode(data)
        steps = [
            _asset_step(found, evidence),
            _contract_step(evidence, book),
            _signature_step(evidence, trust),
        ]
    except StateUnproven as error:
        steps = [_Step("log", "invalid", str(error))]
    outcomes = [step.outcome for step in steps]
    whole = next((one for one in ("invalid", "unknown") if one in outcomes), "valid")
    if as_json:
        print_json(_json(found, evidence, steps, whole))
    else:
        _print(proof, found, steps, whole)
    raise typer.Exit({"valid": 0, "invalid": EXIT_INVALID, "unknown": EXIT_UNKNOWN}[whole])


@dataclass(frozen=True, slots=True)
class _Step:
    name: str
    outcome: str
    reason: str
    signers: tuple[str, ...] = ()


def _asset_step(proof: AssetProof, evidence: DayEvidence) -> _Step:
    try:
        evidence.check(proof)
    except AssetProofError as error:
        return _Step("asset", "invalid", str(error))
    return _Step("asset", "valid", f"number {proof.index + 1} of {proof.size} on {proof.date}")


def _contract_step(evidence: DayEvidence, book: Address) -> _Step:
    told, moment = evidence.committed, datetime.fromtimestamp(evidence.block_time, UTC)
    if evidence.contract != book:
        words = (
            f"told by 0x{evidence.contract.hex()}, not by 0x{book.hex()}: name it by --contract "
            "where members have voted it to be PoolBook"
        )
        return _Step("state", "unknown", words)
    corrected = f", revision {told.revision}" if told.revision > 1 else ""
    return _Step(
        "state",
        "valid",
        f"committed by {told.by}{corrected} in block {evidence.block_number}, "
        f"{moment:%Y-%m-%d %H:%M:%S} UTC",
    )


def _signature_step(evidence: DayEvidence, path: Path | None) -> _Step:
    trust = TrustStore().find(evidence.origin) if path is None else Trust.load(path)
    place = f"entry {evidence.index} of {evidence.size} in the log {evidence.origin!r}"
    if trust is None or trust.origin != evidence.origin:
        words = f"{place}; no trusted key of it is at hand (--trust)"
        return _Step("log", "unknown", words)
    try:
        signed = require_threshold(evidence.note, trust.keys, trust.threshold)
    except ThresholdNotMet as error:
        return _Step("log", "unknown", f"{place}: {error}")
    except TlogError as error:
        return _Step("log", "invalid", f"{place}: {error}")
    members = trust.members
    count = members.among(identity_of(one) for one in signed)
    names = tuple(one.name for one in signed)
    words = f"{place}, signed by {count} of {members.count} members: {', '.join(names)}"
    return _Step("log", "valid", words, names)


def _read(path: Path, size_bytes_max: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes_max + 1)


def _fetched(proof: AssetProof, url: str | None, key: str | None) -> bytes:

    pool, day = f"0x{proof.pool.hex()}", proof.date.isoformat()
    return canonical_json(fetch_state(pool, day, proof.revision, url, key))


def _address(text: str) -> Address:
    try:
        data = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        data = b""
    if len(data) != 20:
        raise NodeError(f"--contract {text[:60]!r}: 0x and 40 hex digits are meant")
    return Address(data)


def _asset(proof: AssetProof) -> str:
    asset = proof.asset
    late = f", {asset.days_past_due} days past due" if asset.days_past_due else ""
    return (
        f"{_KINDS[asset.kind]} 0x{asset.id.hex()} owed {asset.balance} hundredths of the pool's "
        f"currency on {proof.date}, {asset.state.name.lower()}{late}"
    )


def _json(
    proof: AssetProof, evidence: DayEvidence | None, steps: list[_Step], whole: str
) -> dict[str, Any]:
    signers = [name for step in steps for name in step.signers]
    return {
        "verdict": whole,
        "steps": [
            {"name": one.name, "outcome": one.outcome, "reason": one.reason} for one in steps
        ],
        "asset": {
            "id": f"0x{proof.asset.id.hex()}",
            "kind": proof.asset.kind.name.lower(),
            "balance": str(proof.asset.balance),
            "state": proof.asset.state.name.lower(),
            "daysPastDue": proof.asset.days_past_due,
        },
        "attributes": None if proof.attributes is None else dict(proof.attributes),
        "pool": f"0x{proof.pool.hex()}",
        "date": proof.date.isoformat(),
        "revision": proof.revision,
        "by": None if evidence is None else evidence.committed.by,
        "block": None if evidence is None else evidence.block_number,
        "origin": None if evidence is None else evidence.origin,
        "leaf": None if evidence is None else evidence.index,
        "signers": signers,
    }


def _print(path: Path, proof: AssetProof, steps: list[_Step], whole: str) -> None:
    out.print(f"{path}: {whole}", markup=False, style="bold")
    for step in steps:
        out.print(f"  {_MARKS[step.outcome]} {step.name:6} {escape(step.reason)}")
    if whole != "invalid":
        out.print(f"  {_asset(proof)}", markup=False)
