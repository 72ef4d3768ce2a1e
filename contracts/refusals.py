"""Why a contract refused, in words: revert data of all instruments."""

from __future__ import annotations

import re
from typing import Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from contracts.abi import canonical_type
from contracts.artifact import Artifact
from contracts.claims.genesis import CLAIMS_ARTIFACT
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.directory.genesis import DIRECTORY_ARTIFACT
from contracts.financing.genesis import (
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
)
from contracts.governance.genesis import GOVERNANCE_ARTIFACT
from contracts.instruments.types import Machine
from contracts.models.genesis import MODELS_ARTIFACT, RELEASES_ARTIFACT, RUNS_ARTIFACT
from contracts.network.genesis import NETWORK_ARTIFACT
from contracts.parameters.genesis import PARAMETERS_ARTIFACT
from contracts.pledges.genesis import PLEDGES_ARTIFACT
from contracts.pools.genesis import POOL_BOOK_ARTIFACT, POOLS_ARTIFACT
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from contracts.receipts.genesis import RECEIPTS_ARTIFACT
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from contracts.refusal_values import Value
from contracts.settlement.genesis import DEPOSITS_ARTIFACT, SETTLEMENT_ARTIFACT
from contracts.stock.genesis import STOCK_ARTIFACT
from ledger.state.keccak import keccak
from ledger.types import Hash32

