"""The server's side of a training: asks, adds up under masks, records, and can go on later."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Generic

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from federation.channel import (
    Channel,
    ChannelError,
    Message,
    PartyGone,
    PartySilent,
    Value,
    get_array,
    get_int,
)
from federation.horizontal.documents import Document, Round
from federation.horizontal.errors import HorizontalError, SettingsRefused, TrainingEnded
from federation.horizontal.messages import (
    ANSWER,
    FINISH,
    REASON_CHARACTERS_MAX,
    ROUNDS_MAX,
    START,
    STOP,
    TASK,
    step_name,
)
from federation.horizontal.noise import noise_of
from federation.horizontal.protocol import Algorithm, K, M, Progress
from federation.masking import Collector, Fault, Group, MaskingError, Sum
from federation.privacy import Budget, Spend


class ServerState(Document):
    """From where a training can go on."""

    settings: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    number: Annotated[int, Field(ge=0, le=ROUNDS_MAX)]
    known: str
    """What the parties know, as JSON."""
    left: Annotated[list[str], Field(max_length=64)]
    """Banks that are asked no more."""
    spends: Annotated[list[tuple[str, str, int, int]], Field(max_length=ROUNDS_MAX)]


@dataclass(frozen=True, slots=True, eq=False)
class Training(Generic[M]):
    """What a training leaves with the server."""

    model: M
    rounds: tuple[Round, ...]
    """Of this sitting; those before it were handed to `progress` then."""
    faults: tuple[Fault, ...]


class Leader(Generic[K, M]):
    """Carries an algorithm out over the banks of a group. It is the algorithm's `Rounds`."""

    def __init__(
        self,
        channel: Channel,
        group: Group,
        algorithm: Algorithm[K, M],
        *,
        state: ServerState | None,
        progress: Progress | None,
    ) -> None:
        if state is not None and state.settings != algorithm.settings.digest().hex():
            raise SettingsRefused("the state is of a training with other settings")
        self._channel = channel
        self._group = group
        self._algorithm = algorithm
        self._settings = algorithm.settings.digest()
        self._privacy = privacy = algorithm.privacy
        self._progress = progress
        self._number = state.number if state else 0
        self._known: Document = (
            algorithm.known(state.known.encode()) if state else algorithm.nothing
        )
        self._budget: Budget | None = None
        if privacy is not None:
            spends = [Spend(*one) for one in state.spends] if state else []
            self._budget = Budget(privacy.epsilon_millionths, privacy.delta_units, spends)
        self._collector = Collector(channel, group, left=state.left if state else ())
        self._records: list[Round] = []
        self._faults: list[Fault] = []
        self._noted = 0
        self._asked = ""
        self._answered: tuple[str, ...] = ()

    def run(self) -> Training[M]:
        """Lead the training to its end; the banks are told it, whatever it is."""
        known = self._algorithm.known(self._known.to_json())
        self._tell(
            START, settings=self._settings, round=self._number, document=self._known.to_json()
        )
        try:
            model = self._algorithm.lead(self, known)
        except (MaskingError, HorizontalError) as error:
            self._tell(TASK, ask=STOP, reason=str(error)[:REASON_CHARACTERS_MAX])
            raise
        self._tell(TASK, ask=FINISH, document=model.to_json())
        return Training(model, tuple(self._records), self.faults)

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What was wrong with a bank, in sums and in answers."""
        return (*self._collector.faults, *self._faults)

    @property
    def active(self) -> tuple[str, ...]:
        """The banks that are still asked."""
        return self._collector.active

    def ask(self, ask: str, known: Document, *, tell: Document | None = None) -> Sum:
        """See `Rounds`."""
        shape = self._algorithm.shape(ask, self._algorithm.known(known.to_json()))
        bound = shape.bound
        step = self._begin(ask, known if tell is None else tell)
        if self._privacy is not None and self._budget is not None:
            noise = noise_of(self._privacy, self._group, shape)
            bound += noise.size_max
            self._budget.spend(step, noise.rho(shape.sensitivity))
        total = self._collector.sum(step, shape.length, bound)
        self._answered = total.parties
        return total

    def deviation(self, ask: str, known: Document) -> float:
        """See `Rounds`."""
        if self._privacy is None:
            return 0.0
        shape = self._algorithm.shape(ask, self._algorithm.known(known.to_json()))
        noise = noise_of(self._privacy, self._group, shape)
        return math.sqrt(float(noise.variance) * len(self.active))

    def gather(self, ask: str, known: Document) -> dict[str, NDArray[np.float64]]:
        """See `Rounds`. Raises `TrainingEnded` where fewer than the threshold answer."""
        shape = self._algorithm.shape(ask, self._algorithm.known(known.to_json()))
        self._begin(ask, known)
        out: dict[str, NDArray[np.float64]] = {}
        for party in self._collector.active:
            try:
                message = self._channel.receive(party, ANSWER)
                get_int(message, "round", minimum=self._number, maximum=self._number)
                out[party] = get_array(message, "values", dtype="<f8", shape=(shape.length,))
            except ChannelError as error:
                self._lose(party, error)
        self._answered = tuple(out)
        if len(out) < self._group.threshold:
            missing = tuple(one for one in self._group.members if one not in out)
            raise TrainingEnded(
                f"{len(out)} banks are left; missing: {', '.join(missing)}", missing
            )
        return out

    def blame(self, party: str, kind: str, detail: str, *, leave_out: bool) -> None:
        """See `Rounds`."""
        fault = Fault(party, step_name(self._number, self._asked), kind, detail)
        if leave_out:
            self._collector.leave_out(fault)
            self._tell_out(party, detail)
        else:
            self._faults.append(fault)

    def learnt(self, known: Document, loss: float | None = None) -> None:
        """See `Rounds`."""
        self._known = known
        faults = self.faults
        record = Round(
            number=self._number,
            ask=self._asked,
            participants=list(self._answered),
            model="0x" + known.digest().hex(),
            loss=loss,
            epsilon_millionths=self._budget.spent_millionths if self._budget else 0,
            faults=[
                {"party": f.party, "step": f.step, "kind": f.kind, "detail": f.detail}
                for f in faults[self._noted :]
            ],
        )
        self._noted = len(faults)
        self._records.append(record)
        if self._progress is not None:
            self._progress(record, self.state.to_json())

    @property
    def state(self) -> ServerState:
        """From where it can go on."""
        spends = self._budget.spends if self._budget else ()
        return ServerState(
            settings=self._settings.hex(),
            number=self._number,
            known=self._known.to_json().decode(),
            left=[one for one in self._group.members if one not in self._collector.active],
            spends=[(s.step, s.mechanism, s.rho_units, s.epsilon_millionths) for s in spends],
        )

    def _begin(self, ask: str, tell: Document) -> str:
        self._number += 1
        self._asked = ask
        self._tell(TASK, round=self._number, ask=ask, document=tell.to_json())
        return step_name(self._number, ask)

    def _tell(self, kind: str, **body: Value) -> None:
        for party in self._collector.active:
            try:
                self._channel.send(party, Message(kind, body))
            except (PartyGone, PartySilent) as error:
                self._lose(party, error)

    def _lose(self, party: str, error: ChannelError) -> None:
        kind = {PartyGone: "gone", PartySilent: "silent"}.get(type(error), "invalid")
        step = step_name(self._number, self._asked or "start")
        reason = str(error)[:REASON_CHARACTERS_MAX]
        self._collector.leave_out(Fault(party, step, kind, reason))
        if kind != "gone":
            self._tell_out(party, reason)

    def _tell_out(self, party: str, reason: str) -> None:
        """Tell a bank that it is asked no more, so that it does not wait."""
        try:
            self._channel.send(party, Message(TASK, {"ask": STOP, "reason": reason}))
        except (PartyGone, PartySilent):
            return  # nobody is there to be told
