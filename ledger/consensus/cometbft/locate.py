"""Finding the program, and holding it to the one version that this software speaks to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from ledger.consensus.cometbft.config import VERSION
from ledger.consensus.cometbft.errors import EngineMissing, EngineVersionWrong

VARIABLE: Final = "TALLY_COMETBFT"
PROGRAM: Final = "cometbft"
_WAIT_S: Final = 20.0
_checked: dict[tuple[Path, int], str] = {}
"""Versions by path and time of change: a node asks at each start."""


def find_engine() -> Path:
    """CometBFT's program: TALLY_COMETBFT, PATH, the Go tool's own folders, ~/go/bin.

    Raises `EngineMissing`, `EngineVersionWrong`; both say what to do.
    """
    wrong: list[str] = []
    for path in _places(os.environ):
        version = _version(path)
        if version == VERSION:
            return path
        wrong.append(f"{path} is {version or 'no CometBFT'}")
        if VARIABLE in os.environ:
            break
    if wrong:
        raise EngineVersionWrong(
            f"CometBFT v{VERSION} is needed: {'; '.join(wrong)}. `make cometbft` installs it, "
            f"{VARIABLE} names it"
        )
    named = os.environ.get(VARIABLE)
    if named:
        raise EngineMissing(f"{VARIABLE} is {named!r}, and there is no program")
    raise EngineMissing(
        f"CometBFT v{VERSION} is not installed: `make cometbft` installs it (needs Go), or name "
        f"the program by {VARIABLE}"
    )


def _places(environment: Mapping[str, str]) -> Iterator[Path]:
    """Programs that exist, best first, each once."""
    named = environment.get(VARIABLE)
    if named:
        if _executable(Path(named)):
            yield Path(named).absolute()
        return
    seen: set[Path] = set()
    on_path = shutil.which(PROGRAM)
    folders = [Path(on_path).parent] if on_path else []
    for folder in (*folders, *_go_folders(environment)):
        path = folder / PROGRAM
        if path not in seen and _executable(path):
            seen.add(path)
            yield path.absolute()


def _go_folders(environment: Mapping[str, str]) -> Iterator[Path]:
    if environment.get("GOBIN"):
        yield Path(environment["GOBIN"])
    go_path = environment.get("GOPATH") or _ask_go()
    for entry in go_path.split(os.pathsep):
        if entry:
            yield Path(entry) / "bin"
    yield Path.home() / "go" / "bin"


def _ask_go() -> str:
    go = shutil.which("go")
    if go is None:
        return ""
    try:
        found = subprocess.run(  # noqa: S603
            [go, "env", "GOPATH"], capture_output=True, text=True, timeout=_WAIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


def _executable(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _version(path: Path) -> str | None:
    """What `cometbft version` says, without build details; None where it says nothing of use."""
    key = (path, path.stat().st_mtime_ns)
    if key not in _checked:
        try:
            said = subprocess.run(  # noqa: S603
                [path, "version"], capture_output=True, text=True, timeout=_WAIT_S, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return None
        lines = said.stdout.split()
        if said.returncode or not lines:
            return None
        _checked[key] = lines[0].removeprefix("v").partition("+")[0][:40]
    return _checked[key]
