"""How the demo's story spells its times, identifiers and events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from nodes.demo.measurements import TEMPERATURE_MIN_C, Ranges
from nodes.demo.places import Place

ZONE = timezone(timedelta(hours=8))
"""China Standard Time, without daylight saving."""

CONTEXT: list[object] = [
    "https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld",
    {"cbvmda": "urn:epcglobal:cbv:mda:"},
    {"tally": "urn:tallystick:ns:"},
]

BLUEBERRY_GTIN = "09521001000017"
LINGONBERRY_GTIN = "09521001000024"
SUGAR_GTIN = "09521002000092"
JAR_GTIN = "09521002000016"
BERRY_HARVEST_MONTH, BERRY_HARVEST_DAY = 8, 11
HARVEST_AGE_DAYS_MIN = 45

Event = dict[str, object]


@dataclass(frozen=True, slots=True)
class StoryStep:
    """One capture: what one organisation hands in at one time."""

    organisation: str
    """Organisation id, one of `ORGANISATIONS`."""
    document: dict[str, object]
    """An EPCISDocument, ready for JSON."""


@dataclass(frozen=True, slots=True)
class Teller:
    """Spells times and identifiers for one telling of the story."""

    today: date
    """The day, in `ZONE`, that days are counted back from."""
    base_uri: str

    def at(self, day: int, clock: str) -> str:
        return stamp(datetime.combine(self.today, time.fromisoformat(clock), ZONE), day)

    @property
    def harvest(self) -> date:
        """The latest berry season whose frozen berries can have reached the kitchen by now."""
        season = date(self.today.year, BERRY_HARVEST_MONTH, BERRY_HARVEST_DAY)
        if self.today - season < timedelta(days=HARVEST_AGE_DAYS_MIN):
            season = season.replace(year=season.year - 1)
        return season

    def harvest_at(self, day: int, clock: str) -> str:
        return stamp(datetime.combine(self.harvest, time.fromisoformat(clock), ZONE), day)

    def link(self, path: str) -> str:
        return f"{self.base_uri}{path}"

    def jar(self, serial: str) -> str:
        return self.link(f"/01/{JAR_GTIN}/21/{serial}")

    @property
    def blueberries(self) -> str:
        return self.link(f"/01/{BLUEBERRY_GTIN}/10/B{self.harvest:%y%m%d}")

    @property
    def lingonberries(self) -> str:
        return self.link(f"/01/{LINGONBERRY_GTIN}/10/L{self.harvest + timedelta(days=16):%y%m%d}")

    @property
    def cases(self) -> tuple[str, str]:
        return self.link("/00/195210020000000419"), self.link("/00/195210020000000426")

    @property
    def pallet(self) -> str:
        return self.link("/00/395210020000000079")

    def event(self, kind: str, when: str, step: str, place: Place, **fields: object) -> Event:
        event: Event = {
            "type": kind,
            "eventTime": when,
            "eventTimeZoneOffset": "+08:00",
            "bizStep": step,
            "readPoint": place.attributes(self.base_uri),
        }
        event.update(fields)
        return event

    def step(self, organisation: str, *events: Event) -> StoryStep:
        document: dict[str, object] = {
            "@context": CONTEXT,
            "type": "EPCISDocument",
            "schemaVersion": "2.0",
            "creationDate": max(str(event["eventTime"]) for event in events),
            "epcisBody": {"eventList": list(events)},
        }
        return StoryStep(organisation, document)

    def parties(self, giver: str, taker: str) -> dict[str, object]:
        return {
            "sourceList": [{"type": "possessing_party", "source": self.link(f"/417/{giver}")}],
            "destinationList": [
                {"type": "possessing_party", "destination": self.link(f"/417/{taker}")}
            ],
        }


def series(
    t: Teller,
    start: str,
    minutes: int,
    logger: str,
    ranges_c: Ranges,
    limit_c: float | None,
) -> list[dict[str, object]]:
    """One sensor element per window: lowest and highest degrees; above `limit_c` it is an alarm."""
    elements: list[dict[str, object]] = []
    for number, (low, high) in enumerate(ranges_c):
        begin = datetime.fromisoformat(start) + timedelta(minutes=minutes * number)
        metadata: dict[str, object] = {
            "startTime": stamp(begin, 0),
            "endTime": stamp(begin + timedelta(minutes=minutes), 0),
            "deviceID": t.link(f"/8004/{logger}"),
        }
        report: dict[str, object] = {
            "type": "Temperature",
            "minValue": low,
            "maxValue": high,
            "uom": "CEL",
        }
        if limit_c is not None:
            metadata["tally:temperatureMin"] = f"{TEMPERATURE_MIN_C:g}"
            metadata["tally:temperatureMax"] = f"{limit_c:g}"
            if high > limit_c:
                report["exception"] = "ALARM_CONDITION"
        elements.append({"sensorMetadata": metadata, "sensorReport": [report]})
    return elements


def certificate(name: str, name_zh: str, number: str, seen: date) -> Mapping[str, object]:
    return {
        "tally:name": name,
        "tally:nameZh": name_zh,
        "tally:number": number,
        "tally:issuer": "Demonstration Certifier",
        "tally:issuerZh": "演示认证机构",
        "tally:validUntil": seen.replace(year=seen.year + 2, day=min(seen.day, 28)).isoformat(),
    }


def papers(kind: str, gln: str, number: str) -> list[dict[str, object]]:
    return [{"type": kind, "bizTransaction": f"urn:epcglobal:cbv:bt:{gln}:{number}"}]


def note(text: str, text_zh: str) -> dict[str, object]:
    return {"tally:note": text, "tally:noteZh": text_zh}


def stamp(moment: datetime, days: int) -> str:
    return (moment + timedelta(days=days)).isoformat(timespec="milliseconds")
