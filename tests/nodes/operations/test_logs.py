"""The log: one form for everything, one line a record, no secrets."""

from __future__ import annotations

import io
import json
import logging
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from ledger.consensus.cometbft.enginelog import EngineLog
from ledger.consensus.cometbft.forwarding import forward
from nodes.errors import SettingsInvalid
from nodes.operations.logs import (
    JsonFormatter,
    TextFormatter,
    configure_logging,
    room_of,
)
from nodes.operations.redaction import HIDDEN, redacted
from nodes.operations.settings import LogSettings

pytestmark = pytest.mark.feature("N5")


class Lines(io.StringIO):
    """What was logged."""

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def configured() -> Iterator[Callable[..., Lines]]:
    """`configured("json", "info")` starts logging into memory; all is as before at the end."""
    root = logging.getLogger()
    before = (list(root.handlers), root.level, logging.raiseExceptions)

    def configure(form: Any = "json", level: Any = "info", override: str = "") -> Lines:
        lines = Lines()
        configure_logging(
            LogSettings(format=form, level=level),
            stream=lines,
            environment={"TALLY_LOG": override},
        )
        return lines

    yield configure
    root.handlers[:], root.level, logging.raiseExceptions = before
    logging.captureWarnings(False)
    threading.excepthook = threading.__excepthook__


def test_a_record_has_time_level_room_message_and_its_fields(
    configured: Callable[..., Lines],
) -> None:
    lines = configured()
    logging.getLogger("ledger.consensus.solo").warning("block %d", 7, extra={"height": 9})
    (record,) = lines.records()
    assert record.pop("time").endswith("Z")
    assert record == {
        "level": "warning",
        "room": "ledger.consensus",
        "message": "block 7",
        "height": 9,
    }


def test_text_is_for_people(configured: Callable[..., Lines]) -> None:
    lines = configured("text")
    logging.getLogger("api").info("hello", extra={"organisation": "acme", "why": "two words"})
    (line,) = lines.getvalue().splitlines()
    assert line.endswith('api: hello organisation=acme why="two words"')
    assert " info " in line


def test_levels_hold_and_the_environment_goes_first(configured: Callable[..., Lines]) -> None:
    lines = configured("text", "info", "json:error")
    logging.getLogger("ledger").warning("unheard")
    logging.getLogger("ledger").error("heard")
    assert [record["message"] for record in lines.records()] == ["heard"]
    assert configured("json", "info", "debug") is not None
    assert logging.getLogger().level == logging.DEBUG
    with pytest.raises(SettingsInvalid, match="TALLY_LOG"):
        configured("json", "info", "loud")


def test_a_traceback_is_part_of_its_record(configured: Callable[..., Lines]) -> None:
    lines = configured()
    try:
        raise ValueError("cannot")
    except ValueError as error:
        logging.getLogger("nodes.x").error("failed", exc_info=error)
    (record,) = lines.records()
    assert "ValueError: cannot" in record["error"]
    assert "Traceback" in record["error"]


def test_http_servers_speak_through_it(configured: Callable[..., Lines]) -> None:
    lines = configured()
    config = uvicorn.Config(lambda: None, log_config=None)
    config.configure_logging()
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    logging.getLogger("uvicorn.access").info("GET / 200")
    (record,) = lines.records()
    assert record["room"] == "http"


def test_warnings_and_uncaught_errors_of_threads_are_logged(
    configured: Callable[..., Lines],
) -> None:
    lines = configured()
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)

    def fail() -> None:
        raise RuntimeError("in a thread")

    thread = threading.Thread(target=fail, name="worker")
    thread.start()
    thread.join()
    first, second = lines.records()
    assert "old way" in first["message"]
    assert second["level"] == "critical"
    assert "in a thread" in second["error"]


def test_configuring_again_replaces(configured: Callable[..., Lines]) -> None:
    old, new = configured(), configured()
    logging.getLogger("x").error("once")
    assert old.records() == []
    assert len(new.records()) == 1


# ---- the engine's own lines ---------------------------------------------------------------------


def test_json_lines_of_the_engine_keep_their_fields(configured: Callable[..., Lines]) -> None:
    lines = configured()
    forward(
        '{"level":"error","module":"p2p","peer":"abc","name":"n1","err":"EOF",'
        '"ts":"2026-11-21T12:00:00Z","_msg":"Stopping peer"}'
    )
    (record,) = lines.records()
    assert record["room"] == "engine"
    assert record["level"] == "error"
    assert record["message"] == "Stopping peer"
    assert (record["peer"], record["err"], record["field_name"]) == ("abc", "EOF", "n1")


