"""The engine as a child process: it dies with us, and comes back when it dies alone."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from ledger.consensus.cometbft.enginelog import LINE_SIZE_BYTES_MAX, EngineLog
from ledger.consensus.cometbft.home import Home
from ledger.cores import on_every_core

RETRY_S_MIN: Final = 0.5
RETRY_S_MAX: Final = 30.0
STEADY_S: Final = 60.0
"""An engine that lived for so long is started again at once."""
TERMINATE_S: Final = 15.0
LAST_WORDS_S: Final = 1.0
SHUTDOWN_S: Final = 2.0
"""Between the engine's being asked to end and our own, where both are."""
_POLL_S: Final = 0.2

_ENVIRONMENT: Final = frozenset(
    (
        *("PATH", "TMPDIR", "TZ", "GOGC", "GOMAXPROCS", "GOMEMLIMIT"),
        *("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"),
        *("SSL_CERT_DIR", "SSL_CERT_FILE"),
    )
)
"""What the engine gets of our environment: nothing that may be secret."""
_DEFAULTS: Final = {"GOMAXPROCS": "1"}
"""Its timers wake a thousand times a second, idle or not: on one core that costs a third less."""

_log = logging.getLogger(__name__)
_LAUNCHER: Final = Path(__file__).with_name("launch.py")


class Supervisor:
    """Keeps one engine running, from a thread that lives as long as it is wanted.

    (The kernel kills the child when the thread ends that started it: prctl(2).) Thread-safe.
    """

    def __init__(
        self,
        program: Path,
        home: Home,
        log: EngineLog,
        prepare: Callable[[], None],
        halted: Callable[[str], None],
    ) -> None:
        """`prepare` is called before each start; `halted` when it never can go on as it is."""
        self._program = program
        self._home = home
        self._log = log
        self._prepare = prepare
        self._halted = halted
        self._control = threading.Lock()
        self._wanted = threading.Event()
        self._changed = threading.Event()
        self._restart: str | None = None
        self._thread: threading.Thread | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._starts = 0
        self._restarts = 0
        self._failure: str | None = None
        self._full: str | None = None

    # ---- control ----------------------------------------------------------------------------

    def start(self) -> None:
        """Begin. Twice does no harm."""
        with self._control:
            if self._thread is not None and self._thread.is_alive():
                return
            self._failure = self._full = None
            self._restart = None
            self._wanted.set()
            self._thread = threading.Thread(target=self._run, name="cometbft", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """End the engine, and return when it has. Twice does no harm."""
        with self._control:
            self._wanted.clear()
            self._changed.set()
            if self._thread is not None and self._thread is not threading.current_thread():
                self._thread.join()
                self._thread = None

    def let_go(self) -> None:
        """As `stop`, without waiting; for callers that the engine itself waits for."""
        self._wanted.clear()
        self._changed.set()

    def restart(self, reason: str) -> None:
        """End the engine and start it again, without waiting."""
        self._restart = reason
        self._changed.set()

    @property
    def pid(self) -> int | None:
        """Of the running engine."""
        child = self._child
        return child.pid if child is not None and child.poll() is None else None

    @property
    def starts(self) -> int:
        """How often it was started."""
        return self._starts

    @property
    def restarts(self) -> int:
        """How often it was started again because it had ended by itself."""
        return self._restarts

    @property
    def failure(self) -> str | None:
        """Why it does not run at the moment; None where it runs, or is meant not to."""
        return self._failure

    @property
    def full(self) -> str | None:
        """What the engine waits for room for; None where it has room, as far as is known."""
        return self._full

    def settled(self) -> None:
        """It works: what went wrong before is over."""
        self._failure = self._full = None

    # ---- the child --------------------------------------------------------------------------

    def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while self._wanted.is_set():
            begun = time.monotonic()
            self._child = None
            try:
                self._prepare()
                self._live()
            except Exception as error:
                _log.critical("the engine could not be started", exc_info=error)
                self._failure = f"{type(error).__name__}: {error}"
            if not self._wanted.is_set():
                return
            if self._log.halt is not None:
                self._wanted.clear()
                self._halted(self._log.halt)
                return
            if self._restart is not None:
                self._restart = None
                retry_s = RETRY_S_MIN
                continue
            if self._asked_to_end() and not self._stays_wanted():
                return
            if time.monotonic() - begun > STEADY_S:
                retry_s = RETRY_S_MIN
            level = logging.WARNING if self._asked_to_end() else logging.ERROR
            _log.log(level, "%s; again in %g s", self._failure, retry_s)
            self._changed.wait(retry_s)
            self._changed.clear()
            retry_s = min(2 * retry_s, RETRY_S_MAX)
            self._restarts += self._wanted.is_set()

    def _asked_to_end(self) -> bool:
        """Whether the engine ended in good order: it does when the system asks it to."""
        child = self._child
        return child is not None and child.returncode == 0 and self._log.full is None

    def _stays_wanted(self) -> bool:
        """Whether we are not asked to end as well, by a machine or service that shuts down."""
        deadline = time.monotonic() + SHUTDOWN_S
        while self._wanted.is_set() and time.monotonic() < deadline:
            self._changed.wait(_POLL_S)
            self._changed.clear()
        return self._wanted.is_set()

    def _live(self) -> None:
        """Start it and return when it has ended, by itself or because it is not wanted."""
        self._log.begin()
        self._changed.clear()
        command = (
            *(sys.executable, "-I", "-S", str(_LAUNCHER), str(os.getpid())),
            *(str(self._program), "start", "--home", str(self._home.path)),
        )
        with on_every_core():
            child = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._home.path,
                env=_DEFAULTS
                | {name: value for name, value in os.environ.items() if name in _ENVIRONMENT}
                | {"HOME": str(self._home.path)},
                start_new_session=True,
            )
        self._child = child
        self._starts += 1
        assert child.stdout is not None
        reader = threading.Thread(
            target=self._read, args=(child.stdout,), name="cometbft-log", daemon=True
        )
        reader.start()
        try:
            while child.poll() is None:
                unwanted = not self._wanted.is_set() or self._restart is not None
                if unwanted or self._log.halt is not None or self._log.full is not None:
                    if self._restart is not None:
                        _log.warning("the engine is restarted: %s", self._restart)
                    if not unwanted:  # it may be dying by itself, and not have said all yet
                        with suppress(subprocess.TimeoutExpired):
                            child.wait(LAST_WORDS_S)
                    self._end(child)
                    break
                self._changed.wait(_POLL_S)
        finally:
            self._end(child)
            reader.join(LAST_WORDS_S * 5)
            self._log.close()
        if self._wanted.is_set() and self._restart is None:
            last = self._log.errors()
            words = f": {last[-1]}" if last else ""
            self._failure = f"the engine ended with code {child.returncode}{words}"
            if self._log.full is not None:
                self._full = self._failure = f"the engine's disk is full: {self._log.full}"

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            with suppress(ProcessLookupError):
                child.terminate()
            try:
                child.wait(TERMINATE_S)
            except subprocess.TimeoutExpired:
                _log.error("the engine does not end by itself: it is killed")
                child.kill()
                child.wait()

    def _read(self, stream: IO[bytes]) -> None:
        with suppress(ValueError, OSError), stream:
            while line := stream.readline(LINE_SIZE_BYTES_MAX):
                self._log.take(line)
                if self._log.halt or self._log.sync_failed or self._log.full:
                    self._changed.set()