_SENTENCES: Final = {
    "CallerNotActive": "{0} is not an active account of an active organisation",
    "NotAuthority": "only a proposal of the members may do this, not {0}",
    "NotAdministrator": "{0} may not administer organisation {1}",
    "NotNodeAdministrator": "{0} may not administer node {1}",
    "NotVoter": "organisation {0} has no vote",
    "NotProposer": "organisation {0} did not make this proposal",
    "NotPassed": "proposal {0} has not passed: {1} of {2} votes say yes",
    "WrongState": "proposal {0} is decided or has expired",
    "UnknownProposal": "there is no proposal {0}",
    "ContentDiffers": "these are not the calls of proposal {0}",
    "QuorumLost": "the validators of before would hold {0} of {1} power afterwards, which is not "
    "more than two thirds: change power in smaller steps",
    "NoValidatorLeft": "no validator with power would be left",
    "ChangedInThisBlock": "validators have changed in this block already: try again in the next",
    "RotatedRecently": "the validator key of node {0} was rotated within the last ten minutes",
    "NoVoterLeft": "no active organisation with a vote would be left",
    "LastAccount": "organisation {0} would be active without an active account",
    "UnknownOrganisation": "there is no organisation {0}",
    "OrganisationExists": "organisation {0} is there already",
    "OrganisationIsRevoked": "organisation {0} is removed for ever",
    "OrganisationNotMember": "organisation {0} is unknown or removed",
    "AccountExists": "account {0} belongs to an organisation already",
    "UnknownAccount": "there is no account {0}",
    "AccountIsRevoked": "account {0} is revoked for ever",
    "UnknownNode": "there is no node {0}",
    "NodeExists": "node {0} is there already",
    "AlreadyTaken": "the id or key {0} belongs to another organisation or is used by another node",
    "WitnessNameChanged": "node {0} keeps the name under which it vouches",
    "ValidatorKeyMissing": "node {0} would have power without a validator key",
    "InvalidThreshold": "a threshold of {0}/{1} is not possible here (above one half, at most one; "
    "for suspending organisations at most two thirds)",
    "TargetNotGoverned": "the members do not govern the contract {0}",
    "CallNotAllowed": "this call of {0} is not possible in a proposal",
    "Unchanged": "nothing would change",
    "NoCode": "there is no contract at {0}",
    "FixedName": "contract {0} has one version for ever",
    "AddressHasName": "{0} is a version of {1}",
    "OutOfBounds": "{0} = {1} is not within {2} to {3}",
    "UnknownParameter": "there is no parameter {0}",
    "InvalidKind": "there is no receivable of kind {0}",
    "InvalidAmount": "{0} hundredths is nothing, or more than there is",
    "InvalidCurrency": "{0} is no currency: three capital letters (ISO 4217)",
    "InvalidDue": "a due date of {0:time} is past, or more than ten years away",
    "InvalidGrace": "{0} seconds of grace are more than a year",
    "InvalidDelivery": "an order names a time of delivery to come, before it is due; nothing else "
    "names one",
    "InvalidParty": "{0} cannot have this receivable: its debtor, a regulator or an arbitrator is "
    "never its holder",
    "WrongKeys": "{0} claims: name the invoice in `invoices` (what it says) or `keys` (hashes); an "
    "invoice or an order has at least one, and at most 64 (128 with those that its pledgee or "
    "buyer names)",
    "Unconditional": "receivable {0} is owed without condition: the debtor cannot contest it",
    "PastDue": "receivable {0} was due at {1:time}: too late for this",
    "NotPresented": "bill {0} has not been presented for payment",
    "NotOffered": "the other side has not proposed, as the act before, to end receivable {0}",
    "InvoiceUnchanged": "order {0} has its invoice already",
    "NotInvoiced": "order {0} has no invoice yet",
    "TooManyEndorsements": "receivable {0} has passed through 32 hands",
    "NobodyStandsBehind": "no active endorser of receivable {0} has promised recourse",
    "ReasonMissing": "a dispute says why",
    "NotDebtor": "receivable {0} is paid by its debtor, not by {1}",
    # What instruments share
    "NotAuthority(bytes32)": "{0} is no arbitrator and no regulator",
    "UnknownInstrument": "there is no record {0}",
    "InstrumentExists": "there is a record {0} already: its number was used",
    "StaleRevision": "{0} has changed meanwhile: revision {1} was seen, it is at {2}",
    "WrongState(bytes32,uint8,uint8)": "{1:act} is not possible while {0} is {2:state}{1:while}",
    "NotEntitled": "{1:act} of {0} is not for {2}{1:by}",
    "InstrumentFrozen": "{0} is frozen by an arbitrator or a regulator",
    "InstrumentPledged": "{0} is pledged to {1}, who has not permitted this very call",
    "InstrumentLocked": "{0} is promised in a settlement that is under way",
    "NotLocked": "{0} was not promised in this settlement",
    "FreezeUnchanged": "{0} is frozen by {1} already, or was not",
    "TooManyFreezes": "{0} is frozen by eight authorities already",
    "DecisionMissing": "an authority names the decision by which it acts",
    "PartyNotActive": "organisation {0} is unknown or not active",
    "RemarkTooLong": "a remark has at most 256 bytes, not {0}",
    "NotCurrentVersion": "the members have named another version of {0}, {1}: this one goes on "
    "with what it has, and takes on nothing new",
    "HashMissing": "the hash of a document is missing",
    "Unchanged(bytes32)": "nothing would change of {0}",
    "PayloadDiffers": "the document that is sent is not the one of the hash {0}",
    "PayloadTooLarge": "a document that is published has at most 65536 bytes, not {0}",
    "NothingToReject": "the last act of the parties of {0} was no transfer that this rejects",
    "PartsDiffer": "the parts make {1}, the whole is {0}",
    "WrongCount": "{0} parts: between 2 and 16 are possible",
    # Claims, stock, receipts, pledges
    "NotInstrument": "{0} is no version of a contract of instruments",
    "AlreadyClaimed": "the same goods or invoice (claim {0}) stand behind another live record",
    "NotClaimed": "record {1} has no claim {0}",
    "ZeroKey": "a claim of zeros is nobody's",
    "StillLive": "record {1}, or a part of it, still stands for what claim {0} is for: it "
    "ends first",
    "NotWarehouse": "{0} is no warehouse, or not the one that keeps these goods",
    "LotExists": "lot {0} is registered already",
    "UnknownLot": "there is no lot {0}",
    "InvalidAgreement": "the agreement about the goods contradicts itself: fixed goods are not "
    "adjusted, tolerances are at most 10000, a count is good for at least a second, and the unit "
    "is two or three capitals and digits (UN/ECE Recommendation 20)",
    "LotInUse": "live receipts stand for {1} of lot {0}: what they rely on does not change",
    "InvalidCounters": "{0} counters: a lot has 1 to 8",
    "WarehouseActive": "{0}, which keeps the goods, is active: they stay with it",
    "NotCounter": "{1} does not count lot {0}",
    "CountReplayed": "{1} has sent count {2} of lot {0}, or a later one, already",
    "CountTimeRefused": "a count of lot {0} at {1:time} is older than the last count or "
    "delivery, or in the future",
    "InvalidSignature": "the signature of the count cannot be read",
    "EvidenceMissing": "a count names the evidence that supports it",
    "AdjustmentTooLarge": "lot {0} may be adjusted to between {2} and {3}, not to {1}",
    "StockShort": "goods are missing in lot {0}: {1} was counted, receipts stand for {2}",
    "NotEnoughStock": "lot {0} has {2} free, {1} are asked for",
    "CountTooOld": "the last count of lot {0} ({1:time}) is too old: count again",
    "InvalidNumber": "{0} is no number: 1 to 32 printable ASCII characters without spaces",
    "InvalidQuantity": "a quantity of {0} is not possible here",
    "InvalidExpiry": "{0:time} is no later end of the storage period",
    "TooManyKeys": "{0} claims: at most 256",
    "NotNominated": "the owner of {0} has not nominated {1}",
    "GoodsDiffer": "these are goods of different lots or kinds: {0} and {1}",
    "NotRequested": "the holder of {0} has asked for no delivery",
    "KeysDiffer": "with a part of {0} go claims of it, not all of them, and those that its holder "
    "has named in the request",
    "WrongPurpose": "{0} was not surrendered for this",
    "NotExpired": "the storage period of {0} ends at {1:time}",
    "NotBank": "{0} is no active bank",
    "UnknownPledge": "there is no pledge {0}",
    "PledgeExists": "pledge {0} was made already: other terms make another pledge",
    "NotParty": "{1} is not the one who does this to {0}",
    "WrongState(bytes32,uint8)": "pledge {0} is {1:pledge}: this is not possible now",
    "InvalidTerms": "an amount, a currency (three capitals), a due date to come and the hash of "
    "the agreement are meant",
    "AlreadyPledged": "{1} is pledged to {2} already",
    "NotFrozen": "{1} has not frozen {0}",
    "NotCovered": "pledge {0} does not cover {1}",
    "InvalidPledgee": "{0} would have a security right against itself",
    "TooEarly": "too early for {0}: not before {1:time}",
    # Deposits and settlement
    "NotCaller": "only a contract that the members have named for it may do this, not {0}",
    "NumberUsed": "the number {1} of {0} stands for something else already",
    "Insufficient": "{1} hundredths are free in account {0}, {2} are asked for",
    "NoAccount": "{0} has no account in {2}{1:at}",
    "LimitExceeded": "the receiving bank's limit for the paying bank does not suffice for this",
    "ClaimExceeded": "the claim is {0} hundredths: {1} cannot be settled of it",
    "UnknownRedemption": "there is no redemption {0}",
    "RedemptionDecided": "redemption {0} is decided already",
    "UnknownHold": "there is no hold {0}",
    "HoldExceeded": "hold {0} has {1} hundredths left, not {2}",
    "NotSecured": "pledge {0} secures {1} hundredths more in this currency: {2} are not collected "
    "for it",
    "StillSecured": "of what is held for pledge {0}, {1} hundredths are more than it secures: {2} "
    "are not yet given free by the account's owner",
    "UnknownDeal": "there is no deal {0}",
    "StaleDeal": "deal {0} has changed meanwhile: revision {1} was seen, it is at {2}",
    "DealState": "{1:act} is not possible while deal {0} is {2:state}{1:while}",
    "DealNotEntitled": "{1:act} of deal {0} is not for {2}{1:by}",
    "WrongLegs": "{0} instruments: a deal has 1 to 16, and the buyer names the revision of each",
    "InvalidDeal": "the terms contradict themselves, or a time is past or more than ten years away",
    "NoEvidence": "an attestor names the hash of what he has seen",
    "WrongCondition": "the condition of deal {0} does not allow this: with one, money is set aside "
    "(commit) until it is met, without one it is paid (accept)",
    "TooLate": "too late for {0}: until {1:time}",
    "InvalidAttestor": "{0} would be paid once the condition is met, and cannot say that it is",
    "AsAgreed": "the instruments of deal {0} are what the buyer has bound himself to, and would go "
    "to him",
    "AskTheOther": "the other party of deal {0} has not asked to end it",
    "Rehearsed": "deal {0} would go through",
    "NotReceivables": "{0} is no version of Receivables",
    # Pools
    "NotArranger": "{0} is neither a bank nor an operator: only those arrange pools",
    "NotOffice": "in pool {0} this is not for {1}",
    "UnknownPool": "there is no pool {0}",
    "PoolExists": "pool {0} is there already: its number was used before",
    "WrongPoolState": "pool {0} is not in the state for it",
    "InvalidPool": "{0:part}",
    "InvalidTranche": "tranche {0} is incomplete, out of its bounds or out of its rank",
    "InvalidFee": "fee {0} is out of its bounds, or there are more than four",
    "NotEnoughUnits": "{1} has {2} units of the tranche in pool {0}",
    "TooManyHolders": "a tranche has at most 24 holders: who comes in gets, and who stays keeps, a "
    "sixteenth of it ({2} units) or more",
    "WrongDate": "pool {0}: the date {1:date} is not possible, {2:date} is",
    "DateInFuture": "the date {0:date} has not begun anywhere",
    "UnknownDay": "pool {0} has no such state of the date {1:date}",
    "TooManyRevisions": "the state of {1:date} was corrected too often",
    "InvalidDay": "the state's {0} breaks a limit of the pool, or contradicts the state of the day "
    "before or after",
    "AssetNotFree": "{1} is not free: the trustee does not hold it, or it is pledged, frozen or "
    "locked",
    "AssetInPool": "{1} stands in another pool, or in none",
    "WrongAssetCount": "{0} instruments: 1 to 64 at once",
    "InvalidCollection": "a collection has a payment, an amount, and a root where it is of several "
    "debtors",
    "PaymentUsed": "payment {0} was counted already, here or in another pool of the same trustee",
    "UnknownCollection": "pool {0} has no collection {1}",
    "CollectionClosed": "collection {1} of pool {0} is voided or distributed",
    "WrongPeriod": "period {1} of pool {0} is the next one",
    "StaleCollections": "more was collected for pool {0} meanwhile: revision {1}",
    "UnknownPayment": "pool {0} has no payment {1}",
    "PaymentConfirmedAlready": "payment {1} of pool {0} is confirmed already",
    "PrincipalOwed": "pool {0} owes its investors {1} of principal that is neither repaid nor "
    "written off",
    "PoolNotEmpty": "pool {0} has money that is not distributed, or payments not confirmed",
    "WrongPaymentCount": "{0} payments: 1 to 32 at once",
    # Applications, loans, prices
    "UnknownLoan": "there is no application or loan {0}",
    "LoanExists": "the number of application {0} is used already",
    "InvalidRequest": "the application cannot be: {0:field}",
    "InvalidInvitations": "an application is open to 1 to 16 banks, each once ({0})",
    "InvalidRate": "a rate of {0} bp is higher than asked for or possible",
    "InvalidTime": "{0:time} is past, or after the end of the application",
    "WrongMode": "this is no act of the mode in which application {0} is priced",
    "OfferStands": "{1} has decided on {0}: its offer stands {2:until}",
    "AlreadyCommitted": "{1} has handed in its quote for {0}, which cannot be changed",
    "OutOfTime": "not the time for it ({0}): it is {1:from}until {2:time}",
    "CommitmentDiffers": "this is not what {1} has sealed for {0}",
    "NoOffer": "{1} has no offer or sealed quote for {0}",
    "OfferDiffers": "the offer for {0} is another one: {1}",
    "NotBest": "{1} has the best quote for {0}",
    "CheckFailed": "the ledger says otherwise of the collateral of {0} "
    "(sum of 1 title, 2 pledge, 4 stock, 8 duplicate: {1})",
    "NotSigned": "borrower and bank have not signed the same agreement for {0}",
    "NotFinancing": "only Financing may do this, not {0}",
    "InvalidSeverity": "a warning has severity 1 to 3, not {0}",
    "Overpaid": "{1} hundredths are owed on {0}, no more",
    "CollateralLeft": "the pledge of {0} covers {1} instruments: name all of them",
    "NotCollateral": "{1} is no collateral of {0}",
    "NothingToReport": "the ledger shows nothing new of the collateral of {0}",
    "PledgeDiffers": "the pledge of {0} is {1:pledge}",
    "ReferenceUsed": "{1} is booked already ({0})",
    "NotYet": "too early for {0}: not before {1:time}",
    "InvalidTable": "a table has 1 to 64 tiers that can be ({0})",
    "InvalidContribution": "a discount or floor of more than 100 % is not possible",
    "UnknownTable": "{0} has no version {2} of its table in {1}",
    "NoTier": "version {1} of the table of {0} has no tier for this",
    "InvalidPoints": "{1} points cannot change by {0}",
    # Models
    "UnknownRecord": "there is no record {0}",
    "RecordExists": "{0} is there already: its number was used before",
    "InvalidEntry": "{0} is missing, out of its bounds, or not the caller's to name",
    "DoneAlready": "{1} has done this to {0} already",
    "NothingProposed": "nothing is proposed for {0}",
    "TermsDiffer": "what is proposed for {0} is another thing: {1}",
    "SharesDiffer": "the parties' shares make {0} bp, not 10000",
    "NotAParty": "{0} is no party: who proposes is one, each stands there once, and regulators and "
    "arbitrators are none",
    "ProjectNotOpen": "project {0} is not agreed, is closed, or was until {2:time}",
    "AlgorithmNotAllowed": "project {0} does not allow the algorithm {1}",
    "CodeNotAllowed": "project {0} does not allow the code {1}",
    "GrantNotGood": "grant {0} is revoked, over, of another project, or its data set is gone",
    "BudgetExceeded": "of the privacy budget of {0} are left: epsilon {1} millionths, delta {2} "
    "billionths of a billionth",
    "CodeDiffers": "run {0} is for the code {1}",
    "WrongRound": "round {1} of run {0} is the next one",
    "TooManyFaults": "run {0} has 1024 faults already",
    "WrongSequence": "the next call of {0} has the number {1}",
    "PeriodTaken": "what is counted of {0} begins at {1:time} or later",
    "ContributionMissing": "the parties of {0} have not agreed yet on what each has contributed",
    "Error": "{0}",
}
"""By the error's name; where names are shared by errors of different parameters, by signature."""

