"""Disks that are slow, or full."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DELAYED = "(DELAYED)"


def slow_disk(strace: str, delay_ms: int, trace: Path) -> list[str]:
    """What stands before a program so that each of its fsyncs takes so much longer.

    strace stops all its threads and children at these system calls and nowhere else (seccomp), and
    writes them to `trace`. It stays out of the way as a grandchild: the program keeps its place.
    """
    return [
        *(strace, "-D", "-f", "--seccomp-bpf", "-qq", "-o", str(trace), "-e", "signal=none"),
        *("-e", "trace=fsync,fdatasync,msync,sync_file_range"),
        *("-e", f"inject=fsync,fdatasync,msync:delay_enter={delay_ms * 1000}"),
    ]


@contextmanager
def small_disk(mount: Path, size_mib: int) -> Iterator[None]:
    """A file system of its own in place of a folder, with what is in the folder."""
    aside = mount.with_name(f"{mount.name}.aside")
    mount.rename(aside)
    mount.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size_mib}m", "tmpfs", str(mount)], check=True
    )
    try:
        shutil.copytree(aside, mount, dirs_exist_ok=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=False)


def fill(folder: Path, leave_bytes: int = 0) -> Path:
    """Leave no more room than this; remove the file that is returned to have it back."""
    filler = folder / "filler"
    free = os.statvfs(folder)
    left = free.f_bavail * free.f_frsize - leave_bytes
    with suppress(OSError), filler.open("wb", buffering=0) as file:  # others write there too
        while left > 0:
            left -= file.write(bytes(min(left, 1 << 20)))
    return filler
