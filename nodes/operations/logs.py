"""One log for everything: the node, its HTTP servers, the consensus engine.

One line a record on stderr, as text for people or as JSON for machines; journald or the container
engine keeps and rotates it. Members of a JSON record: `time` (RFC 3339, UTC), `level`, `room`
(which part of the software), `message`, then fields of the record's own, and `error` with the
traceback where there is one. No secrets: see `nodes.operations.redaction`.
"""

from __future__ import annotations

import json
import logging
import math
import os
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, TextIO

from nodes.errors import SettingsInvalid
from nodes.operations.redaction import HIDDEN, SECRET_NAME, redacted
from nodes.operations.settings import LogSettings

ENVIRONMENT_NAME: Final = "TALLY_LOG"
MESSAGE_CHARACTERS_MAX: Final = 16_384
FIELD_CHARACTERS_MAX: Final = 2_048
FIELDS_MAX: Final = 32

_QUIET: Final = {
    "uvicorn.access": logging.WARNING,
    "alembic": logging.WARNING,
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.WARNING,
}
"""Talkative libraries: heard only where something is wrong, unless the level is debug."""
_STANDARD: Final = frozenset(logging.LogRecord("", 0, "", 0, "", None, None).__dict__) | {
    "message",
    "asctime",
    "taskName",
    "color_message",
}
_RESERVED: Final = frozenset({"time", "level", "room", "message", "error"})


def configure_logging(
    settings: LogSettings | None = None,
    *,
    stream: TextIO | None = None,
    environment: Mapping[str, str] = os.environ,
) -> None:
    """Send the whole process's log through one handler. Call it before anything is started.

    `TALLY_LOG` (`json`, `debug` or `json:debug`) goes before the settings. Calling it again
    replaces what was set. Raises `SettingsInvalid` for another value of it.
    """
    chosen = _chosen(settings or LogSettings(), environment.get(ENVIRONMENT_NAME, ""))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter() if chosen.format == "json" else TextFormatter())
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
        if isinstance(old, logging.StreamHandler) and isinstance(old.formatter, _Formatter):
            old.close()
    root.addHandler(handler)
    level = logging.getLevelNamesMapping()[chosen.level.upper()]
    root.setLevel(level)
    for name, least in _QUIET.items():
        logging.getLogger(name).setLevel(logging.NOTSET if level <= logging.DEBUG else least)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):  # they bring handlers of their own
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.captureWarnings(True)
    logging.raiseExceptions = False  # a log that cannot be written must not end the node
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _chosen(settings: LogSettings, override: str) -> LogSettings:
    for word in filter(None, override.strip().lower().split(":")):
        if word in ("text", "json"):
            settings = settings.model_copy(update={"format": word})
        elif word in ("debug", "info", "warning", "error", "critical"):
            settings = settings.model_copy(update={"level": word})
        else:
            raise SettingsInvalid(
                f"{ENVIRONMENT_NAME}: {word[:40]!r} is neither a format (text, json) nor a level "
                "(debug, info, warning, error, critical); write for example json:info"
            )
    return settings


class _Formatter(logging.Formatter):
    """What both forms share."""

    def parts(self, record: logging.LogRecord) -> dict[str, object]:
        """Time, level, room, message, then the record's own fields."""
        try:
            message = record.getMessage()
        except (TypeError, ValueError, KeyError):  # arguments that do not fit: say what there is
            message = f"{record.msg} {record.args!r}"
        parts: dict[str, object] = {
            "time": _moment(record.created),
            "level": record.levelname.lower(),
            "room": room_of(record.name),
            "message": _text(message, MESSAGE_CHARACTERS_MAX),
        }
        own = [(k, v) for k, v in record.__dict__.items() if k not in _STANDARD and k[:1] != "_"]
        for name, value in own[:FIELDS_MAX]:
            key = f"field_{name}" if name in _RESERVED else name
            parts[key] = HIDDEN if SECRET_NAME.search(name) else _plain(value)
        return parts

    def trouble(self, record: logging.LogRecord) -> str:
        """The traceback, or empty."""
        text = ""
        if record.exc_info and record.exc_info[0] is not None:
            text = self.formatException(record.exc_info)
        if record.stack_info:
            text = f"{text}\n{record.stack_info}".strip()
        return redacted(text)


class JsonFormatter(_Formatter):
    """One JSON object a line (JSON Lines); nothing in a record can begin another line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without its end."""
        parts = self.parts(record)
        if trouble := self.trouble(record):
            parts["error"] = trouble
        return json.dumps(parts, ensure_ascii=False)


class TextFormatter(_Formatter):
    """For people: `12:00:03Z warning ledger.chain message  name=value`; tracebacks below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and the traceback where there is one."""
        parts = self.parts(record)
        head = [str(parts.pop(name)) for name in ("time", "level", "room", "message")]
        fields = [f"{name}={_shown(value)}" for name, value in parts.items()]
        line = " ".join([f"{head[0]} {head[1]:8}{head[2]}: {head[3]}", *fields])
        # A line break or escape sequence in a message must not look like another record.
        line = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line)
        trouble = self.trouble(record)
        return f"{line}\n{trouble}" if trouble else line


def room_of(logger: str) -> str:
    """The part of the software that speaks, from a logger's name."""
    first, _, rest = logger.partition(".")
    if first in ("uvicorn", "starlette", "websockets", "h11", "httptools"):
        return "http"
    if first in ("cometbft", "engine"):
        return "engine"
    if first == "py":
        return "warnings"
    return f"{first}.{rest.partition('.')[0]}" if rest else first or "root"


def _moment(posix_s: float) -> str:
    moment = datetime.fromtimestamp(posix_s, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def _text(text: str, longest: int) -> str:
    shown = redacted(text)
    return shown if len(shown) <= longest else f"{shown[:longest]}… ({len(shown)} characters)"


def _plain(value: object) -> object:
    """A value that JSON has; whatever else there is, as text."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        value = f"0x{value.hex()}"
    elif isinstance(value, dict | list | tuple):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return _text(str(value), FIELD_CHARACTERS_MAX)


def _shown(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or " " in text else text


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("nodes").critical("uncaught", exc_info=(kind, error, trace))


def _uncaught_in_thread(hook: threading.ExceptHookArgs) -> None:
    if hook.exc_value is not None and not issubclass(hook.exc_type, SystemExit):
        logging.getLogger("nodes").critical(
            "uncaught in thread %s",
            hook.thread.name if hook.thread else "?",
            exc_info=(hook.exc_type, hook.exc_value, hook.exc_traceback),
        )
