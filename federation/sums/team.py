"""Processes of one party that share its work.

gmpy2 keeps the interpreter's lock while it multiplies, so threads would take turns. Each process
keeps one object and calls what it is told to; with one worker the object lives in this process.
They are started anew (not forked: a fork copies locks that other threads hold).
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Final, Generic, TypeVar

from federation.sums.errors import SumsError, TeamBroken
from ledger.cores import on_every_core

__all__ = ["WORKERS_MAX", "Team"]

WORKERS_MAX: Final = 64

Engine = TypeVar("Engine")
Given = TypeVar("Given")
Result = TypeVar("Result")


class Team(Generic[Engine, Given]):
    """`workers` objects made by `make(given)`, here or in processes of their own."""

    def __init__(
        self, make: Callable[[Given], Engine], given: Given, workers: int | None = None
    ) -> None:
        # A process of multiprocessing's that is a daemon may start none: it works alone.
        alone = multiprocessing.current_process().daemon
        self.size = 1 if alone else max(1, min(workers or os.cpu_count() or 1, WORKERS_MAX))
        self._engine: Engine | None = None
        self._members: list[tuple[multiprocessing.process.BaseProcess, Connection]] = []
        if self.size == 1:
            self._engine = make(given)
            return
        context = multiprocessing.get_context("spawn")
        with on_every_core():
            for _ in range(self.size):
                ours, theirs = context.Pipe()
                member = context.Process(target=_work, args=(theirs, make, given), daemon=True)
                member.start()
                theirs.close()
                self._members.append((member, ours))

    def each(
        self, method: Callable[..., Result], arguments: Sequence[tuple[Any, ...]]
    ) -> list[Result]:
        """Call `method(object, *arguments)` for the n-th object and arguments, all at once.

        It must be a function of a module, or a method taken from its class. Raises what the first
        of them raised, `TeamBroken` where a process has ended. Requires at most `size` arguments.
        """
        assert len(arguments) <= self.size
        if self._engine is not None:
            return [method(self._engine, *one) for one in arguments]
        if not self._members:
            raise TeamBroken("the processes that share the work have been ended")
        members = self._members[: len(arguments)]
        try:
            for (_, pipe), one in zip(members, arguments, strict=True):
                pipe.send((method, one))
            answers = [pipe.recv() for _, pipe in members]
        except (EOFError, OSError) as error:
            self.close()
            raise TeamBroken("a process that shares the work has ended") from error
        for good, answer in answers:
            if not good:
                raise answer
        return [answer for _, answer in answers]

    def close(self) -> None:
        """End the processes."""
        members, self._members = self._members, []
        for member, pipe in members:
            pipe.close()
            member.join(1)
            if member.is_alive():
                member.kill()
                member.join()


def _work(pipe: Connection, make: Callable[[Given], object], given: Given) -> None:
    engine = make(given)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            method, arguments = pipe.recv()
            try:
                pipe.send((True, method(engine, *arguments)))
            except SumsError as error:
                pipe.send((False, error))
