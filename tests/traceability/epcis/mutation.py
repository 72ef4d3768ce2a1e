"""Valid events and documents, and random ways to spoil them."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

__all__ = ["base_document", "mutated"]

EPCIS = "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"
TEXTS = [
    "", " ", "\u3000x\u00a0", "é", "\ud83d\ude00", "\ufffd", "a\u0000b", "\u2028", "ex:x", "ex://x",
    "gs1:Speed", "cbv:Disp-active", "https://", "http://a", "urn:epc:", "urn:epc:id:sgtin:1.2.3",
    "urn:epc:id:sgtin:4012345.011111.%2", "urn:epc:id:sgtin:4012345.011111.%2F%25",
    "https://id.gs1.org/01/04012345111118/21/%41?x=1#y", "https://a.b/01/1/01/04012345111118/",
    "https://a.b/8003/95201220000000", "https://a.b/gtin/12345670/lot/A/ser/B", "1e5", "-0.00",
    "+.5", "1E-9999", "00012.500", "2020-02-30T00:00:00Z", "2020-02-29T23:59:59.9995+14:00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.9999Z", "urn:epcglobal:cbv:bizstep:shipping",
    "urn:epcglobal:cbv:nothing:x", "constructor", "__proto__", "x" * 3000, "9" * 500, "{", "~/",
]  # fmt: skip
KEYS = [
    "ex:a", "ex:é", "ex:\U0001f600", "ex:\uffff", "ex:__proto__", "__proto__", "constructor", "ex:",
    ":x", "@id", "@context", "comment", "rdfs:comment", "no:x", "http://a/b", "cbvmda:lot", "10",
    "type", "ilmd", "id", "ex:toString", "eventID", "recordTime", "action", "ex:a/b~c",
]  # fmt: skip
SCALARS: list[Any] = [
    None, True, False, 0, -0.0, 1, 1.5, 1e-7, 1e300, 5e-324, 123456789012345, 1e21, 0.1, -2.50e-3,
]  # fmt: skip


def base_document() -> dict[str, Any]:
    """A valid document with something in most places."""
    shared = {
        "eventTime": "2026-01-31T08:00:00.1235+01:00",
        "eventTimeZoneOffset": "+01:00",
        "readPoint": {"id": "urn:epc:id:sgln:4012345.00011.987", "ex:dock": "7"},
        "bizLocation": {"id": "https://example.com/414/4012345000054"},
        "bizTransactionList": [
            {"type": "po", "bizTransaction": "urn:epcglobal:cbv:bt:4012345000009:A1"},
            {"bizTransaction": "https://example.com/253/4012345000054987"},
        ],
        "sourceList": [{"type": "owning_party", "source": "urn:epc:id:pgln:4012345.00225"}],
        "destinationList": [{"type": "location", "destination": "urn:epc:id:sgln:4012345.00225.0"}],
        "persistentDisposition": {"set": ["completeness_verified"], "unset": ["recalled"]},
        "sensorElementList": [
            {
                "sensorMetadata": {"time": "2026-01-31T07:00:00Z", "ex:m": "1"},
                "sensorReport": [
                    {"type": "Temperature", "value": 26.10, "uom": "CEL", "ex:cv": "0123.50"},
                    {"exception": "ALARM_CONDITION", "booleanValue": True, "component": "x"},
                ],
                "ex:more": [{"ex:a": [1, [2, "b", [None]]]}, "z", None],
            }
        ],
        "bizStep": "shipping",
        "disposition": "in_transit",
        "ex:note": {"ex:b": [3, 1, 2], "plain": "ex:curie"},
    }
    epcs = ["urn:epc:id:sgtin:4012345.011111.987", "https://example.com/00/340123451111111111"]
    lots = [{"epcClass": "urn:epc:class:lgtin:4012345.012345.L%2F1", "quantity": 2.0, "uom": "KGM"}]
    ilmd = {"cbvmda:lot": "A1", "ex:x": {"ex:y": []}}
    kinds: list[dict[str, Any]] = [
        {"type": "ObjectEvent", "epcList": epcs, "quantityList": lots, "ilmd": ilmd},
        {"type": "AggregationEvent", "parentID": epcs[1], "childEPCs": epcs[:1]},
        {"type": "TransactionEvent", "epcList": epcs, "parentID": epcs[1]},
        {"type": "AssociationEvent", "parentID": epcs[1], "childEPCs": epcs[:1]},
        {"type": "TransformationEvent", "inputEPCList": epcs[:1], "outputQuantityList": lots},
    ]
    for kind in kinds[:4]:
        kind["action"] = "ADD"
    events = [{**copy.deepcopy(shared), **copy.deepcopy(kind)} for kind in kinds]
    events[0]["@context"] = [{"ey": "https://ns.example.com/y#"}]
    events[0]["errorDeclaration"] = {"declarationTime": "2026-02-01T00:00:00Z", "ex:e": 1}
    events[1]["certificationInfo"] = ["https://example.com/c", {"type": "x", "ex:y": 1}]
    return {
        "@context": [EPCIS, {"ex": "https://ns.example.com/", "rdfs": "http://www.w3.org/rdfs#"}],
        "type": "EPCISDocument",
        "schemaVersion": "2.0",
        "creationDate": "2026-01-31T09:00:00Z",
        "epcisBody": {"eventList": events},
    }


def mutated(document: dict[str, Any], chance: random.Random, changes: int) -> bytes:
    """The document after so many random changes, as JSON text."""
    changed = copy.deepcopy(document)
    for _ in range(changes):
        holders = _holders(changed)
        if not holders:  # everything that could be changed is gone
            break
        _mutate(chance.choice(holders), chance)
    text = json.dumps(changed, ensure_ascii=chance.random() < 0.5)
    if chance.random() < 0.05:
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice(["", "\x00", "[", "}", '"', "1e999", "\\ud800"])
            + text[at + 1 :]
        )
    return text.encode("utf-8", "surrogatepass")


def _holders(value: Any) -> list[Any]:
    """All objects and lists within a value that are not empty."""
    found: list[Any] = []
    stack = [value]
    while stack:
        here = stack.pop()
        if isinstance(here, dict | list) and here:
            found.append(here)
            stack += here.values() if isinstance(here, dict) else here
    return found


def _mutate(holder: Any, chance: random.Random) -> None:
    keys: list[Any] = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
    key = chance.choice(keys)
    kind = chance.randrange(7)
    if kind == 0:
        del holder[key]
    elif kind == 1:
        holder[key] = _value(chance)
    elif kind == 2:
        other = chance.choice(keys)
        holder[key], holder[other] = holder[other], holder[key]
    elif kind == 3 and isinstance(holder[key], str):
        holder[key] = chance.choice(TEXTS) + holder[key] + chance.choice(TEXTS)
    elif kind == 4:
        holder[key] = [copy.deepcopy(holder[key]) for _ in range(chance.randrange(3))]
    elif isinstance(holder, list):
        holder.insert(chance.randrange(len(holder) + 1), copy.deepcopy(holder[key]))
    elif kind == 5:
        holder[chance.choice(KEYS)] = copy.deepcopy(holder[key])
    else:
        holder[chance.choice(KEYS)] = _value(chance)


def _value(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(8)
    if kind < 4 or depth > 3:
        return chance.choice(TEXTS)
    if kind < 6:
        return chance.choice(SCALARS)
    inner = [_value(chance, depth + 1) for _ in range(chance.randrange(4))]
    return inner if kind == 6 else {chance.choice(KEYS): item for item in inner}
