"""Structs of the contracts of models as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from contracts.artifact import Artifact
from contracts.consortium import organisation_id_text
from contracts.instruments.records import code_text, hash_of
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.models.types import (
    Batch,
    Budget,
    Calls,
    Contribution,
    DataSet,
    Fault,
    FaultKind,
    Grant,
    Mark,
    Mode,
    ModelShare,
    Part,
    Party,
    Payment,
    Project,
    Release,
    ReleaseDraft,
    Round,
    Run,
    RunDraft,
    Terms,
)
from ledger.types import Hash32


def output_of(artifact: Artifact, name: str) -> Mapping[str, Any]:
    """What a function answers, as the ABI has it."""
    entry = next(e for e in artifact.abi if e["type"] == "function" and e["name"] == name)
    shape: Mapping[str, Any] = entry["outputs"][0]
    return shape


def _shapes(artifact: Artifact) -> dict[str, Mapping[str, Any]]:
    """Structs of events by their names in Solidity, wherever they stand."""
    found: dict[str, Mapping[str, Any]] = {}

    def look(parameter: Mapping[str, Any]) -> None:
        if "components" in parameter:
            name = str(parameter["internalType"]).rpartition(".")[2].removesuffix("[]")
            found[name] = parameter
            for part in parameter["components"]:
                look(part)

    for entry in artifact.abi:
        if entry["type"] == "event":
            for parameter in entry["inputs"]:
                look(parameter)
    return found


_SHAPES: Final = {
    **_shapes(MODELS_ARTIFACT),
    **{name: s for name, s in _shapes(RUNS_ARTIFACT).items() if name != "Draft"},
    **{name: s for name, s in _shapes(RELEASES_ARTIFACT).items() if name != "Draft"},
}


def members(shape: Mapping[str, Any], value: Any) -> Any:
    """A struct as a dictionary, with the structs within it."""
    kind = str(shape["type"])
    if not kind.startswith("tuple"):
        return value
    if kind.endswith("[]"):
        return [members({**shape, "type": "tuple"}, one) for one in value]
    parts: Sequence[Mapping[str, Any]] = shape["components"]
    return {part["name"]: members(part, one) for part, one in zip(parts, value, strict=True)}


def struct_of(name: str, value: Any) -> Any:
    """The value of a struct of that name by its members, all the way down."""
    return members(_SHAPES[name], value)


def _organisations(words: Sequence[bytes]) -> tuple[str, ...]:
    return tuple(organisation_id_text(word) for word in words)


def _hashes(words: Sequence[bytes]) -> tuple[Hash32, ...]:
    return tuple(Hash32(bytes(word)) for word in words)


def _places(bits: int) -> tuple[int, ...]:
    return tuple(place for place in range(bits.bit_length()) if bits >> place & 1)


def read_budget(values: Mapping[str, Any]) -> Budget:
    """A budget."""
    return Budget(values["epsilon"], values["delta"])


def _terms(values: Mapping[str, Any]) -> Terms | None:
    document = hash_of(values["document"])
    if document is None:
        return None
    return Terms(
        document=document,
        algorithms=tuple(code_text(one) for one in values["algorithms"]),
        codes=_hashes(values["codes"]),
        budget=read_budget(values["budget"]),
        price=values["price"],
        currency=code_text(values["currency"]),
        shares=tuple(values["shares"]),
        until=values["until"],
    )


def read_project(values: Mapping[str, Any]) -> Project:
    """A project."""
    parties = _organisations(values["parties"])
    parts = [Part(part) for part in values["parts"]]
    return Project(
        proposer=organisation_id_text(values["proposer"]),
        number=code_text(values["number"]),
        parties=tuple(Party(one, part) for one, part in zip(parties, parts, strict=True)),
        version=values["version"],
        accepted=tuple(parties[place] for place in _places(values["accepted"])),
        terms=_terms(values["terms"]),
        proposed=_terms(values["proposed"]),
    )


def read_data_set(values: Mapping[str, Any]) -> DataSet:
    """A data set."""
    return DataSet(
        owner=organisation_id_text(values["owner"]),
        number=code_text(values["number"]),
        schema=Hash32(values["schema"]),
        rows=values["rows"],
        commitment=Hash32(values["commitment"]),
        quality=Hash32(values["quality"]),
        replaces=hash_of(values["replaces"]),
    )


def read_grant(values: Mapping[str, Any]) -> Grant:
    """A grant."""
    return Grant(
        owner=organisation_id_text(values["owner"]),
        number=code_text(values["number"]),
        data_set=Hash32(values["dataSet"]),
        project=Hash32(values["project"]),
        fields=Hash32(values["fields"]),
        until=values["until"],
    )


def read_run(values: Mapping[str, Any]) -> Run:
    """A run."""
    draft = values["draft"]
    return Run(
        opener=organisation_id_text(values["opener"]),
        draft=RunDraft(
            project=Hash32(draft["project"]),
            number=code_text(draft["number"]),
            algorithm=code_text(draft["algorithm"]),
            code=Hash32(draft["code"]),
            config=Hash32(draft["config"]),
            seed=Hash32(draft["seed"]),
            budget=read_budget(draft["budget"]),
            participants=_organisations(draft["participants"]),
            grants=_hashes(draft["grants"]),
        ),
        nodes=tuple(hash_of(node) for node in values["nodes"]),
        spent=read_budget(values["spent"]),
        rounds=values["rounds"],
        faults=values["faults"],
        opened=values["opened"],
        ended=values["ended"] or None,
        outcome=hash_of(values["outcome"]),
    )


def read_round(values: Mapping[str, Any]) -> Round:
    """A round."""
    return Round(
        number=values["number"],
        record=Hash32(values["record"]),
        spent=read_budget(values["spent"]),
        delivered=_organisations(values["delivered"]),
    )


def read_fault(values: Mapping[str, Any]) -> Fault:
    """A fault."""
    return Fault(
        party=organisation_id_text(values["party"]),
        kind=FaultKind(values["kind"]),
        round=values["round"],
        evidence=Hash32(values["evidence"]),
    )


def read_release(values: Mapping[str, Any]) -> Release:
    """A release."""
    shares = tuple(
        ModelShare(organisation_id_text(one["party"]), Hash32(one["model"]), Hash32(one["data"]))
        for one in values["shares"]
    )
    return Release(
        project=Hash32(values["project"]),
        maker=organisation_id_text(values["maker"]),
        draft=ReleaseDraft(
            run=Hash32(values["run"]),
            number=code_text(values["number"]),
            card=Hash32(values["card"]),
            metrics=Hash32(values["metrics"]),
            shares=shares,
        ),
        approved=_places(values["approved"]),
        mark=Mark(values["mark"]),
        live=values["live"] or None,
        retired=values["retired"] or None,
    )


def read_contribution(values: Mapping[str, Any]) -> Contribution | None:
    """A contribution; None where there is none."""
    if not values["version"]:
        return None
    return Contribution(
        version=values["version"],
        shares=tuple(values["shares"]),
        evidence=Hash32(values["evidence"]),
        accepted=_places(values["accepted"]),
    )


def read_batch(values: Mapping[str, Any]) -> Batch:
    """A batch of calls."""
    calls = values["calls"]
    return Batch(
        asker=organisation_id_text(values["asker"]),
        calls=Calls(
            release=Hash32(calls["release"]),
            number=code_text(calls["number"]),
            mode=Mode(calls["mode"]),
            first=calls["first"],
            count=calls["count"],
            root=Hash32(calls["root"]),
            since=calls["since"],
            until=calls["until"],
        ),
        price=values["price"],
        currency=code_text(values["currency"]),
        amount=values["amount"],
        disputes=values["disputes"],
    )


def read_payment(values: Mapping[str, Any]) -> Payment:
    """A payment."""
    return Payment(
        payer=organisation_id_text(values["payer"]),
        number=code_text(values["number"]),
        project=Hash32(values["project"]),
        payee=organisation_id_text(values["payee"]),
        currency=code_text(values["currency"]),
        amount=values["amount"],
        settled=hash_of(values["settled"]),
    )
