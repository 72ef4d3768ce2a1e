"""Why a contract refused, in words: revert data of all instruments."""

from __future__ import annotations

from typing import Any, Final

from eth_abi.abi import decode
from eth_abi.exceptions import DecodingError

from contracts.abi import canonical_type
from contracts.artifact import Artifact
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.directory.genesis import DIRECTORY_ARTIFACT
from contracts.governance.genesis import GOVERNANCE_ARTIFACT
from contracts.network.genesis import NETWORK_ARTIFACT
from contracts.parameters.genesis import PARAMETERS_ARTIFACT
from contracts.provenance.binding import PROVENANCE_ARTIFACT
from contracts.receivables.genesis import RECEIVABLES_ARTIFACT
from ledger.state.keccak import keccak

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
    "InvalidDue": "a due date of {0} is past, or more than ten years away",
    "InvalidGrace": "{0} seconds of grace are more than a year",
    "InvalidDelivery": "an order is delivered before it is due, and nothing else is delivered: {0}",
    "InvalidParty": "organisation {0} cannot be what it would become here",
    "WrongKeys": "{0} claims: an invoice or an order has at least one, and at most 64",
    "Unconditional": "receivable {0} is owed without condition: the debtor cannot contest it",
    "PastDue": "receivable {0} was due at {1}: too late for this",
    "NotPresented": "bill {0} has not been presented for payment",
    "NotOffered": "the other side has not proposed, as the act before, to end receivable {0}",
    "InvoiceUnchanged": "order {0} has its invoice already",
    "NotInvoiced": "order {0} has no invoice yet",
    "TooManyEndorsements": "receivable {0} has passed through 32 hands",
    "NobodyStandsBehind": "no active endorser of receivable {0} has promised recourse",
    "ReasonMissing": "a dispute says why",
    "NotDebtor": "receivable {0} is paid by its debtor, not by {1}",
    "Error": "{0}",
}


def explain(data: bytes) -> str:
    """What revert data says. Never raises: unknown data is told in hex."""
    known = _ERRORS.get(data[:4])
    if known is None:
        return f"the contract refused (0x{data[:36].hex()})" if data else "the contract refused"
    name, types = known
    try:
        values = [_shown(v) for v in decode(types, data[4:], strict=False)]
    except (DecodingError, OverflowError, ValueError):
        return name
    sentence = _SENTENCES.get(name)
    if sentence is None:
        return f"{name}({', '.join(values)})"
    try:
        return sentence.format(*values)
    except IndexError:  # an error of the same name with other parameters
        return f"{name}({', '.join(values)})"


def refusal_name(data: bytes) -> str | None:
    """Name of the contract's error in revert data, or None where it is unknown."""
    known = _ERRORS.get(data[:4])
    return known[0] if known else None


def _shown(value: Any) -> str:
    if not isinstance(value, bytes):
        return "".join(c if c.isprintable() else "\ufffd" for c in str(value))
    stripped = value.rstrip(b"\0")
    if stripped and all(0x20 < byte < 0x7F for byte in stripped):
        return stripped.decode("ascii")
    return "0x" + (stripped.hex() or "0")


def _errors(*artifacts: Artifact) -> dict[bytes, tuple[str, list[str]]]:
    found = {keccak(b"Error(string)")[:4]: ("Error", ["string"])}
    for artifact in artifacts:
        for entry in artifact.abi:
            if entry["type"] == "error":
                types = [canonical_type(parameter) for parameter in entry["inputs"]]
                signature = f"{entry['name']}({','.join(types)})"
                found[keccak(signature.encode())[:4]] = (entry["name"], types)
    return found


_ERRORS: Final = _errors(
    CONSORTIUM_ARTIFACT,
    PROVENANCE_ARTIFACT,
    NETWORK_ARTIFACT,
    GOVERNANCE_ARTIFACT,
    DIRECTORY_ARTIFACT,
    PARAMETERS_ARTIFACT,
    RECEIVABLES_ARTIFACT,
)
