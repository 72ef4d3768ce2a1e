"""Banks with the same columns train together: bins, scorecards, trees, nets."""

from federation.horizontal.bank import BankState, Part
from federation.horizontal.boosting import BoostingAlgorithm
from federation.horizontal.both import both_roles
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
from federation.horizontal.net import NetAlgorithm
from federation.horizontal.server import ServerState, Training
from federation.horizontal.settings import (
    BoostingSettings,
    Cutting,
    Field,
    NetSettings,
    Privacy,
    ScorecardSettings,
)
from federation.horizontal.training import fit_as_bank, fit_as_server

__all__ = [
    "BankState",
    "BoostingAlgorithm",
    "BoostingSettings",
    "Cutting",
    "DocumentInvalid",
    "Field",
    "Forest",
    "HorizontalError",
    "Net",
    "NetAlgorithm",
    "NetSettings",
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
    "both_roles",
    "fit_as_bank",
    "fit_as_server",
]
