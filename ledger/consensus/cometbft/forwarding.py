"""The engine's log lines as records of this process's own log."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Final

LOGGER: Final = "engine"
FIELDS_MAX: Final = 32
NAME_SIZE_MAX: Final = 64

_LEVELS: Final = {"debug": logging.DEBUG, "info": logging.INFO, "error": logging.ERROR}
_PLAIN_LEVELS: Final = {"D": logging.DEBUG, "I": logging.INFO, "E": logging.ERROR}
_TAKEN: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
}
"""Names that `logging` does not allow in `extra`."""


def forward(line: str, logger: str = LOGGER) -> None:
    """Log a line of CometBFT's output (log_format "json" or "plain"), once it is complete.

    Fields of its JSON records are kept; a line that is neither is logged as it stands.
    """
    line = line.strip()
    if not line:
        return
    level, message, fields = _json(line) or _plain(line)
    module = str(fields.pop("module", "") or "")[:NAME_SIZE_MAX]
    name = f"{logger}.{module}" if module.isidentifier() else logger
    logging.getLogger(name).log(level, "%s", message, extra=_allowed(fields))


def _json(line: str) -> tuple[int, str, dict[str, object]] | None:
    if not line.startswith("{"):
        return None
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return None
    level = _LEVELS.get(str(fields.pop("level", "")), logging.INFO)
    message = str(fields.pop("_msg", None) or fields.pop("msg", ""))
    fields.pop("ts", None)
    return level, message, fields


def _plain(line: str) -> tuple[int, str, dict[str, object]]:
    """`I[2026-11-21|12:00:00.000] message   module=p2p …`"""
    level = _PLAIN_LEVELS.get(line[:1]) if line[1:2] == "[" else None
    if level is None or "]" not in line:
        return logging.WARNING, line, {}
    return level, " ".join(line.partition("]")[2].split()), {}


def _allowed(fields: Mapping[str, object]) -> dict[str, object]:
    return {
        (f"field_{name}" if name in _TAKEN else name[:NAME_SIZE_MAX]): value
        for name, value in list(fields.items())[:FIELDS_MAX]
    }
