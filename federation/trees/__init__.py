"""Gradient-boosted trees over columns of several parties (SecureBoost: Cheng et al., 2019, arXiv
1901.08755): the guest has the label, hosts have features, the model stays split among them."""

from federation.trees.errors import (
    DataInvalid,
    PartInvalid,
    PartyWrong,
    SettingsInvalid,
    StateInvalid,
    TreesError,
)
from federation.trees.guest import fit_as_guest
from federation.trees.host import fit_as_host
from federation.trees.parts import Cut, GuestPart, HostPart, HostSplit, Leaf, Node, OwnSplit
from federation.trees.scoring import score_as_guest, score_as_host
from federation.trees.state import GuestState, HostState, TrainingState
from federation.trees.types import Progress, TreeSettings

__all__ = [
    "Cut",
    "DataInvalid",
    "GuestPart",
    "GuestState",
    "HostPart",
    "HostSplit",
    "HostState",
    "Leaf",
    "Node",
    "OwnSplit",
    "PartInvalid",
    "PartyWrong",
    "Progress",
    "SettingsInvalid",
    "StateInvalid",
    "TrainingState",
    "TreeSettings",
    "TreesError",
    "fit_as_guest",
    "fit_as_host",
    "score_as_guest",
    "score_as_host",
]
