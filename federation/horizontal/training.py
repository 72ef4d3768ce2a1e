"""Training as its two sides call it."""

from __future__ import annotations

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from numpy.typing import NDArray

from federation.channel import Channel
from federation.horizontal.bank import Bank, BankState, Part
from federation.horizontal.errors import SettingsRefused
from federation.horizontal.protocol import Algorithm, K, M, Progress, Save
from federation.horizontal.server import Leader, ServerState, Training
from federation.masking import Group
from federation.tables import Table


def fit_as_server(
    channel: Channel,
    group: Group,
    algorithm: Algorithm[K, M],
    *,
    state: bytes | None = None,
    progress: Progress | None = None,
) -> Training[M]:
    """Lead the training of a model among the banks of `group`, whose server `channel` is.

    `progress` is told each round's record and a state; given that `state` later, with the banks'
    own, the training goes on after that round. Raises `SettingsRefused`, `MaskingEnded` and
    `TrainingEnded` with who is missing, `DocumentInvalid` for a state that is none.
    """
    if channel.me != group.server:
        raise SettingsRefused(f"{channel.me} is not the server of the group")
    _require_noise(group, algorithm)
    leader = Leader(
        channel,
        group,
        algorithm,
        state=None if state is None else ServerState.from_json(state),
        progress=progress,
    )
    return leader.run()


def fit_as_bank(
    channel: Channel,
    group: Group,
    signer: Ed25519PrivateKey,
    algorithm: Algorithm[K, M],
    table: Table,
    label: NDArray[np.uint8],
    *,
    state: bytes | None = None,
    save: Save | None = None,
) -> Part[M]:
    """Take part with one's own rows: `table` has the fields of the settings, `label` is 1 for bad.

    `save` is given the state to remember, before and after each answer; with it a training is
    taken up again. Raises `TableRefused`, `TaskRefused` and `ServerLied` for a server that asks
    what was not agreed, `BudgetExceeded`, `MaskingEnded`, `TrainingEnded`.
    """
    _require_noise(group, algorithm)
    bank = Bank(
        channel,
        group,
        signer,
        algorithm,
        algorithm.side(table, label),
        state=None if state is None else BankState.from_json(state),
        save=save,
    )
    return bank.run()


def _require_noise(group: Group, algorithm: Algorithm[K, M]) -> None:
    if group.noisy and algorithm.privacy is None:
        raise SettingsRefused(
            "the group counts on noise of differential privacy, and the settings have none"
        )
