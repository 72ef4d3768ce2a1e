"""An item's journey in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

MARKS = {
    "valid": "[green]valid[/]",
    "invalid": "[bold red]INVALID[/]",
    "unknown": "[yellow]unknown[/]",
    "not-checked": "[yellow]not checked[/]",
}


SENTENCES = {
    "valid": "All records are authentic and unchanged. That does not say that the goods are "
    "genuine.",
    "invalid": "At least one record is not what the ledger holds: do not rely on it.",
    "unknown": "Nothing is wrong, but nothing here vouches for these records: get the ledger's "
    "trust file from a member you trust, and pass it with --trust.",
    "not-checked": "At least one record could not be checked here.",
}
WORST_FIRST = ("invalid", "not-checked", "unknown", "valid")


def worst(verdicts: Sequence[str]) -> str:
    """The verdict on a whole journey: that of its worst record. Requires at least one."""
    return next(one for one in WORST_FIRST if one in verdicts)


def print_journey(out: Console, item: Mapping[str, Any], verdicts: Sequence[str]) -> None:
    """One line a step: when, who, what, where, and the verdict on its proof."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("when", "who", "what", "where", "about", "proof"):
        table.add_column(title, overflow="fold")
    for step, verdict in zip(item["journey"], verdicts, strict=True):
        event = step["bundle"]["event"]
        table.add_row(
            _when(event),
            escape(step["organisation"].get("name") or step["organisation"]["id"]),
            escape(_what(event)),
            escape(_where(event)),
            escape(_about(step)),
            MARKS[verdict],
        )
    out.print(escape(str(item["epc"])))
    out.print(table)
    if item["truncated"]:
        out.print("The journey is longer; only its first part is shown.")
    out.print(SENTENCES[worst(verdicts)])


def _when(event: Mapping[str, Any]) -> str:
    """The event's time at its own place, to the minute: `2026-08-11 17:40 +08:00`."""
    offset = str(event["eventTimeZoneOffset"])
    try:
        zone = datetime.strptime(offset, "%z").tzinfo
        return (
            f"{datetime.fromisoformat(event['eventTime']).astimezone(zone):%Y-%m-%d %H:%M} {offset}"
        )
    except ValueError:
        return str(event["eventTime"])


def _about(step: Mapping[str, Any]) -> str:
    """Of what else the event speaks: `container 00/395…`; nothing where it is the item itself."""
    if step["relation"] == "self":
        return ""
    return f"{step['relation']} {str(step['about']).removeprefix('https://id.gs1.org/')}"


def _what(event: Mapping[str, Any]) -> str:
    step = str(event.get("bizStep") or event["type"])
    words = step.rsplit("/", 1)[-1].rsplit(":", 1)[-1].removeprefix("BizStep-")
    alarm = any(
        report.get("exception") or report.get("type") == "ALARM_CONDITION"
        for element in event.get("sensorElementList") or ()
        for report in element.get("sensorReport") or ()
    )
    return words.replace("_", " ") + (" (sensor alarm)" if alarm else "")


def _where(event: Mapping[str, Any]) -> str:
    for name in ("readPoint", "bizLocation"):
        place = event.get(name)
        if isinstance(place, dict):
            return str(place.get("cbvmda:name") or place.get("id") or "")
    return ""
