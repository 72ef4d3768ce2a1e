"""Differential privacy: exact noise that parties add together, what it costs, what was spent."""

from federation.privacy.accounting import (
    DELTA_UNIT,
    MILLION,
    Noise,
    epsilon_of,
    noise_for,
    rho_of,
)
from federation.privacy.budget import RHO_UNIT, Budget, Spend
from federation.privacy.clipping import clip_rows, whole_sensitivity
from federation.privacy.errors import BudgetExceeded, PrivacyError, PrivacyInvalid, StepSpent
from federation.privacy.sampling import discrete_gaussian, discrete_laplace, gaussian_noise

__all__ = [
    "DELTA_UNIT",
    "MILLION",
    "RHO_UNIT",
    "Budget",
    "BudgetExceeded",
    "Noise",
    "PrivacyError",
    "PrivacyInvalid",
    "Spend",
    "StepSpent",
    "clip_rows",
    "discrete_gaussian",
    "discrete_laplace",
    "epsilon_of",
    "gaussian_noise",
    "noise_for",
    "rho_of",
    "whole_sensitivity",
]
