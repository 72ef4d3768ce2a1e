"""Delivery: each webhook gets its notices one after the other, until the receiver has them.

A webhook's place is moved, durably, once the receiver has answered 2xx: a crash repeats the last
message at most, and loses none. While a notice fails, those behind it wait (order), and are tried
again at growing intervals; after days of failing the webhook is disabled where it stands.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import orjson
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from api.hooks.posting import Poster
from api.hooks.settings import HookSettings
from api.hooks.signing import sign_message
from api.hooks.store import HookStore, now_ms
from api.hooks.types import Hook, HookState, Outcome
from api.stream import Entry, Tail, Window
from contracts.consortium import Status, find_organisation
from contracts.instruments.viewer import Viewer
from ledger.crypto import Sealer
from ledger.projection import read_transaction

STOP_S: Final = 5.0
DISABLED: Final = "webhook.disabled"
"""Kind of the message that another webhook was disabled."""

KEY_LOST: Final = (
    "its secret was sealed with a key that this node no longer has: delete it and make a new one"
)

_log = logging.getLogger(__name__)


class HookService:
    """Delivers to the webhooks of a node, in a thread of its own."""

    def __init__(
        self,
        engine: Engine,
        tail: Tail,
        settings: HookSettings | None = None,
        *,
        sealer: Sealer,
        tls: ssl.SSLContext | None = None,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """`sealer`: for the secrets in the database.

        `tls`: whose certificates are believed; the system's by default.
        """
        self.settings = settings or HookSettings()
        self.store = HookStore(engine, self.settings, sealer)
        self.tail = tail
        self._engine = engine
        self._tls = tls
        self._draw = draw
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._woken: asyncio.Event | None = None
        self._stopping = False
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._scanned: dict[str, tuple[int, int]] = {}
        """By webhook, its generation and up to where nothing is for it."""
        self._resting: dict[str, int] = {}
        """Webhooks of suspended organisations, and when to look again (milliseconds)."""

    def start(self) -> None:
        """Begin to deliver. Does nothing where it runs already."""
        if self._thread is not None:
            return
        started: Future[None] = Future()
        self._stopping = False
        self._thread = threading.Thread(
            target=self._live, args=(started,), name="webhooks", daemon=True
        )
        self._thread.start()
        started.result()

    def stop(self) -> None:
        """End; what is under way is broken off, and comes again with the next start."""
        thread, loop = self._thread, self._loop
        if thread is None or loop is None:
            return
        self._stopping = True
        self._wake()
        thread.join(2 * STOP_S)
        self._thread = self._loop = None

    def changed(self) -> None:
        """A webhook was made, resumed or deleted."""
        self._wake()

    def probe(self, hook: Hook) -> Outcome:
        """Send one message `webhook.test`, apart from the feed. Blocks; needs the service started.

        Raises `RuntimeError` where it is not.
        """
        loop = self._loop
        if loop is None:
            raise RuntimeError("the webhooks' service does not run")
        body = b'{"id":"test","kind":"webhook.test","body":{}}'
        return asyncio.run_coroutine_threadsafe(self._post(hook, "test", body), loop).result()

    def _live(self, started: Future[None]) -> None:
        try:
            asyncio.run(self._run(started))
        except Exception as error:
            if not started.done():
                started.set_exception(error)
                return
            _log.critical("webhooks stopped: %s", error, exc_info=error)

    async def _run(self, started: Future[None]) -> None:
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()
        self._poster = Poster(self.settings, self._tls)
        end = self.tail.follow(self._wake)
        started.set_result(None)
        try:
            while not self._stopping:
                self._woken.clear()
                pause_s = self.settings.poll_s
                try:
                    pause_s = await self._look()
                except SQLAlchemyError as error:
                    _log.warning("webhooks wait for the database: %s", error)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause_s):
                        await self._woken.wait()
        finally:
            end()
            for task in self._busy.values():
                task.cancel()
            if self._busy:
                await asyncio.wait(list(self._busy.values()), timeout=STOP_S)
            await self._poster.close()

    def _wake(self) -> None:
        loop, woken = self._loop, self._woken
        if loop is not None and woken is not None and not loop.is_closed():
            loop.call_soon_threadsafe(woken.set)

    async def _look(self) -> float:
        """Begin what is due; the answer is when to look again, in seconds."""
        hooks = await asyncio.to_thread(self.store.active)
        now, pause_s = now_ms(), self.settings.poll_s
        known = {hook.id for hook in hooks}
        self._scanned = {name: at for name, at in self._scanned.items() if name in known}
        self._resting = {name: at for name, at in self._resting.items() if name in known}
        under_way = Counter(task.get_name() for task in self._busy.values())
        for hook in hooks:
            if hook.id in self._busy:
                continue
            due_ms = max(hook.next_ms, self._resting.get(hook.id, 0))
            if due_ms > now:
                pause_s = min(pause_s, (due_ms - now) / 1000)
                continue
            full = len(self._busy) >= self.settings.at_once_max
            if full or under_way[hook.organisation] >= (self.settings.at_once_per_organisation_max):
                continue  # whoever ends wakes this again
            if self._nothing_for(hook):
                continue
            under_way[hook.organisation] += 1
            task = asyncio.create_task(self._serve(hook), name=hook.organisation)
            self._busy[hook.id] = task
            task.add_done_callback(functools.partial(self._ended, hook.id))
        return max(0.01, pause_s)

    def _ended(self, hook_id: str, task: asyncio.Task[None]) -> None:
        self._busy.pop(hook_id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            # Tried again at the next look of itself, not at once.
            _log.error("webhook %s: %s", hook_id, error, exc_info=error)
            return
        self._wake()

    def _nothing_for(self, hook: Hook) -> bool:
        """Whether memory says that nothing is for it, as of now."""
        generation, position = self._scanned.get(hook.id, (hook.generation, hook.position))
        if generation != hook.generation or position < hook.position:
            position = hook.position
        window = self.tail.after(position)
        if window is None:
            return False
        # What a supervisor sees depends on his role, which only the database knows.
        viewer = Viewer.everything() if hook.supervise else Viewer.of(hook.organisation)
        if any(entry.concerns(viewer, hook.wanted) for entry in window.entries):
            return False
        self._scanned[hook.id] = (hook.generation, window.upto)
        return True

    async def _serve(self, hook: Hook) -> None:
        """Deliver a batch, in order, as far as the receiver takes it."""
        viewer = await asyncio.to_thread(self._viewer, hook)
        if viewer is None:
            self._resting[hook.id] = now_ms() + round(self.settings.poll_s * 1000)
            return
        scanned = self._scanned.get(hook.id, (hook.generation, hook.position))
        start = max(scanned[1], hook.position) if scanned[0] == hook.generation else hook.position
        window: Window = await asyncio.to_thread(
            self.tail.read, viewer, hook.wanted, start, self.settings.batch_max
        )
        # Looked at once the notices are read: what was told after a webhook was deleted, or after
        # its organisation lost a role, is among none of them that go out.
        if not await asyncio.to_thread(self._stands, hook, viewer):
            return
        current = hook
        for entry in window.entries:
            after = await self._deliver(current, entry, viewer)
            if after is None or after.failures:
                return
            current = after
        self._scanned[hook.id] = (hook.generation, window.upto)

    async def _deliver(self, hook: Hook, entry: Entry, viewer: Viewer) -> Hook | None:
        """The webhook as it stands after an attempt; None where it was changed meanwhile."""
        outcome = await self._post(hook, str(entry.notice.place), entry.told(viewer))
        notice = entry.notice
        if outcome.taken:
            return await asyncio.to_thread(self.store.delivered, hook, notice, outcome)
        reason = self._gives_up(hook, outcome)
        if reason:
            _log.warning("webhook %s of %s is disabled: %s", hook.id, hook.organisation, reason)
            after = await asyncio.to_thread(self.store.disabled, hook, notice, outcome, reason)
            if after is not None:
                await self._tell_disabled(after)
            return after
        next_ms = now_ms() + round(self._wait_s(hook.failures, outcome) * 1000)
        return await asyncio.to_thread(self.store.failed, hook, notice, outcome, next_ms)

    async def _tell_disabled(self, disabled: Hook) -> None:
        """Say so to the organisation's other webhooks, once each: it stands in the list as well."""
        told = {"webhook": disabled.id, "url": disabled.url, "reason": disabled.reason}
        message = f"{disabled.id}-{disabled.attempts}"
        body = orjson.dumps({"id": message, "kind": DISABLED, "body": told})
        others = await asyncio.to_thread(self.store.list, disabled.organisation)
        await asyncio.gather(
            *(
                self._post(one, message, body)
                for one in others
                if one.state is HookState.ACTIVE and one.wanted.wants_kind(DISABLED)
            )
        )

    async def _post(self, hook: Hook, message_id: str, body: bytes) -> Outcome:
        if not hook.secret:
            return Outcome(None, KEY_LOST, 0, hopeless=True)
        headers = sign_message(hook.secret, message_id, int(time.time()), body)
        return await self._poster.post(hook.url, headers, body)

    def _gives_up(self, hook: Hook, outcome: Outcome) -> str:
        if outcome.gone:
            return "the receiver answered 410: it wants nothing more"
        if outcome.hopeless:
            return outcome.error
        if hook.failing_since_ms is None:
            return ""
        failing_s = (now_ms() - hook.failing_since_ms) / 1000
        if failing_s < self.settings.give_up_s:
            return ""
        return f"it has failed {hook.failures + 1} times since {failing_s / 3600:.1f} hours ago"

    def _wait_s(self, failures: int, outcome: Outcome) -> float:
        """After so many failures before this one: twice as long each time, and never in step."""
        settings = self.settings
        longest = min(settings.backoff_max_s, settings.backoff_first_s * 2.0 ** min(failures, 40))
        asked = min(outcome.retry_after_s or 0.0, settings.backoff_max_s)
        return max(self._draw(longest / 2, longest), asked)

    def _stands(self, hook: Hook, viewer: Viewer) -> bool:
        return self.store.stands(hook) and self._viewer(hook) == viewer

    def _viewer(self, hook: Hook) -> Viewer | None:
        """What the webhook's organisation sees now; None while it is not active."""
        with read_transaction(self._engine) as connection:
            found = find_organisation(connection, hook.organisation)
        if found is None or found.status is not Status.ACTIVE:
            return None
        return Viewer.of(hook.organisation, found.role if hook.supervise else None)