_OF_ACT: Final = {
    "NotParty": "{act:act} of pledge {0} is not for {1}{act:by}",
    "WrongState(bytes32,uint8)": "{act:act} is not possible while pledge {0} is "
    "{1:pledge}{act:while}",
}
"""Errors of records with a table that do not say which act was refused: the call does."""
_OF_CALL: Final = {
    ("InvalidParty", "Receivables.create"): "{0} cannot be this party: creditor and debtor are "
    "two; regulators and arbitrators are neither; only a bill is issued by another than its "
    "creditor; the debtor of a bank bill is a bank; and only an order has an attestor, who is not "
    "its creditor",
    ("InvalidParty", "Receivables.offerCancel"): "{0} holds it now: it is ended only while its "
    "creditor holds it",
    ("Unchanged", "Deposits.chooseHome"): "that bank is chosen already, or is the organisation "
    "itself",
    ("Unchanged", "Deposits.issue"): "a bank issues to its customers, not to itself",
    ("Unchanged", "Deposits.pay"): "payer and payee are the same, at the same bank",
    ("Unchanged", "Deposits.setLimit"): "the limit is that already, or the bank is your own",
    ("Unchanged", "Stock.setCounter"): "who counts is as it would be already",
}
"""Errors without what would say why, by the call that they answer."""


