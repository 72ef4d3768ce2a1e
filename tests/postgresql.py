"""A PostgreSQL server for the tests: the one that TALLY_TEST_POSTGRESQL names, else one of our own.

Our own is started from Debian's binaries once per test process, listens on a unix socket in a
private folder alone, and dies with the tests however they end.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, text

from tests.conftest import skip_or_fail

ENVIRONMENT_NAME: Final = "TALLY_TEST_POSTGRESQL"
INSTALLED: Final = Path("/usr/lib/postgresql")
START_S: Final = 60.0
_PR_SET_PDEATHSIG: Final = 1


class fresh_postgresql:
    """A schema of its own in the test server, dropped at the end. Skips where there is no server.

    The URL that it gives may be used by other processes too.
    """

    def __enter__(self) -> str:
        url = server_url()
        self._engine = create_engine(url, isolation_level="AUTOCOMMIT")
        self._schema = f"test_{uuid.uuid4().hex}"
        with self._engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {self._schema}"))
        joiner = "&" if "?" in url else "?"
        return f"{url}{joiner}options=-csearch_path%3D{self._schema}"

    def __exit__(self, *_: object) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {self._schema} CASCADE"))
        self._engine.dispose()


def server_url() -> str:
    """URL of a server on which schemas may be made. Skips (fails in CI) where there is none."""
    given = os.environ.get(ENVIRONMENT_NAME)
    if given:
        return given.replace("postgresql://", "postgresql+psycopg://")
    found = binaries()
    if found is None:
        skip_or_fail(f"PostgreSQL is not installed, and {ENVIRONMENT_NAME} names no server")
    assert found is not None
    return _started(found).url


def binaries() -> Path | None:
    """Folder of `initdb` and `postgres`, the newest; None where PostgreSQL is not installed."""
    versions = sorted(INSTALLED.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if versions:
        return versions[-1].parent
    return None if on_path is None else Path(on_path).parent


class PostgresqlServer:
    """A server of our own. Use `stop`, or let it die with this process."""

    def __init__(self, programs: Path) -> None:
        self._programs = programs
        self._user = _unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="tally-postgresql-"))
        if self._user is not None:
            os.chown(self.folder, self._user.pw_uid, self._user.pw_gid)
        atexit.register(self.stop)
        self._process: subprocess.Popen[bytes] | None = None
        self._run(
            "initdb", "-D", self._data, "-U", "postgres", "-A", "trust",
            "-E", "UTF8", "--locale", "C", "--no-sync",
        )  # fmt: skip
        self.start()

    @property
    def url(self) -> str:
        """For SQLAlchemy, with psycopg."""
        return f"postgresql+psycopg://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        """Start it, also after `halt`, and wait until it answers."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(self.folder),
            "max_connections": "300",
            "fsync": "off",  # of a machine's crash the tests do not tell
            "log_min_messages": "fatal",
        }
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [str(self._programs / "postgres"), "-D", self._data, *arguments],
            stdout=subprocess.DEVNULL,
            stderr=(self.folder / "log").open("ab"),
            preexec_fn=_die_with_parent(os.getpid()),
            **self._as_user(),
        )
        deadline = time.monotonic() + START_S
        ready = [str(self._programs / "pg_isready"), "-q", "-h", str(self.folder), "-U", "postgres"]
        while subprocess.run(ready, check=False).returncode != 0:
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text("utf-8", "replace")
                raise AssertionError(f"PostgreSQL did not start: {log[-2000:]}")
            time.sleep(0.05)

    def halt(self, *, hard: bool = False) -> None:
        """Stop the server and keep its data; `hard` as a crash would."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGQUIT if hard else signal.SIGINT)
            self._process.wait(START_S)
        self._process = None

    def stop(self) -> None:
        """End it for good and remove its data."""
        self.halt(hard=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def _data(self) -> str:
        return str(self.folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            capture_output=True,
            check=False,
            **self._as_user(),
        )
        assert done.returncode == 0, done.stderr.decode("utf-8", "replace")

    def _as_user(self) -> dict[str, object]:
        home = {"cwd": self.folder, "env": {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}}
        if self._user is None:
            return home
        return {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": [], **home}


@cache
def _started(programs: Path) -> PostgresqlServer:
    return PostgresqlServer(programs)


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root: then as Debian's own user for it, or as nobody."""
    if os.getuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise AssertionError("no unprivileged user to run PostgreSQL as")


def _die_with_parent(parent: int) -> Callable[[], None]:
    """In the child, after it has become its user (which would undo it): prctl(2)."""
    libc = ctypes.CDLL(None, use_errno=True)

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT, 0, 0, 0)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGQUIT)

    return ask
