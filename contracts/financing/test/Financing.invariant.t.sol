// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IPledges} from "../../pledges/interfaces/IPledges.sol";
import {IApplications} from "../interfaces/IApplications.sol";
import {IFinancing} from "../interfaces/IFinancing.sol";
import {LoanRules} from "../libraries/LoanRules.sol";
import {LoanScene} from "./LoanScene.sol";

/// @notice Random members apply, decide, lend, pay and enforce; the contracts may refuse, but never break
/// their rules.
contract LoanActor is LoanScene {
    bytes32[] public ids;
    bytes32[] public assets;
    mapping(bytes32 id => uint256) public paidOut;
    mapping(bytes32 id => uint256) public paidIn;
    mapping(bytes32 key => bytes32) public firstSeal;
    uint256 public done;

    bytes32[7] private _roster = [TRADER, BANK, OTHER_BANK, OPERATOR, MILL, REGULATOR, SUPPLIER];

    constructor(bytes32 lot) {
        wheat = lot;
    }

    function idCount() external view returns (uint256) {
        return ids.length;
    }

    function _try(bytes32 who, address to, bytes memory data) private returns (bool ok) {
        vm.prank(account(who));
        (ok,) = to.call(data);
        if (ok) ++done;
    }

    /// @dev Nobody lends on goods that were last counted long ago.
    function _recount() private {
        if (STOCK.lotOf(wheat).countedAt + 20 days < block.timestamp) _count(wheat, 1_000_000);
    }

    /// @dev Mostly who may, now and then anybody.
    function _who(uint256 seed, bytes32 right) private view returns (bytes32) {
        return seed % 6 == 0 ? _roster[(seed / 6) % 7] : right;
    }

    function _some(uint256 seed) private view returns (bytes32) {
        return ids.length == 0 ? bytes32(0) : ids[seed % ids.length];
    }

    function applyFor(uint256 seed, bool market, bool sameAsset) external {
        if (ids.length == 12) return;
        _recount();
        bytes32 number = bytes32("N") | bytes32(uint256(0x3030 + ids.length) << 232);
        if (assets.length == 0 || !sameAsset) {
            assets.push(_issued(bytes32("A") | bytes32(uint256(0x3030 + assets.length) << 232), wheat, 10));
        }
        bytes32 asset = assets[seed % assets.length];
        IApplications.Mode mode = market ? IApplications.Mode.Market : IApplications.Mode.Tiered;
        if (RECEIPTS.control(asset).holder != TRADER) return;
        ids.push(_applied(number, asset, mode));
    }

    function decide(uint256 seed, bool other, uint128 amount) external {
        bytes32 id = _some(seed);
        bytes32 bank = _who(seed, other ? OTHER_BANK : BANK);
        amount = uint128(_within(amount, 1, 1_000_000));
        uint48 until = uint48(block.timestamp + 5 days);
        _try(bank, address(APPLICATIONS), abi.encodeCall(IApplications.approve, (id, 0, amount, until, TEXT, "")));
    }

    function decline(uint256 seed, bool other) external {
        bytes32 bank = _who(seed, other ? OTHER_BANK : BANK);
        _try(bank, address(APPLICATIONS), abi.encodeCall(IApplications.decline, (_some(seed), 0, TEXT, "")));
    }

    function seal(uint256 seed, bool other, uint32 rateBp) external {
        bytes32 id = _some(seed);
        bytes32 bank = other ? OTHER_BANK : BANK;
        rateBp = uint32(_within(rateBp, 1, 900));
        bytes32 sealed_ = APPLICATIONS.commitmentOf(id, bank, 1_000_000, rateBp, TEXT, SALT);
        bool ok = _try(bank, address(APPLICATIONS), abi.encodeCall(IApplications.commit, (id, 0, sealed_, "")));
        bytes32 key = keccak256(abi.encode(id, bank));
        if (ok && firstSeal[key] == 0) firstSeal[key] = sealed_;
        vm.warp(block.timestamp + seed % 1 days);
        bytes memory open = abi.encodeCall(IApplications.reveal, (id, 0, 1_000_000, rateBp, TEXT, SALT, ""));
        _try(bank, address(APPLICATIONS), open);
    }

    function accept(uint256 seed, bool other) external {
        _recount();
        bytes32 id = _some(seed);
        bytes32 bank = other ? OTHER_BANK : BANK;
        bytes32 hash = APPLICATIONS.offerHash(id, bank);
        bytes memory data = abi.encodeCall(IApplications.accept, (id, 0, bank, hash, ""));
        _try(_who(seed, TRADER), address(APPLICATIONS), data);
    }

    function depart(uint256 seed) external {
        bytes32 id = _some(seed);
        if (seed % 9 == 0) _try(TRADER, address(APPLICATIONS), abi.encodeCall(IApplications.withdraw, (id, 0, "")));
        else _try(MILL, address(APPLICATIONS), abi.encodeCall(IApplications.lapse, (id, 0, "")));
    }

    function draw(uint256 seed) external {
        _recount();
        bytes32 id = _some(seed);
        bytes32 bank = APPLICATIONS.application(id).bank;
        uint256 before = _balance(bank, TRADER);
        if (_try(_who(seed, bank), address(FINANCING), abi.encodeCall(IFinancing.drawDown, (id, 0, "")))) {
            paidOut[id] += _balance(bank, TRADER) - before;
        }
    }

    function repay(uint256 seed, uint128 amount, bool all) external {
        bytes32 id = _some(seed);
        IFinancing.Loan memory loan = FINANCING.loan(id);
        if (!all) amount = uint128(_within(amount, 1, 1_200_000));
        if (seed % 3 == 0) _issue(BANK, TRADER, 10_000);
        uint256 before = _balance(loan.bank, TRADER);
        uint128 given = all ? type(uint128).max : amount;
        bytes memory data = abi.encodeCall(IFinancing.repay, (id, 0, given, _one(loan.asset), ""));
        if (_try(_who(seed, TRADER), address(FINANCING), data)) paidIn[id] += before - _balance(loan.bank, TRADER);
    }

    function credit(uint256 seed, uint128 amount) external {
        bytes32 id = _some(seed);
        IFinancing.Loan memory loan = FINANCING.loan(id);
        amount = uint128(_within(amount, 1, 1_200_000));
        bytes memory data =
            abi.encodeCall(IFinancing.credit, (id, 0, amount, keccak256(abi.encode(seed)), _one(loan.asset), ""));
        if (_try(_who(seed, loan.bank), address(FINANCING), data)) paidIn[id] += amount;
    }

    function trouble(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = _some(seed);
        IFinancing.Loan memory loan = FINANCING.loan(id);
        vm.warp(block.timestamp + 5 days);
        _try(MILL, address(FINANCING), abi.encodeCall(IFinancing.fallOverdue, (id, 0, "")));
        _try(loan.bank, address(PLEDGES), abi.encodeCall(IPledges.declareDefault, (loan.pledge, "")));
        _try(_who(seed, loan.bank), address(FINANCING), abi.encodeCall(IFinancing.declareDefault, (id, 0, "")));
        if (seed % 4 == 0) _try(loan.bank, address(PLEDGES), abi.encodeCall(IPledges.cure, (loan.pledge, "")));
        if (seed % 4 == 0) _try(loan.bank, address(FINANCING), abi.encodeCall(IFinancing.cure, (id, 0, "")));
        bytes memory take = abi.encodeCall(IPledges.enforce, (loan.pledge, _one(loan.asset), MILL, ""));
        _try(loan.bank, address(PLEDGES), take);
        _try(SUPPLIER, address(FINANCING), abi.encodeCall(IFinancing.exhaust, (id, 0, "")));
    }
}

