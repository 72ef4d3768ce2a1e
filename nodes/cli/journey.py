"""An item's journey in the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def print_journey(out: Console, item: Mapping[str, Any], verdicts: Sequence[str]) -> None:
    """One line a step: when, who, what, where, and the verdict on its proof."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for title in ("when", "who", "what", "where", "about", "proof"):
        table.add_column(title, overflow="fold")
    for step, verdict in zip(item["journey"], verdicts, strict=True):
        event = step["bundle"]["event"]
        table.add_row(
            str(event["eventTime"]),
            escape(step["organisation"].get("name") or step["organisation"]["id"]),
            escape(_what(event)),
            escape(_where(event)),
            escape("" if step["relation"] == "self" else f"{step['relation']} {step['about']}"),
            MARKS[verdict],
        )
    out.print(escape(str(item["epc"])))
    out.print(table)
    if item["truncated"]:
        out.print("The journey is longer; only its first part is shown.")
    out.print(
        "valid: the record is authentic and unchanged. It does not say that the goods are genuine."
    )


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
