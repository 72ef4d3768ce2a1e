"""From waiting documents to signed batches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from contracts.provenance import Batch
from ledger.chain import Limits
from ledger.sending import Nonces
from traceability.capture.batching import EventKey, divide, key_of, payloads
from traceability.capture.lane import Lane, LiveBatch, LiveJob
from traceability.capture.protocol import Chain, EventIndex, Signer
from traceability.capture.sending import EXECUTION_GAS, sign_anchor
from traceability.capture.types import CaptureSettings, JobState, StoredBatch
from traceability.preparing import PreparedEvent

CALL_OVERHEAD_BYTES: Final = 1024
"""More than what a transaction has besides its payload."""
FLOOR_GAS_PER_BYTE: Final = 40
"""EIP-7623, for a byte that is not zero."""

Signed = list[tuple[LiveBatch, StoredBatch]]


class BatchBuilder:
    """Belongs to the pipeline's thread."""

    def __init__(
        self, chain: Chain, index: EventIndex, settings: CaptureSettings, nonces: Nonces
    ) -> None:
        self._chain = chain
        self._index = index
        self._settings = settings
        self._nonces = nonces

    def take(self, lane: Lane) -> list[LiveJob]:
        """Remove the next documents from the queue: as many as one batch holds, at least one."""
        taken: list[LiveJob] = []
        events = size = 0
        while lane.waiting:
            found = _events(lane.waiting[0])
            events += len(found)
            size += sum(len(event.body) for event in found)
            full = events > self._settings.batch_events_max
            if taken and (full or size > self._settings.batch_body_bytes_max):
                break
            taken.append(lane.waiting.popleft())
        return taken

    def build(self, lane: Lane, signer: Signer, jobs: list[LiveJob]) -> Signed:
        """Leave out what is there already, divide the rest, sign.

        Ties jobs and batches together, and adds the new batches to `lane.live`.
        """
        keys = {key_of(event) for job in jobs for event in _events(job)}
        present = self._index.present(lane.organisation, sorted(keys))
        fresh: dict[EventKey, PreparedEvent] = {}
        wanted: dict[EventKey, list[LiveJob]] = {}
        for job in jobs:
            own = frozenset(job.batches)
            already: list[str] = []
            for event in _events(job):
                key = key_of(event)
                carrier = lane.carrier(key)
                if carrier is not None:
                    carrier.jobs.add(job)
                    job.batches.add(carrier)
                elif key not in present:
                    wanted.setdefault(key, []).append(job)
                if key in present or key in fresh or (carrier is not None and carrier not in own):
                    already.append(event.event_id)
                elif carrier is None:
                    fresh[key] = event
            job.waiting = False
            job.job = replace(
                job.job,
                state=JobState.ANCHORING,
                event_ids=tuple(event.event_id for event in _events(job)),
                already_present=tuple(already),
            )
        return self._sign(lane, signer, fresh, wanted)

    def _sign(
        self,
        lane: Lane,
        signer: Signer,
        fresh: Mapping[EventKey, PreparedEvent],
        wanted: Mapping[EventKey, list[LiveJob]],
    ) -> Signed:
        signed: Signed = []
        provenance = self._index.provenance()
        limits = self._chain.limits()
        for run in divide(
            fresh.values(),
            events_max=self._settings.batch_events_max,
            bytes_max=self._settings.batch_body_bytes_max,
        ):
            for events, payload in payloads(run, payload_bytes_max=_payload_bytes_max(limits)):
                entries = [key_of(event) for event in events]
                root = Batch.of(entries).root
                nonce = self._nonces.reserve(lane.account)
                try:
                    stored = sign_anchor(
                        signer,
                        chain_id=self._chain.chain_id,
                        organisation=lane.organisation,
                        nonce=nonce,
                        root=root,
                        count=len(events),
                        payload=payload,
                        gas_max=limits.block_gas_limit,
                        provenance=provenance,
                    )
                except BaseException:
                    self._nonces.release(lane.account, nonce)
                    raise
                self._index.prepare(root, events)
                live = LiveBatch(
                    lane.organisation,
                    lane.account,
                    nonce,
                    frozenset(entries),
                    stored.transaction_hash,
                )
                live.jobs = {job for entry in entries for job in wanted[entry]}
                for job in live.jobs:
                    job.batches.add(live)
                lane.live.append(live)
                signed.append((live, stored))
        return signed


def _events(job: LiveJob) -> tuple[PreparedEvent, ...]:
    assert job.prepared is not None
    return job.prepared.events


def _payload_bytes_max(limits: Limits) -> int:
    """What one anchoring transaction can carry, by its size and by its gas."""
    by_gas = (limits.block_gas_limit - EXECUTION_GAS - 21_000) // FLOOR_GAS_PER_BYTE
    return min(limits.transaction_size_bytes_max, by_gas) - CALL_OVERHEAD_BYTES
