"""A whole run in one process: a thread for each party, channels between threads."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterable, Mapping, Sequence

from federation.channel import Channel, Tap, local_channels
from federation.runs.conducting import GRACE_S, conduct
from federation.runs.documents import conversation_id
from federation.runs.errors import RunInvalid
from federation.runs.party import perform
from federation.runs.protocol import Journal, Party, Progress, Steps
from federation.runs.types import Run, RunEvent, RunOutcome, Stage, StageRecord

CHANNEL_TIMEOUT_S = 60.0
_MARGIN_S = 10.0
_ENDING_S = 10.0


def run_embedded(
    run: Run,
    parties: Iterable[Party],
    *,
    journal: Journal | None = None,
    progress: Progress | None = None,
    tap: Tap | None = None,
    channel_timeout_s: float = CHANNEL_TIMEOUT_S,
    grace_s: float = GRACE_S,
) -> RunOutcome:
    """Do a run here, with the very functions that parties run on machines of their own.

    `parties` are all of the run. `tap` sees every byte between them; `progress` hears of stages,
    answers and of the steps within a party's work, from several threads. Raises `RunInvalid`.
    """
    present = {party.name: party for party in parties}
    if set(present) != set(run.parties):
        raise RunInvalid("run/parties", f"{sorted(run.parties)} are meant, not {sorted(present)}")
    messenger = _Threads(present, progress, tap, channel_timeout_s)
    return conduct(
        run, messenger, journal=journal, progress=progress, margin_s=_MARGIN_S, grace_s=grace_s
    )


class _Threads:
    """Carries a stage to threads of this process; see `Messenger`."""

    def __init__(
        self,
        parties: Mapping[str, Party],
        progress: Progress | None,
        tap: Tap | None,
        channel_timeout_s: float,
    ) -> None:
        self._parties = parties
        self._progress = progress
        self._tap = tap
        self._channel_timeout_s = channel_timeout_s
        self._records: queue.SimpleQueue[StageRecord] = queue.SimpleQueue()
        self._channels: Mapping[str, Channel] = {}
        self._threads: list[threading.Thread] = []

    def ask(self, run: Run, stage: Stage, attempt: int, /) -> None:
        names = run.parties_of(stage)
        conversation = conversation_id(run, stage, attempt)
        self._channels = self._open(conversation, names)
        self._records = queue.SimpleQueue()
        self._threads = [
            threading.Thread(
                target=self._perform, args=(name, run, stage, attempt, self._records), daemon=True
            )
            for name in names
        ]
        for thread in self._threads:
            thread.start()

    def answers(self, wait_s: float, /) -> Sequence[StageRecord]:
        try:
            records = [self._records.get(timeout=wait_s)]
        except queue.Empty:
            return []
        while True:
            try:
                records.append(self._records.get_nowait())
            except queue.Empty:
                return records

    def abandon(self) -> None:
        for channel in self._channels.values():
            channel.close()
        deadline = time.monotonic() + _ENDING_S
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        self._threads = []

    def _open(self, conversation: str, names: tuple[str, ...]) -> Mapping[str, Channel]:
        if len(names) < 2:
            return {}
        return local_channels(conversation, names, timeout_s=self._channel_timeout_s, tap=self._tap)

    def _perform(
        self,
        name: str,
        run: Run,
        stage: Stage,
        attempt: int,
        records: queue.SimpleQueue[StageRecord],
    ) -> None:
        channels = self._channels

        def opener(_run: str, me: str, _parties: tuple[str, ...]) -> Channel:
            return channels[me]

        steps = self._steps(name, run, stage)
        record = perform(self._parties[name], run, stage, attempt, opener, progress=steps)
        if name in channels:
            channels[name].close()  # who refused never took it, and the others wait for it
        records.put(record)

    def _steps(self, name: str, run: Run, stage: Stage) -> Steps | None:
        progress = self._progress
        if progress is None:
            return None
        number = run.stages.index(stage) + 1

        def tell(done: int, total: int, measures: Mapping[str, float] | None = None, /) -> None:
            progress(
                RunEvent(
                    "progress",
                    stage.name,
                    number,
                    len(run.stages),
                    name,
                    done=done,
                    total=total,
                    measures=measures or {},
                )
            )

        return tell
