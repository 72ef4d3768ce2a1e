"""`run.json`: where a running node can be asked, and the operator's token. For its owner only."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nodes.operations.errors import NotRunning, RunFileInvalid

RUN_FILE: Final = "run.json"
SIZE_BYTES_MAX: Final = 16_384
TOKEN_BYTES: Final = 32


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)

    pid: int = Field(gt=0)
    started: int = Field(ge=0)
    operations: str = Field(pattern=r"^http://")
    api: str = ""
    rpc: str = ""
    token: str = Field(min_length=32, max_length=256)


@dataclass(frozen=True, slots=True)
class RunFile:
    """A node while it runs."""

    pid: int
    started: int
    """When the process began, in clock ticks since boot (proc(5), field 22); 0 if unknown."""
    operations: str
    """Address of the operator's listener."""
    api: str
    rpc: str
    token: str
    """Bearer token for everything at the operator's listener but health and metrics."""

    @classmethod
    def of_this_process(cls, *, operations: str, api: str, rpc: str, token: str) -> RunFile:
        """For the process that calls."""
        return cls(os.getpid(), process_start(os.getpid()), operations, api, rpc, token)

    def write(self, folder: Path) -> None:
        """Put it into a node's folder, mode 0600, whole or not at all."""
        target = folder / RUN_FILE
        partial = folder / f".{RUN_FILE}.{self.pid}"
        partial.unlink(missing_ok=True)
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump(
                {
                    "pid": self.pid,
                    "started": self.started,
                    "operations": self.operations,
                    "api": self.api,
                    "rpc": self.rpc,
                    "token": self.token,
                },
                file,
            )
        partial.replace(target)

    def remove(self, folder: Path) -> None:
        """Take it away, if it is still this process's."""
        try:
            if _load(folder / RUN_FILE).token == self.token:
                (folder / RUN_FILE).unlink(missing_ok=True)
        except (NotRunning, RunFileInvalid):
            return

    @classmethod
    def find(cls, folder: Path) -> RunFile:
        """The node that runs in a folder. Raises `NotRunning`, `RunFileInvalid`."""
        found = _load(folder / RUN_FILE)
        if not _is_alive(found):
            raise NotRunning(
                f"no node runs in {folder}: process {found.pid}, which {RUN_FILE} names, has ended"
            )
        return found


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def process_start(pid: int) -> int:
    """Clock ticks between boot and the start of a process; 0 where it cannot be told.

    A process number alone can have passed to another program; with its start it names one.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return 0
    # The name in parentheses may hold anything, closing parentheses too.
    fields = text.rpartition(")")[2].split()
    return int(fields[19]) if len(fields) > 19 else 0


def _is_alive(run: RunFile) -> bool:
    try:
        os.kill(run.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return run.started == 0 or process_start(run.pid) == run.started


def _load(path: Path) -> RunFile:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(SIZE_BYTES_MAX + 1)
    except FileNotFoundError as missing:
        raise NotRunning(
            f"no node runs in {path.parent} (there is no {path.name}): start it, or name the "
            "folder of one that runs"
        ) from missing
    if mode & 0o077:
        raise RunFileInvalid(
            f"{path} holds a token and must be its owner's alone: chmod 600 {path}"
        )
    try:
        document = _Document.model_validate_json(data[:SIZE_BYTES_MAX])
    except ValidationError as bad:
        first = bad.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise RunFileInvalid(f"{path}: {place or 'document'}: {first['msg']}") from bad
    return RunFile(**document.model_dump())
