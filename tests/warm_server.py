"""What `tests.warm` talks to: a process that has imported everything, and forks for each command.

`python -m tests.warm_server DESCRIPTOR MODULE…` imports the modules, then answers on the socket:
each message names a command and brings its standard streams and a socket, on which the process
number and later the exit code are told.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import runpy
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module
from types import ModuleType
from typing import Any, Final

LONGEST: Final = 1 << 20
"""Bytes of a command with its environment."""
CLONE_NEWNET: Final = 0x4000_0000


def serve(control: socket.socket) -> dict[str, Any]:
    """Fork for each command; returns only in a process that is to run one."""
    while True:
        message, handed, _, _ = socket.recv_fds(control, LONGEST, 4)
        if not message:
            os._exit(0)  # who asked has gone
        if os.fork() == 0:
            control.close()
            command: dict[str, Any] = json.loads(message)
            _become(command, handed)
            return command
        for descriptor in handed:
            os.close(descriptor)
        _forget_the_ended()


def _forget_the_ended() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _become(command: dict[str, Any], handed: list[int]) -> None:
    """Fork once more: the one waits and tells the exit code, the other returns to run."""
    told = socket.socket(fileno=handed[3])
    child = os.fork()
    if child:
        for descriptor in handed[:3]:
            os.close(descriptor)
        _end_with_who_asked(child, told)
        _, status = os.waitpid(child, 0)
        with suppress(OSError):
            told.send(str(os.waitstatus_to_exitcode(status)).encode())
        os._exit(0)
    os.setsid()
    if command["namespace"] is not None:
        _enter(command["namespace"])
    for stream, descriptor in enumerate(handed[:3]):
        os.dup2(descriptor, stream)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(command["environment"])
    os.chdir(command["folder"])
    told.send(str(os.getpid()).encode())
    told.close()


def _end_with_who_asked(child: int, told: socket.socket) -> None:
    """Wait for the end of either: with the test process its commands end, as they would for a
    parent that they had asked the kernel to follow (PR_SET_PDEATHSIG)."""
    ended = os.pidfd_open(child)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(told, select.POLLHUP)
    if ended not in {descriptor for descriptor, _ in poll.poll()}:
        os.kill(child, signal.SIGKILL)


def _enter(namespace: str) -> None:
    """Be on another host: setns(2)."""
    library = ctypes.CDLL(None, use_errno=True)
    with open(namespace, "rb") as opened:
        if library.setns(opened.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")


def run(words: list[str]) -> None:
    """What the interpreter does with `-m MODULE …` and with `-c CODE …`."""
    how, what, *arguments = words
    sys.argv = [how, *arguments]
    if how == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
        return
    main = ModuleType("__main__")
    sys.modules["__main__"] = main
    exec(compile(what, "<string>", "exec"), main.__dict__)


def wait_for_command() -> list[str]:
    """Import, then wait to be asked."""
    for name in sys.argv[2:]:
        import_module(name)
    if threading.active_count() > 1:  # their locks would be held for ever in what is forked
        raise RuntimeError(f"importing has started threads: {threading.enumerate()}")
    gc.collect()
    gc.freeze()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        words: list[str] = serve(control)["words"]
    gc.unfreeze()
    return words


if __name__ == "__main__":
    run(wait_for_command())