def explain(data: bytes, machine: Machine | None = None, call: bytes = b"") -> str:
    """What revert data says. Never raises: unknown data is told in hex.

    `machine` is the table of the record that it is about (see `record_named`), by which acts and
    states are named; `call` the calldata that was refused.
    """
    known = _ERRORS.get(data[:4])
    if known is None:
        return f"the contract refused (0x{data[:36].hex()})" if data else "the contract refused"
    name, types, parameters = known
    try:
        told = decode(types, data[4:], strict=False)
    except (DecodingError, OverflowError, ValueError):
        return name
    values = [Value(v, machine, of) for v, of in zip(told, parameters, strict=True)]
    called = _called(call, machine)
    sentence = _sentence(name, types) if called is None else _of_act(name, types)
    sentence = _OF_CALL.get((name, _CALLS.get(call[:4], "")), sentence)
    if sentence is not None:
        try:
            return sentence.format(*values, act=called)
        except IndexError:  # an error of the same name with other parameters
            pass
    return f"{name}({', '.join(str(value) for value in values)})"


def refusal_name(data: bytes) -> str | None:
    """Name of the contract's error in revert data, or None where it is unknown."""
    known = _ERRORS.get(data[:4])
    return known[0] if known else None


def refusal_names() -> frozenset[str]:
    """Names of all errors that the contracts tell."""
    return frozenset(name for name, _, _ in _ERRORS.values())