contract LoanInvariants is LoanScene {
    LoanActor private actor;

    function setUp() public {
        _foundFinancing();
        actor = new LoanActor(wheat);
    }

    function targetContracts() public view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(actor);
    }

    function targetSelectors() public view returns (FuzzSelector[] memory chosen) {
        bytes4[] memory selectors = new bytes4[](10);
        selectors[0] = LoanActor.applyFor.selector;
        selectors[1] = LoanActor.decide.selector;
        selectors[2] = LoanActor.decline.selector;
        selectors[3] = LoanActor.seal.selector;
        selectors[4] = LoanActor.accept.selector;
        selectors[5] = LoanActor.depart.selector;
        selectors[6] = LoanActor.draw.selector;
        selectors[7] = LoanActor.repay.selector;
        selectors[8] = LoanActor.credit.selector;
        selectors[9] = LoanActor.trouble.selector;
        chosen = new FuzzSelector[](1);
        chosen[0] = FuzzSelector(address(actor), selectors);
    }

    /// @notice What was lent was paid out once; what came in is interest and principal, and nothing else.
    function invariant_money_is_paid_once_and_accounted_for() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            IFinancing.Debt memory debt = FINANCING.loan(id).debt;
            vm.assertEq(actor.paidOut(id), debt.lent, "paid out once");
            vm.assertTrue(debt.principal <= debt.lent, "no more is owed than was lent");
            uint256 received = uint256(debt.lent) - debt.principal + debt.interestPaid;
            vm.assertEq(actor.paidIn(id), received, "what came in");
        }
    }

    /// @notice A loan that is over owes nothing and holds nothing; one that is not keeps its pledge, until
    /// the pledge itself is over.
    function invariant_collateral_goes_free_with_the_last_payment() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            IFinancing.Loan memory loan = FINANCING.loan(id);
            uint8 state = _loanState(id);
            if (loan.borrower == 0) {
                vm.assertTrue(state <= LoanRules.STATE_ACCEPTED || state >= LoanRules.STATE_WITHDRAWN, "not lent");
                continue;
            }
            IPledges.Pledge memory pledge = PLEDGES.pledge(loan.pledge);
            (uint128 principal, uint128 interest) = FINANCING.owed(id, uint48(block.timestamp));
            if (state == LoanRules.STATE_REPAID) {
                vm.assertEq(uint256(principal) + interest, 0, "nothing is owed");
                vm.assertEq(uint256(pledge.assets), 0, "nothing is held");
            } else if (pledge.state == IPledges.State.Active) {
                vm.assertEq(RECEIPTS.control(loan.asset).pledgee, loan.bank, "pledged as long as owed");
            } else {
                bool over = pledge.state == IPledges.State.Defaulted || pledge.state == IPledges.State.Enforced;
                vm.assertTrue(over, "released by nobody");
            }
        }
    }

    /// @notice Never two loans at once on one collateral.
    function invariant_one_loan_a_collateral() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            IFinancing.Loan memory one = FINANCING.loan(actor.ids(i));
            if (one.borrower == 0 || PLEDGES.pledge(one.pledge).assets == 0) continue;
            for (uint256 j = 0; j < i; ++j) {
                IFinancing.Loan memory other = FINANCING.loan(actor.ids(j));
                bool live = other.borrower != 0 && PLEDGES.pledge(other.pledge).assets != 0;
                vm.assertFalse(live && other.asset == one.asset, "lent on twice");
            }
        }
    }

    /// @notice What a bank has sealed stays what it was, and the best of the opened quotes is the best.
    function invariant_sealed_quotes_stay() public view {
        for (uint256 i = 0; i < actor.idCount(); ++i) {
            bytes32 id = actor.ids(i);
            _checkSealed(id, BANK);
            _checkSealed(id, OTHER_BANK);
            bytes32 best = APPLICATIONS.application(id).best;
            if (best == 0) continue;
            IApplications.Offer memory won = APPLICATIONS.offerOf(id, best);
            IApplications.Offer memory lost = APPLICATIONS.offerOf(id, best == BANK ? OTHER_BANK : BANK);
            if (lost.stance != IApplications.Stance.Revealed) continue;
            bool better = won.rateBp < lost.rateBp || (won.rateBp == lost.rateBp && won.order < lost.order);
            vm.assertTrue(better, "the best wins");
        }
    }

    function _checkSealed(bytes32 id, bytes32 bank) private view {
        bytes32 first = actor.firstSeal(keccak256(abi.encode(id, bank)));
        vm.assertEq(APPLICATIONS.offerOf(id, bank).commitment, first, "sealed once");
    }
}