@pytest.mark.parametrize(
    ("line", "level", "message"),
    [
        ("I[2026-11-21|12:00:00.000] Version info    tm=1", "info", "Version info tm=1"),
        ("E[2026-11-21|12:00:00.000] CONSENSUS FAILURE!!!", "error", "CONSENSUS FAILURE!!!"),
        ("panic: runtime error", "warning", "panic: runtime error"),
        ("{broken", "warning", "{broken"),
        ("[1]", "warning", "[1]"),
    ],
)
def test_other_lines_of_the_engine_are_not_lost(
    configured: Callable[..., Lines], line: str, level: str, message: str
) -> None:
    lines = configured()
    forward(line + "\n")
    forward("\n")
    (record,) = lines.records()
    assert (record["level"], record["message"]) == (level, message)


@given(
    st.dictionaries(st.text(), st.one_of(st.none(), st.integers(), st.text(), st.floats())).map(
        json.dumps
    )
    | st.text()
)
def test_whatever_the_engine_writes_becomes_one_record_each(text: str) -> None:
    stream, handler = Lines(), logging.StreamHandler()
    handler.setStream(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("engine-test")
    logger.propagate, logger.level = False, logging.DEBUG
    logger.handlers = [handler]
    forward(text, "engine-test")
    assert all(isinstance(json.loads(line), dict) for line in stream.getvalue().split("\n")[:-1])
    assert stream.getvalue().count("\n") == (1 if text.strip() else 0)


# ---- nothing in a record can pass for another ---------------------------------------------------


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_a_message_cannot_begin_another_line(formatter: logging.Formatter) -> None:
    record = logging.LogRecord("api", logging.INFO, "", 0, "a\nb\r\x1b[2Jc\u2028d", None, None)
    line = formatter.format(record)
    assert len(line.splitlines()) == 1 or isinstance(formatter, JsonFormatter)
    assert "\n" not in line
    assert "\x1b" not in line


@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_arguments_that_do_not_fit_and_long_messages_are_survived(
    formatter: logging.Formatter,
) -> None:
    record = logging.LogRecord("api", logging.INFO, "", 0, "%d %s", ("x",), None)
    assert "%d %s" in formatter.format(record)
    record = logging.LogRecord("api", logging.INFO, "", 0, "y" * 100_000, None, None)
    assert len(formatter.format(record)) < 20_000


@pytest.mark.parametrize(
    ("logger", "room"),
    [
        ("ledger.consensus.cometbft.driver", "ledger.consensus"),
        ("api", "api"),
        ("uvicorn.error", "http"),
        ("engine.p2p", "engine"),
        ("py.warnings", "warnings"),
    ],
)
def test_rooms_are_named(logger: str, room: str) -> None:
    assert room_of(logger) == room


# ---- secrets ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("postgresql+psycopg://tally:s3cr3t@db/x failed", "s3cr3t"),
        ("Authorization: Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("key tally_aZ09_-aZ09_-aZ09_-aZ09_-aZ09", "aZ09_-"),
        ("PRIVATE+KEY+tallystick.example+abcd+AbCd", "AbCd"),
        ("connection failed: password=hunter2 host=x", "hunter2"),
        ('{"token": "hunter2"}', "hunter2"),
        ("pkcs11:token=x?pin-value=123456", "123456"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHcCAQ\n-----END EC PRIVATE KEY-----", "MHcCAQ"),
    ],
)
@pytest.mark.parametrize("formatter", [JsonFormatter(), TextFormatter()])
def test_what_looks_like_a_secret_is_hidden(
    text: str, secret: str, formatter: logging.Formatter
) -> None:
    try:
        raise ValueError(text)
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("api", logging.INFO, "", 0, text, None, info)
    record.detail = text
    line = formatter.format(record)
    assert secret not in line
    assert line.count(HIDDEN) >= 3


@pytest.mark.parametrize(
    "name", ["token", "api_key", "operator_token", "passphrase", "private_key", "Authorization"]
)
def test_fields_with_a_secrets_name_are_hidden(name: str, configured: Callable[..., Lines]) -> None:
    lines = configured()
    logging.getLogger("x").info("m", extra={name: "hunter2"})
    assert lines.records()[0][name] == HIDDEN


@pytest.mark.parametrize(
    "text",
    [
        "block 0x84e235a34ed7fde20d60514d3e33885d4fb5d6bfcceea01e2ce95c0181124cbe",
        "http://127.0.0.1:8080/status answered 200",
        "the token of run.json is needed",
        "spinning: 3 of 4",
        "ni:///sha-256;df7bb3c352fef055578554f09f5e2aa41782150ced7bd0b8af24dd3ccb30ba69",
    ],
)
def test_what_is_no_secret_is_left(text: str) -> None:
    assert redacted(text) == text


def test_what_the_engine_prints_is_in_the_node_s_log_and_in_its_own_file(
    configured: Callable[..., Lines], tmp_path: Path
) -> None:
    lines, log = configured(), EngineLog(tmp_path / "log")
    log.take(b'{"level":"error","module":"p2p","_msg":"Stopping peer","peer":"abc"}\n')
    log.close()
    (record,) = lines.records()
    assert (record["room"], record["message"], record["peer"]) == ("engine", "Stopping peer", "abc")
    assert "Stopping peer" in (tmp_path / "log").read_text()
