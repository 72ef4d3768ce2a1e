"""Asking the other nodes for their cosignatures and checkpoints, over HTTP.

One thread, one event loop, one task a peer. A peer may be slow, dead or hostile: whatever it sends
is bounded in size and time, redirects are not followed, and nothing of it is believed without its
registered key. While nothing is missing nothing is asked, save a slow heartbeat.
"""

from __future__ import annotations

import asyncio
import logging
import random
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import httpx

from ledger.closing import Closing
from ledger.tlog import Checkpoint, KeyIdentity, Note
from ledger.tlog.note import NOTE_SIZE_BYTES_MAX
from ledger.witness.errors import PeerAnswerRefused, WitnessError
from ledger.witness.history import CONSISTENCY_SIZE_BYTES_MAX, read_consistency
from ledger.witness.lines import COUNT_MAX, SIZE_BYTES_MAX
from ledger.witness.types import Meeting, PeerWitness, Relation
from ledger.witness.witness import Witness

PEERS_MAX: Final = 256
FORKED: Final = "its log has forked from ours: see the evidence that is kept"
_DOUBLINGS_MAX: Final = 10
_JOIN_S: Final = 10.0
_KEEP_ALIVE_S: Final = 3.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often peers are asked."""

    interval_s: float = 1.0
    """Least time between two questions to one peer."""
    delay_s: float = 0.1
    """From a new head to the first question: the others need a moment to commit it too."""
    heartbeat_s: float = 30.0
    """How often checkpoints are compared while nothing is missing."""
    backoff_s: float = 15.0
    """Longest time between two tries with a peer that does not answer, or not well."""
    timeout_s: float = 5.0
    """For one whole answer."""


_Following = tuple[PeerWitness, asyncio.Task[None], asyncio.Event]


class Gatherer(Closing):
    """Brings a witness what its peers say. Start it after the witness, close it before."""

    def __init__(self, witness: Witness, pace: Pace | None = None) -> None:
        self._witness = witness
        self._pace = pace or Pace()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._stop = asyncio.Event()
        self._followers: dict[
            KeyIdentity, tuple[PeerWitness, asyncio.Task[None], asyncio.Event]
        ] = {}
        self._told = False
        self._ready = threading.Event()
        witness.on_change(self._changed)

    def start(self) -> None:
        """Begin to ask, in a thread of its own."""
        self._thread = threading.Thread(target=self._work, name="witness-gatherer", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop asking. Twice does no harm."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._ready.wait(_JOIN_S)
            self._call(self._stop.set)
            thread.join(_JOIN_S)

    def _call(self, function: Callable[[], object]) -> None:
        loop = self._loop
        if loop is not None:
            try:
                loop.call_soon_threadsafe(function)
            except RuntimeError:  # the loop has ended meanwhile
                return

    def _changed(self) -> None:
        """Our log has a new head: told once, however many there are until the loop gets to it."""
        if self._loop is not None and not self._told:
            self._told = True
            self._call(self._wake)

    def _wake(self) -> None:
        self._told = False
        for _, _, event in self._followers.values():
            event.set()

    def _work(self) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._run())
        except Exception:
            _log.exception("cosignatures are no longer gathered")
        finally:
            self._ready.set()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        limits = httpx.Limits(max_connections=PEERS_MAX, keepalive_expiry=_KEEP_ALIVE_S)
        async with httpx.AsyncClient(
            timeout=self._pace.timeout_s,
            limits=limits,
            follow_redirects=False,
            trust_env=False,
            headers={"Accept-Encoding": "identity", "User-Agent": "tallystick-witness"},
        ) as client:
            try:
                while not self._stop.is_set():
                    self._take_up(client)
                    await _first(self._stop.wait(), self._pace.heartbeat_s)
            finally:
                tasks = [task for _, task, _ in self._followers.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _take_up(self, client: httpx.AsyncClient) -> None:
        """A task for each peer that there is now, none for those gone."""
        try:
            peers = self._witness.refresh()[:PEERS_MAX]
        except Exception:
            _log.exception("who the other witnesses are could not be read; the known ones stay")
            return
        wanted = {peer.identity: peer for peer in peers if peer.api_url}
        for key, (peer, task, _) in list(self._followers.items()):
            if wanted.get(key) != peer or task.done():
                task.cancel()
                del self._followers[key]
        for key, peer in wanted.items():
            if key not in self._followers:
                event = asyncio.Event()
                follower = _Follower(self._witness, peer, client, self._pace, event)
                self._followers[key] = (peer, asyncio.create_task(follower.run()), event)


class _Follower:
    """One peer, asked again and again."""

    def __init__(
        self,
        witness: Witness,
        peer: PeerWitness,
        client: httpx.AsyncClient,
        pace: Pace,
        changed: asyncio.Event,
    ) -> None:
        self._witness = witness
        self._peer = peer
        self._client = client
        self._pace = pace
        self._changed = changed
        self._trouble = ""

    async def run(self) -> None:
        """Until cancelled."""
        pace, clock = self._pace, asyncio.get_running_loop().time
        heartbeat = clock()  # the first question compares checkpoints
        vain = 0  # questions that brought nothing, one after the other
        while True:
            self._changed.clear()
            if clock() >= heartbeat:
                heartbeat = clock() + pace.heartbeat_s * random.uniform(0.9, 1.1)
                progress = await self._ask(self._compare)
            elif self._witness.wanted_from(self._peer) is not None:
                progress = await self._ask(self._pull)
            else:
                await _first(self._changed.wait(), heartbeat - clock())
                vain = 0
                await asyncio.sleep(pace.delay_s if self._changed.is_set() else 0.0)
                continue
            vain = 0 if progress else min(vain + 1, _DOUBLINGS_MAX)
            pause = pace.interval_s * 2 ** max(0, vain - 1)
            if self._trouble:
                await asyncio.sleep(min(pause, pace.backoff_s))
                continue
            await asyncio.sleep(pace.interval_s)
            # A new head of ours is a reason to ask again, and so is what may come late.
            rest = min(pause, pace.heartbeat_s) - pace.interval_s
            await _first(self._changed.wait(), rest)
            if self._changed.is_set():
                vain = 0

    async def _ask(self, question: Callable[[], Awaitable[bool]]) -> bool:
        """Whether it brought us further; notes trouble, and says so when it begins."""
        try:
            async with asyncio.timeout(self._pace.timeout_s):
                progress = await question()
            trouble = ""
        except (httpx.HTTPError, httpx.InvalidURL, WitnessError, OSError, ValueError) as error:
            progress, trouble = False, f"{type(error).__name__}: {error}"[:300]
        except TimeoutError:
            progress, trouble = False, f"no whole answer within {self._pace.timeout_s:g} s"
        if trouble and not self._trouble:
            _log.warning("witness %s at %s: %s", self._peer.label, self._peer.api_url, trouble)
        self._trouble = trouble
        self._witness.reached(self._peer, trouble)
        return progress

    async def _pull(self) -> bool:
        size = self._witness.wanted_from(self._peer)
        if size is None:
            return True
        return self._further(await self._cosignatures(size, COUNT_MAX))

    async def _cosignatures(self, from_size: int, count_max: int) -> Meeting:
        path = f"/log/cosignatures?from={from_size}&limit={count_max}"
        text = (await self._get(path, SIZE_BYTES_MAX)).decode()
        return self._witness.meet_cosignatures(self._peer, text)

    async def _compare(self) -> bool:
        """The peer's checkpoint beside our log, and what it once showed, too."""
        if self._witness.recheck(self._peer) is Relation.FORKED:
            raise PeerAnswerRefused(FORKED)
        note = (await self._get("/log/checkpoint", NOTE_SIZE_BYTES_MAX)).decode()
        meeting = self._witness.meet(note)
        if meeting.relation is not Relation.AHEAD:
            return self._further(meeting)
        checkpoint = Checkpoint.parse(Note.decode(note).text)
        basis = self._witness.basis(self._peer, note)
        # What it cosigned at our own size says more than a proof: a fork is proven by it.
        self._further(await self._cosignatures(self._witness.size, 1))
        path: tuple[bytes, ...] = ()
        if 0 < basis.size < checkpoint.size:
            path = await self._consistency(basis.size, checkpoint.size)
        return self._further(self._witness.prove(self._peer, note, basis, path))

    def _further(self, meeting: Meeting) -> bool:
        """Whether something new was kept. A fork goes on: there is no hurry to see more of it."""
        if meeting.relation is Relation.FORKED:
            raise PeerAnswerRefused(FORKED)
        return meeting.kept > 0

    async def _consistency(self, size1: int, size2: int) -> tuple[bytes, ...]:
        path = f"/log/consistency?from={size1}&to={size2}"
        data = await self._get(path, CONSISTENCY_SIZE_BYTES_MAX)
        return read_consistency(data, self._witness.origin, size1, size2)

    async def _get(self, path: str, size_bytes_max: int) -> bytes:
        # With a query of its own, or as a user, another member would choose what we ask of whom.
        odd = any(mark in self._peer.api_url for mark in "?#@\\")
        if odd or not self._peer.api_url.startswith(("http://", "https://")):
            raise PeerAnswerRefused(f"{self._peer.api_url[:80]!r} is no address that is asked")
        url = self._peer.api_url.rstrip("/") + path
        async with self._client.stream("GET", url) as answer:
            if answer.status_code != httpx.codes.OK:
                raise PeerAnswerRefused(f"{path}: answered with status {answer.status_code}")
            if answer.headers.get("Content-Encoding", "identity") != "identity":
                raise PeerAnswerRefused(f"{path}: a compressed answer, which was not asked for")
            data = bytearray()
            async for chunk in answer.aiter_raw():
                data += chunk
                if len(data) > size_bytes_max:
                    raise PeerAnswerRefused(f"{path}: more than {size_bytes_max} bytes")
        return bytes(data)


async def _first(waiting: Awaitable[object], timeout_s: float) -> None:
    """Wait for something, at most so long."""
    try:
        async with asyncio.timeout(timeout_s):
            await waiting
    except TimeoutError:
        return
