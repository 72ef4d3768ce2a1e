// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IModels} from "../interfaces/IModels.sol";
import {IRuns} from "../interfaces/IRuns.sol";

/// @title Where genesis has put the contracts of models
/// @notice They name each other: later versions come all together, at addresses of their own.
library ModelPlaces {
    IModels internal constant MODELS = IModels(0x7a11000000000000000000000000000000000013);
    IRuns internal constant RUNS = IRuns(0x7A11000000000000000000000000000000000014);
}
