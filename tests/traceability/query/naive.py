"""What event queries must answer, written the slow and plain way over a list of events.

Shares no code with the software: spellings are brought together by a small table of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

Json = dict[str, Any]

SPELLINGS = {
    "urn:epc:id:sgtin:9521002.000001.1": "https://id.gs1.org/01/09521002000016/21/1",
    "https://shop.example/01/09521002000016/21/1?x=y": "https://id.gs1.org/01/09521002000016/21/1",
    "urn:epc:id:sgln:0614141.00777.0": "https://id.gs1.org/414/0614141007776",
    "urn:epc:id:sgln:0614141.00777.5": "https://id.gs1.org/414/0614141007776/254/5",
    "urn:epc:class:lgtin:9521002.000001.A": "https://id.gs1.org/01/09521002000016/10/A",
    "urn:epcglobal:cbv:bizstep:shipping": "shipping",
    "https://ref.gs1.org/cbv/BizStep-shipping": "shipping",
    "urn:epcglobal:cbv:disp:in_transit": "in_transit",
    "https://ref.gs1.org/cbv/Disp-in_transit": "in_transit",
    "urn:epcglobal:cbv:btt:po": "po",
    "https://ref.gs1.org/cbv/BTT-po": "po",
    "urn:epcglobal:cbv:sdt:owning_party": "owning_party",
}


def same(text: str) -> str:
    return SPELLINGS.get(text, text)


def overlap(found: list[str], wanted: list[str]) -> bool:
    return bool({same(text) for text in found} & {same(text) for text in wanted})


def instances(*names: str) -> Callable[[Json], list[str]]:
    def read(event: Json) -> list[str]:
        found: list[str] = []
        for name in names:
            value = event.get(name, [])
            found += [value] if isinstance(value, str) else value
        return found

    return read


def classes(*names: str) -> Callable[[Json], list[str]]:
    return lambda event: [one["epcClass"] for name in names for one in event.get(name, [])]


def typed(name: str, key: str, kind: str) -> Callable[[Json], list[str]]:
    return lambda event: [
        one[key] for one in event.get(name, []) if same(one.get("type", "")) == same(kind)
    ]


def place(name: str) -> Callable[[Json], list[str]]:
    return lambda event: [event[name]["id"]] if name in event else []


def persistent(which: str) -> Callable[[Json], list[str]]:
    return lambda event: event.get("persistentDisposition", {}).get(which, [])


QUANTITIES = ("quantityList", "childQuantityList", "inputQuantityList", "outputQuantityList")
LISTS: dict[str, Callable[[Json], list[str]]] = {
    "eventType": instances("type"),
    "EQ_action": instances("action"),
    "EQ_bizStep": instances("bizStep"),
    "EQ_disposition": instances("disposition"),
    "EQ_persistentDisposition_set": persistent("set"),
    "EQ_persistentDisposition_unset": persistent("unset"),
    "EQ_readPoint": place("readPoint"),
    "EQ_bizLocation": place("bizLocation"),
    "EQ_transformationID": instances("transformationID"),
    "EQ_bizTransaction_po": typed("bizTransactionList", "bizTransaction", "po"),
    "EQ_bizTransaction_urn:epcglobal:cbv:btt:po": typed(
        "bizTransactionList", "bizTransaction", "po"
    ),
    "EQ_source_owning_party": typed("sourceList", "source", "owning_party"),
    "EQ_destination_owning_party": typed("destinationList", "destination", "owning_party"),
    "EQ_eventID": instances("eventID"),
    "MATCH_epc": instances("epcList", "childEPCs"),
    "MATCH_parentID": instances("parentID"),
    "MATCH_inputEPC": instances("inputEPCList"),
    "MATCH_outputEPC": instances("outputEPCList"),
    "MATCH_anyEPC": instances("epcList", "childEPCs", "parentID", "inputEPCList", "outputEPCList"),
    "MATCH_epcClass": classes("quantityList", "childQuantityList"),
    "MATCH_inputEPCClass": classes("inputQuantityList"),
    "MATCH_outputEPCClass": classes("outputQuantityList"),
    "MATCH_anyEPCClass": classes(*QUANTITIES),
    "EQ_example:note": instances("example:note"),
}


def when(text: str) -> datetime:
    return datetime.fromisoformat(text)


def holds(event: Json, name: str, text: str) -> bool:
    """Whether one event satisfies one parameter."""
    if name in LISTS:
        return overlap(LISTS[name](event), text.split("|"))
    if name == "WD_readPoint":
        here = [same(one) for one in place("readPoint")(event)]
        wanted = [same(one) for one in text.split("|")]
        return any(one == site or one.startswith(f"{site}/254/") for one in here for site in wanted)
    if name == "GE_eventTime":
        return when(event["eventTime"]) >= when(text)
    if name == "LT_eventTime":
        return when(event["eventTime"]) < when(text)
    if name == "EXISTS_errorDeclaration":
        return "errorDeclaration" in event
    start, _, field = name.partition("_")
    assert field == "quantity"
    compare: dict[str, Callable[[float, float], bool]] = {
        "EQ": lambda a, b: a == b,
        "GT": lambda a, b: a > b,
        "GE": lambda a, b: a >= b,
        "LT": lambda a, b: a < b,
        "LE": lambda a, b: a <= b,
    }
    found = [one["quantity"] for n in QUANTITIES for one in event.get(n, []) if "quantity" in one]
    return any(compare[start](one, float(text)) for one in found)
