"""Banks with the same columns train together: bins, scorecards, trees, nets."""

from federation.horizontal.bank import BankState, Part
from federation.horizontal.documents import Forest, Net, Round, Scorecard
from federation.horizontal.errors import (
    DocumentInvalid,
    HorizontalError,
    SettingsRefused,
    TableRefused,
    TaskRefused,
    TrainingEnded,
)
from federation.horizontal.logistic import ScorecardAlgorithm
from federation.horizontal.server import ServerState, Training
from federation.horizontal.settings import Cutting, Field, Privacy, ScorecardSettings
from federation.horizontal.training import fit_as_bank, fit_as_server

__all__ = [
    "BankState",
    "Cutting",
    "DocumentInvalid",
    "Field",
    "Forest",
    "HorizontalError",
    "Net",
    "Part",
    "Privacy",
    "Round",
    "Scorecard",
    "ScorecardAlgorithm",
    "ScorecardSettings",
    "ServerState",
    "SettingsRefused",
    "TableRefused",
    "TaskRefused",
    "Training",
    "TrainingEnded",
    "fit_as_bank",
    "fit_as_server",
]
