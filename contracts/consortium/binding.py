"""Calls and logs of the Consortium contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from contracts.abi import EventKind, Function
from contracts.consortium.genesis import CONSORTIUM_ARTIFACT
from contracts.consortium.ids import organisation_id_text, organisation_id_word
from contracts.consortium.types import (
    AccountAdded,
    AccountStatusChanged,
    ConsortiumEvent,
    Kind,
    OrganisationAdded,
    OrganisationProfileChanged,
    OrganisationRoleChanged,
    OrganisationStatusChanged,
    Profile,
    Role,
    Standing,
    Status,
)
from contracts.errors import CalldataError, LogError, OrganisationIdError
from ledger.types import Address, Hash32, Log


def _function(name: str) -> Function:
    return Function.of(CONSORTIUM_ARTIFACT, name)


_ADD_ORGANISATION: Final = _function("addOrganisation")
_SET_PROFILE: Final = _function("setProfile")
_SET_ROLE: Final = _function("setRole")
_SET_ORGANISATION_STATUS: Final = _function("setOrganisationStatus")
_ADD_ACCOUNT: Final = _function("addAccount")
_ADD_DEVICE: Final = _function("addDevice")
_SET_ACCOUNT_STATUS: Final = _function("setAccountStatus")
_MULTICALL: Final = _function("multicall")
_STANDING: Final = _function("standing")
_ADMINISTERS: Final = _function("administers")

# ---- calldata -----------------------------------------------------------------------------------
# All raise `CalldataValueError` or `OrganisationIdError` for what does not fit.


def add_organisation(organisation: str, role: Role, profile: Profile, account: Address) -> bytes:
    """Admit an organisation with its first account. For a proposal."""
    return _ADD_ORGANISATION.calldata(
        organisation_id_word(organisation), int(role), _profile_tuple(profile), account
    )


def set_profile(organisation: str, profile: Profile) -> bytes:
    """Change how an organisation is shown. For a proposal."""
    return _SET_PROFILE.calldata(organisation_id_word(organisation), _profile_tuple(profile))


def set_role(organisation: str, role: Role) -> bytes:
    """Change an organisation's role. For a proposal."""
    return _SET_ROLE.calldata(organisation_id_word(organisation), int(role))


def set_organisation_status(organisation: str, status: Status) -> bytes:
    """Suspend, reactivate or revoke (for ever) an organisation. For a proposal."""
    return _SET_ORGANISATION_STATUS.calldata(organisation_id_word(organisation), int(status))


def add_account(organisation: str, account: Address) -> bytes:
    """Add an account to an organisation. For its own accounts, or a proposal."""
    return _ADD_ACCOUNT.calldata(organisation_id_word(organisation), account)


def add_device(device: Address) -> bytes:
    """Add a device to the sender's own organisation."""
    return _ADD_DEVICE.calldata(device)


def set_account_status(account: Address, status: Status) -> bytes:
    """Suspend, reactivate or revoke (for ever) an account or device."""
    return _SET_ACCOUNT_STATUS.calldata(account, int(status))


def multicall(calls: Sequence[bytes]) -> bytes:
    """Several of the calls above in one transaction: all happen or none."""
    return _MULTICALL.calldata(list(calls))


def standing_calldata(account: Address) -> bytes:
    """Calldata of `standing`, to be called, not sent."""
    return _STANDING.calldata(account)


def decode_standing(output: bytes) -> Standing | None:
    """Answer of `standing`; None for an unknown address. Raises `CalldataError`."""
    organisation, role, active = _STANDING.result(output)
    if not any(organisation):
        return None
    try:
        return Standing(organisation_id_text(organisation), Role(role), active)
    except (OrganisationIdError, ValueError) as error:
        raise CalldataError(f"result of standing: {error}") from error


def administers_calldata(account: Address) -> bytes:
    """Calldata of `administers`, to be called, not sent."""
    return _ADMINISTERS.calldata(account)


def decode_administers(output: bytes) -> str | None:
    """The organisation that the address may administer and vote for. Raises `CalldataError`."""
    (organisation,) = _ADMINISTERS.result(output)
    try:
        return organisation_id_text(organisation) if any(organisation) else None
    except OrganisationIdError as error:
        raise CalldataError(f"result of administers: {error}") from error


def _profile_tuple(profile: Profile) -> tuple[str, str, str]:
    return profile.name, profile.name_zh, profile.uri


# ---- logs ---------------------------------------------------------------------------------------

Values = Mapping[str, Any]


def decode_log(log: Log) -> ConsortiumEvent:
    """The event in a log of the contract. Raises `LogError` where it is none of its events."""
    if not log.topics or log.topics[0] not in _EVENTS:
        raise LogError("log is none of the Consortium contract's events")
    kind, build = _EVENTS[log.topics[0]]
    values = kind.values(log)
    try:
        return build(values, organisation_id_text(values["organisation"]), _address(values["by"]))
    except (OrganisationIdError, ValueError) as error:
        raise LogError(f"{kind.name}: {error}") from error


def _address(text: str) -> Address:
    return Address(bytes.fromhex(text[2:]))


def _profile(values: Values) -> Profile:
    return Profile(values["name"], values["nameZh"], values["uri"])


def _organisation_added(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    return OrganisationAdded(organisation, by, Role(values["role"]), _profile(values))


def _profile_changed(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    return OrganisationProfileChanged(organisation, by, _profile(values))


def _role_changed(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    return OrganisationRoleChanged(organisation, by, Role(values["role"]))


def _status_changed(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    return OrganisationStatusChanged(organisation, by, Status(values["status"]))


def _account_added(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    return AccountAdded(organisation, _address(values["account"]), by, Kind(values["kind"]))


def _account_status(values: Values, organisation: str, by: Address) -> ConsortiumEvent:
    account, status = _address(values["account"]), Status(values["status"])
    return AccountStatusChanged(organisation, account, by, status)


_Builder = Callable[[Values, str, Address], ConsortiumEvent]


def _events(**builders: _Builder) -> dict[Hash32, tuple[EventKind, _Builder]]:
    kinds = {name: EventKind.of(CONSORTIUM_ARTIFACT, name) for name in builders}
    return {kinds[name].topic: (kinds[name], build) for name, build in builders.items()}


_EVENTS: Final = _events(
    OrganisationAdded=_organisation_added,
    OrganisationProfileChanged=_profile_changed,
    OrganisationRoleChanged=_role_changed,
    OrganisationStatusChanged=_status_changed,
    AccountAdded=_account_added,
    AccountStatusChanged=_account_status,
)
