"""A bank's side of a training: it answers what was agreed, and nothing else."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Annotated, Generic

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray
from pydantic import Field

from federation.channel import Channel, Message, PartySilent, get_bytes, get_int, get_text
from federation.horizontal.documents import SIZE_BYTES_MAX, Document
from federation.horizontal.errors import SettingsRefused, TaskRefused, TrainingEnded
from federation.horizontal.messages import (
    ANSWER,
    ASK_CHARACTERS_MAX,
    FINISH,
    REASON_CHARACTERS_MAX,
    ROUNDS_MAX,
    START,
    STOP,
    TASK,
    step_name,
)
from federation.horizontal.noise import noise_of
from federation.horizontal.protocol import Algorithm, BankSide, K, M, Save
from federation.horizontal.shapes import Shape
from federation.masking import Contributor, Group
from federation.privacy import Budget, Spend, gaussian_noise


class BankState(Document):
    """What a bank must remember of a run, so that nothing is answered or spent for twice."""

    settings: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    answered: Annotated[list[str], Field(max_length=ROUNDS_MAX)]
    """Steps whose sum was given away."""
    spends: Annotated[list[tuple[str, str, int, int]], Field(max_length=ROUNDS_MAX)]
    """Step, mechanism, cost in 10^-12 of rho, epsilon in all by then."""


@dataclass(frozen=True, slots=True, eq=False)
class Part(Generic[M]):
    """What a training leaves with a bank."""

    model: M
    state: BankState
    spends: tuple[Spend, ...]
    """What its rows' privacy was spent on, for the ledger."""


class Bank(Generic[K, M]):
    """Answers the server's asks of one run."""

    def __init__(
        self,
        channel: Channel,
        group: Group,
        signer: Ed25519PrivateKey,
        algorithm: Algorithm[K, M],
        side: BankSide[K],
        *,
        state: BankState | None,
        save: Save | None,
    ) -> None:
        if state is not None and state.settings != algorithm.settings.digest().hex():
            raise SettingsRefused("the state is of a training with other settings")
        self._channel = channel
        self._group = group
        self._algorithm = algorithm
        self._side = side
        self._settings = algorithm.settings.digest()
        self._privacy = privacy = algorithm.privacy
        self._save = save
        self._answered = list(state.answered) if state else []
        self._budget: Budget | None = None
        if privacy is not None:
            spends = [Spend(*one) for one in state.spends] if state else []
            self._budget = Budget(privacy.epsilon_millionths, privacy.delta_units, spends)
        self._contributor = Contributor(channel, group, signer, done=self._answered)

    def run(self) -> Part[M]:
        """Answer until the model is there. Raises `TrainingEnded`, `TaskRefused`, and others."""
        start = self._receive(START)
        if get_bytes(start, "settings", size=32) != self._settings:
            raise TaskRefused(self._group.server, "its settings are not those that we agreed to")
        last = get_int(start, "round", minimum=0, maximum=ROUNDS_MAX)
        if last:
            self._side.work("start", self._algorithm.known(self._document(start)))
        while True:
            task = self._receive(TASK)
            ask = get_text(task, "ask", size_max=ASK_CHARACTERS_MAX)
            if ask == STOP:
                reason = get_text(task, "reason", size_max=REASON_CHARACTERS_MAX)
                raise TrainingEnded(reason)
            if ask == FINISH:
                model = self._algorithm.model(self._document(task))
                return Part(model, self.state, self._budget.spends if self._budget else ())
            number = get_int(task, "round", minimum=1, maximum=ROUNDS_MAX)
            if number != last + 1:
                raise TaskRefused(self._group.server, f"round {number} comes after round {last}")
            last = number
            self._answer(number, ask, self._algorithm.known(self._document(task)))

    @property
    def state(self) -> BankState:
        """What it must remember."""
        spends = self._budget.spends if self._budget else ()
        listed = [(s.step, s.mechanism, s.rho_units, s.epsilon_millionths) for s in spends]
        return BankState(
            settings=self._settings.hex(), answered=list(self._answered), spends=listed
        )

    def _answer(self, number: int, ask: str, known: K) -> None:
        step = step_name(number, ask)
        times = Counter(name.rpartition("/")[2] for name in {*self._answered, step})
        if times[ask] > self._algorithm.asks.get(ask, 0):
            reason = f"it asks for {ask!r} {times[ask]} times, which was not agreed"
            raise TaskRefused(self._group.server, reason)
        shape = self._algorithm.shape(ask, known)
        work = self._side.work(ask, known)
        if work.seen is not None:
            self._remember(step)
            message = Message(ANSWER, {"round": number, "values": work.seen})
            self._channel.send(self._group.server, message)
            return
        assert work.vector is not None
        assert work.vector.shape == (shape.length,)
        vector, bound = self._with_noise(step, work.vector, shape)
        # What is spent is saved before anything is released: a crash in between costs budget,
        # never privacy.
        self._keep()
        self._contributor.add(step, vector, bound)
        self._remember(step)

    def _with_noise(
        self, step: str, vector: NDArray[np.int64], shape: Shape
    ) -> tuple[NDArray[np.int64], int]:
        if self._privacy is None or self._budget is None:
            return vector, shape.bound
        noise = noise_of(self._privacy, self._group, shape)
        if all(spend.step != step for spend in self._budget.spends):
            self._budget.spend(step, noise.rho(shape.sensitivity))
        drawn = gaussian_noise(shape.length, noise.variance)
        return vector + drawn, shape.bound + noise.size_max

    def _remember(self, step: str) -> None:
        if step not in self._answered:
            self._answered.append(step)
        self._keep()

    def _keep(self) -> None:
        if self._save is not None:
            self._save(self.state.to_json())

    def _document(self, message: Message) -> bytes:
        return get_bytes(message, "document", size_max=SIZE_BYTES_MAX)

    def _receive(self, kind: str) -> Message:
        """The server's next message: it waits for each member in turn, so we wait for all."""
        patience = len(self._group.keys)
        while True:
            try:
                return self._channel.receive(self._group.server, kind)
            except PartySilent:
                patience -= 1
                if patience < 0:
                    raise
