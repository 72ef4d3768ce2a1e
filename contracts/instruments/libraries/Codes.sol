// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Codes and numbers written in ASCII
/// @notice What everybody reads as text must be text: left-aligned, then only zeros.
library Codes {
    /// @notice ISO 4217: three capital letters.
    function isCurrency(bytes3 code) internal pure returns (bool) {
        return _isCapital(code[0]) && _isCapital(code[1]) && _isCapital(code[2]);
    }

    /// @notice UN/ECE Recommendation 20: two or three capital letters and digits.
    function isUnit(bytes3 code) internal pure returns (bool) {
        return _isSign(code[0]) && _isSign(code[1]) && (code[2] == 0 || _isSign(code[2]));
    }

    /// @notice 1 to 32 printable characters without blanks.
    function isNumber(bytes32 number) internal pure returns (bool) {
        uint256 length = 0;
        while (length < 32 && number[length] != 0) {
            if (number[length] <= 0x20 || number[length] >= 0x7f) return false;
            ++length;
        }
        return length > 0 && (length == 32 || uint256(number) << (8 * length) == 0);
    }

    function _isCapital(bytes1 sign) private pure returns (bool) {
        return sign >= "A" && sign <= "Z";
    }

    function _isSign(bytes1 sign) private pure returns (bool) {
        return _isCapital(sign) || (sign >= "0" && sign <= "9");
    }
}
