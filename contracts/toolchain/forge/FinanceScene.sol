// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {TestBase} from "@tally/forge/TestBase.sol";
import {Claims} from "../../claims/Claims.sol";
import {Consortium} from "../../consortium/Consortium.sol";
import {IConsortium} from "../../consortium/interfaces/IConsortium.sol";
import {Directory} from "../../directory/Directory.sol";
import {IInstrument} from "../../instruments/interfaces/IInstrument.sol";
import {Pledges} from "../../pledges/Pledges.sol";
import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {Receipts} from "../../receipts/Receipts.sol";
import {IReceipts} from "../../receipts/interfaces/IReceipts.sol";
import {Stock} from "../../stock/Stock.sol";
import {IStock} from "../../stock/interfaces/IStock.sol";

/// @notice A consortium that trades grain: the contracts of finance where genesis places them, members with
/// an account and a device each. `_place` puts further contracts at their places, `_register` names them.
abstract contract FinanceScene is TestBase {
    address internal constant GOVERNANCE = 0x7A11000000000000000000000000000000000004;
    Consortium internal constant CONSORTIUM = Consortium(0x7a11000000000000000000000000000000000001);
    Directory internal constant DIRECTORY = Directory(0x7a11000000000000000000000000000000000005);
    Claims internal constant CLAIMS = Claims(0x7A11000000000000000000000000000000000007);
    Stock internal constant STOCK = Stock(0x7A11000000000000000000000000000000000008);
    Pledges internal constant PLEDGES = Pledges(0x7A11000000000000000000000000000000000009);
    Receipts internal constant RECEIPTS = Receipts(0x7A1100000000000000000000000000000000000a);

    bytes32 internal constant OPERATOR = "operator";
    bytes32 internal constant WAREHOUSE = "grain-store";
    bytes32 internal constant OTHER_WAREHOUSE = "port-store";
    bytes32 internal constant SUPPLIER = "green-valley";
    bytes32 internal constant TRADER = "north-trading";
    bytes32 internal constant MILL = "river-mill";
    bytes32 internal constant BANK = "first-bank";
    bytes32 internal constant OTHER_BANK = "second-bank";
    bytes32 internal constant REGULATOR = "market-office";
    bytes32 internal constant ARBITRATOR = "trade-court";
    bytes32 internal constant INSPECTOR = "weigh-masters";

    uint48 internal constant NOW = 1_800_000_000;
    bytes32 internal constant GOODS = keccak256("wheat, grade 2, tonnes");
    bytes32 internal constant DECISION = keccak256("decision 7 of 2027");

    /// @dev The whole scene; in `setUp` of a test.
    function _found() internal {
        vm.warp(NOW);
        _place(
            address(CONSORTIUM),
            abi.encodePacked(
                type(Consortium).creationCode,
                abi.encode(GOVERNANCE, OPERATOR, IConsortium.Profile("Operator", "", ""), account(OPERATOR))
            )
        );
        _place(
            address(DIRECTORY), abi.encodePacked(type(Directory).creationCode, abi.encode(GOVERNANCE, new bytes32[](0)))
        );
        _place(address(CLAIMS), type(Claims).creationCode);
        _place(address(STOCK), type(Stock).creationCode);
        _place(address(PLEDGES), type(Pledges).creationCode);
        _place(address(RECEIPTS), type(Receipts).creationCode);
        _register("receipts", address(RECEIPTS));
        _join(WAREHOUSE, IConsortium.Role.Warehouse);
        _join(OTHER_WAREHOUSE, IConsortium.Role.Warehouse);
        _join(SUPPLIER, IConsortium.Role.Manufacturer);
        _join(TRADER, IConsortium.Role.Retailer);
        _join(MILL, IConsortium.Role.Manufacturer);
        _join(BANK, IConsortium.Role.Bank);
        _join(OTHER_BANK, IConsortium.Role.Bank);
        _join(REGULATOR, IConsortium.Role.Regulator);
        _join(ARBITRATOR, IConsortium.Role.Arbitrator);
        _join(INSPECTOR, IConsortium.Role.Operator);
    }

    // ---- contracts ------------------------------------------------------------------------------

    /// @dev Deploys at a chosen address: the constructor runs there and leaves its storage there.
    function _place(address where, bytes memory creation) internal {
        vm.etch(where, creation);
        (bool ok, bytes memory runtime) = where.call("");
        require(ok, "constructor");
        vm.etch(where, runtime);
    }

    /// @dev The members have named a version of a contract.
    function _register(bytes32 name, address place) internal {
        vm.prank(GOVERNANCE);
        DIRECTORY.addVersion(name, place, "");
    }

    // ---- members --------------------------------------------------------------------------------

    function _join(bytes32 id, IConsortium.Role role) internal {
        vm.prank(GOVERNANCE);
        CONSORTIUM.addOrganisation(id, role, IConsortium.Profile("Member", "", ""), account(id));
        vm.prank(account(id));
        CONSORTIUM.addDevice(device(id));
    }

    function _setStatus(bytes32 id, IConsortium.Status status) internal {
        vm.prank(GOVERNANCE);
        CONSORTIUM.setOrganisationStatus(id, status);
    }

    /// @dev The next call comes from the organisation's account. Whatever calls (another contract, or a
    /// precompile such as sha256) is evaluated before this, not among the arguments after it.
    function _as(bytes32 id) internal {
        vm.prank(account(id));
    }

    /// @dev Pure, so that it can stand among the arguments of a call after `_as`.
    function account(bytes32 id) public pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("account", id)))));
    }

    function device(bytes32 id) public pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("device", id)))));
    }

    /// @dev The organisation's call is refused with this error.
    function _refused(bytes32 who, address to, bytes memory data, bytes4 error_) internal {
        _refusedFrom(account(who), to, data, error_);
    }

    function _refusedFrom(address sender, address to, bytes memory data, bytes4 error_) internal {
        vm.prank(sender);
        (bool ok, bytes memory why) = to.call(data);
        vm.assertFalse(ok, "refused");
        vm.assertEq(bytes32(bytes4(why)), bytes32(error_), "for this reason");
    }

    // ---- goods and receipts ---------------------------------------------------------------------

    function _agreement() internal pure returns (IStock.Agreement memory) {
        return IStock.Agreement({
            nature: IStock.Nature.Fixed, unit: "TNE", shortfallBp: 50, adjustmentBp: 0, countAgeMax: 30 days
        });
    }

    /// @dev A lot of the warehouse that the inspector has counted.
    function _lot(bytes32 lot, uint128 quantity) internal returns (bytes32 key) {
        bytes32[] memory counters = new bytes32[](1);
        counters[0] = INSPECTOR;
        _as(WAREHOUSE);
        key = STOCK.registerLot("silo 1", lot, _agreement(), counters);
        _count(key, quantity);
    }

    /// @dev The inspector's device counts now.
    function _count(bytes32 key, uint128 quantity) internal {
        uint64 sequence = STOCK.sequenceOf(key, device(INSPECTOR)) + 1;
        vm.prank(device(INSPECTOR));
        STOCK.count(IStock.Count(key, quantity, uint48(block.timestamp), sequence, keccak256("slips")));
    }

    function _draft(bytes32 number, bytes32 lot, uint128 quantity) internal view returns (IReceipts.Draft memory) {
        return IReceipts.Draft({
            number: number,
            lot: lot,
            goods: GOODS,
            terms: keccak256("terms"),
            holder: TRADER,
            owner: TRADER,
            quantity: quantity,
            expires: uint48(block.timestamp + 365 days),
            keys: new bytes32[](0),
            payload: ""
        });
    }

    /// @dev A live receipt of the trader's.
    function _issued(bytes32 number, bytes32 lot, uint128 quantity) internal returns (bytes32) {
        IReceipts.Draft memory draft = _draft(number, lot, quantity);
        _as(WAREHOUSE);
        return RECEIPTS.issue(draft, "");
    }

    // ---- pledges --------------------------------------------------------------------------------

    function _pledgeTerms() internal view returns (IPledges.Terms memory) {
        return IPledges.Terms({
            amount: 1_000_000_00,
            currency: "CNY",
            due: uint48(block.timestamp + 90 days),
            noticeSeconds: 10 days,
            terms: keccak256("pledge agreement")
        });
    }

    /// @dev Proposed by the holder and accepted by the bank.
    function _pledged(address instrument, bytes32 id, bytes32 bank) internal returns (bytes32 key) {
        IInstrument.Control memory control = IInstrument(instrument).control(id);
        IPledges.Terms memory terms = _pledgeTerms();
        _as(control.holder);
        key = PLEDGES.propose(instrument, id, control.revision, bank, terms, "");
        _as(bank);
        PLEDGES.accept(key, "");
    }
}
