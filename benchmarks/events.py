"""Believable load: documents of mixed events about items that travel in cases.

A round makes one case: items are commissioned, packed, shipped with a sensor, received, unpacked,
and some are turned into something else and sold. Every identifier has its right check digit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

CONTEXT = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"cbvmda": "urn:epcglobal:cbv:mda:"},
    {"shop": "https://shop.example/ns/"},
]
START = datetime(2026, 1, 5, 6, tzinfo=UTC)
ITEMS_PER_CASE = 8
EVENTS_PER_ROUND = 20


def check_digit(digits: str) -> str:
    """GS1 General Specifications section 7.9.1."""
    total = sum(int(one) * (3 if index % 2 == 0 else 1) for index, one in enumerate(digits[::-1]))
    return str(-total % 10)


GTIN = "0952110100000" + check_digit("0952110100000")
PRODUCT_GTIN = "0952110100001" + check_digit("0952110100001")
GLN = "952110100000" + check_digit("952110100000")


def sscc(number: int) -> str:
    """SSCC `number` as a Digital Link."""
    digits = f"39521101{number:09d}"
    return f"https://id.gs1.org/00/{digits}{check_digit(digits)}"


def item(run: str, number: int) -> str:
    """Item `number` as a Digital Link."""
    return f"https://id.gs1.org/01/{GTIN}/21/{run}{number:07d}"


def item_path(run: str, number: int) -> str:
    """Where a node answers for the item."""
    return item(run, number).removeprefix("https://id.gs1.org")


@dataclass
class Story:
    """An endless, reproducible stream of events; `run` keeps two streams apart."""

    run: str
    case: int = 0

    def events(self) -> Iterator[dict[str, object]]:
        """Events, in the order in which they happened."""
        while True:
            yield from self._round(self.case)
            self.case += 1

    def documents(self, size: int) -> Iterator[bytes]:
        """EPCIS documents of `size` events each."""
        events = self.events()
        while True:
            body = {
                "@context": CONTEXT,
                "type": "EPCISDocument",
                "schemaVersion": "2.0",
                "creationDate": "2026-01-05T06:00:00Z",
                "epcisBody": {"eventList": [next(events) for _ in range(size)]},
            }
            yield orjson.dumps(body)

    def _round(self, case: int) -> Iterator[dict[str, object]]:
        first = case * ITEMS_PER_CASE
        items = [item(self.run, first + index) for index in range(ITEMS_PER_CASE)]
        container = sscc(int.from_bytes(self.run.encode(), "big") % 900 * 1_000_000 + case)
        begin = START + timedelta(minutes=case)
        for index, one in enumerate(items):
            yield _event(
                "ObjectEvent",
                begin + timedelta(seconds=index),
                "commissioning",
                "active",
                action="ADD",
                epcList=[one],
                ilmd={"cbvmda:lotNumber": f"L{case // 100}", "shop:line": index % 3},
            )
        yield _event(
            "AggregationEvent",
            begin + timedelta(minutes=1),
            "packing",
            "in_progress",
            action="ADD",
            parentID=container,
            childEPCs=items,
        )
        for hours, step, state in ((1, "shipping", "in_transit"), (30, "receiving", "in_progress")):
            yield _event(
                "ObjectEvent",
                begin + timedelta(hours=hours),
                step,
                state,
                action="OBSERVE",
                epcList=[container],
                bizTransactionList=[
                    {
                        "type": "po",
                        "bizTransaction": f"urn:epcglobal:cbv:bt:{GLN}:{case}",
                    }
                ],
                sensorElementList=[
                    {
                        "sensorMetadata": {"time": _time(begin + timedelta(hours=hours))},
                        "sensorReport": [
                            {
                                "type": "Temperature",
                                "value": 4.5 + case % 7 / 10,
                                "minValue": 3.1,
                                "maxValue": 6.4,
                                "uom": "CEL",
                            }
                        ],
                    }
                ],
            )
        yield _event(
            "AggregationEvent",
            begin + timedelta(hours=31),
            "unpacking",
            "in_progress",
            action="DELETE",
            parentID=container,
            childEPCs=items,
        )
        yield _event(
            "TransactionEvent",
            begin + timedelta(hours=32),
            "accepting",
            "in_progress",
            action="ADD",
            epcList=items[:2],
            bizTransactionList=[
                {"type": "inv", "bizTransaction": f"urn:epcglobal:cbv:bt:{GLN}:R{case}"}
            ],
        )
        yield _event(
            "TransformationEvent",
            begin + timedelta(hours=40),
            "creating_class_instance",
            "active",
            inputEPCList=items[-2:],
            outputQuantityList=[
                {
                    "epcClass": f"https://id.gs1.org/01/{PRODUCT_GTIN}/10/{self.run}{case}",
                    "quantity": 12.5,
                    "uom": "KGM",
                }
            ],
        )
        for index, one in enumerate(items[:6]):
            yield _event(
                "ObjectEvent",
                begin + timedelta(hours=50, seconds=index),
                "retail_selling",
                "retail_sold",
                action="OBSERVE",
                epcList=[one],
                **{"shop:till": {"shop:number": index, "shop:clerk": "A. B."}},
            )


def _event(
    kind: str, when: datetime, step: str, disposition: str, **fields: object
) -> dict[str, object]:
    place = {"id": f"https://id.gs1.org/414/{GLN}", "cbvmda:name": "Works 1"}
    return {
        "type": kind,
        "eventTime": _time(when),
        "eventTimeZoneOffset": "+08:00",
        "bizStep": step,
        "disposition": disposition,
        "readPoint": place,
        **fields,
    }


def _time(when: datetime) -> str:
    return when.isoformat(timespec="milliseconds").replace("+00:00", "Z")