def record_named(data: bytes) -> Hash32 | None:
    """Id of the record whose act or state revert data tells; None where no table is needed to say
    what it means. The table is that of the record: `contracts.machines.machine_of`."""
    known = _ERRORS.get(data[:4])
    sentence = None if known is None else _sentence(*known[:2])
    if known is None or sentence is None or len(data) < 36:
        return None
    named = ":act}" in sentence or _of_act(*known[:2]) != sentence
    return Hash32(data[4:36]) if named else None


def _sentence(name: str, types: list[str]) -> str | None:
    return _SENTENCES.get(f"{name}({','.join(types)})", _SENTENCES.get(name))


def _of_act(name: str, types: list[str]) -> str | None:
    signature = f"{name}({','.join(types)})"
    return _OF_ACT.get(signature, _OF_ACT.get(name, _sentence(name, types)))


def _called(call: bytes, machine: Machine | None) -> Value | None:
    """The act that a call is, where the table has it."""
    contract, _, function = _CALLS.get(call[:4], "").partition(".")
    # In the words of tables: `declareDefault` is `declare-default`.
    name = re.sub("([A-Z])", r"-\1", function).lower() if contract == "Pledges" else ""
    for act in () if machine is None else machine.acts:
        if act.name == name:
            return Value(act.number, machine)
    return None


