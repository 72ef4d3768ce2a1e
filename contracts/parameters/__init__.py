"""Bounds that the members may change."""

from contracts.genesis import (
    PARAMETERS_ADDRESS,
)
from contracts.parameters.binding import (
    decode_log,
    decode_value,
    set_parameter,
    value_calldata,
)
from contracts.parameters.genesis import (
    founding_values_of,
    genesis_account,
    parameters_layout,
)
from contracts.parameters.projection import (
    ParametersHandler,
    all_parameters,
    parameter_history,
)
from contracts.parameters.types import (
    BOUNDS,
    Parameter,
    ParameterChanged,
)

__all__ = [
    "BOUNDS",
    "PARAMETERS_ADDRESS",
    "Parameter",
    "ParameterChanged",
    "ParametersHandler",
    "all_parameters",
    "decode_log",
    "decode_value",
    "founding_values_of",
    "genesis_account",
    "parameter_history",
    "parameters_layout",
    "set_parameter",
    "value_calldata",
]