def _errors(*artifacts: Artifact) -> dict[bytes, tuple[str, list[str], list[str]]]:
    """Name, types and names of parameters, by selector."""
    found = {keccak(b"Error(string)")[:4]: ("Error", ["string"], ["reason"])}
    for artifact in artifacts:
        for entry in artifact.abi:
            if entry["type"] == "error":
                types = [canonical_type(parameter) for parameter in entry["inputs"]]
                names = [parameter["name"] for parameter in entry["inputs"]]
                signature = f"{entry['name']}({','.join(types)})"
                found[keccak(signature.encode())[:4]] = (entry["name"], types, names)
    return found


_ERRORS: Final = _errors(
    CONSORTIUM_ARTIFACT,
    POOLS_ARTIFACT,
    POOL_BOOK_ARTIFACT,
    PROVENANCE_ARTIFACT,
    NETWORK_ARTIFACT,
    GOVERNANCE_ARTIFACT,
    DIRECTORY_ARTIFACT,
    PARAMETERS_ARTIFACT,
    CLAIMS_ARTIFACT,
    STOCK_ARTIFACT,
    PLEDGES_ARTIFACT,
    RECEIPTS_ARTIFACT,
    RECEIVABLES_ARTIFACT,
    APPLICATIONS_ARTIFACT,
    FINANCING_ARTIFACT,
    PRICING_ARTIFACT,
    DEPOSITS_ARTIFACT,
    SETTLEMENT_ARTIFACT,
    MODELS_ARTIFACT,
    RUNS_ARTIFACT,
    RELEASES_ARTIFACT,
)


def _calls(*artifacts: Artifact) -> dict[bytes, str]:
    """Functions by selector: `Deposits.issue`."""
    found = {}
    for artifact in artifacts:
        for entry in artifact.abi:
            if entry["type"] == "function":
                types = ",".join(canonical_type(parameter) for parameter in entry["inputs"])
                selector = keccak(f"{entry['name']}({types})".encode())[:4]
                found[selector] = f"{artifact.name}.{entry['name']}"
    return found


_CALLS: Final = _calls(DEPOSITS_ARTIFACT, PLEDGES_ARTIFACT, RECEIVABLES_ARTIFACT, STOCK_ARTIFACT)
