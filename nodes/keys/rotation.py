"""Changing a node's keys, step by step, and each step only once the one before is on the ledger.

Every command looks at what is already done, on disk and on the ledger, and does the next step: it
is simply given again after an interruption.
"""

from __future__ import annotations

from dataclasses import dataclass

from contracts import consortium, network
from contracts.consortium import Standing, Status
from ledger.crypto import AccountSigner, KeyKind, KeyStore, TokenPlace
from ledger.tlog import NoteVerifier, SignatureType
from ledger.types import Address
from nodes.founding import LOG_KEY_LABEL, VALIDATOR_KEY_LABEL
from nodes.keys.errors import KeyChangeRefused
from nodes.keys.switching import refresh_descriptor
from nodes.layout import NodeDirectory
from nodes.network.descriptor import Descriptor
from nodes.proposals import RpcClient

RESTART = "restart the node: it takes the new key then"


@dataclass(frozen=True, slots=True)
class Step:
    """What a command did, and what is to be done next."""

    kind: str
    label: str
    old: str
    """Public part, as `list` shows it."""
    new: str
    done: bool
    """Whether the change is complete."""
    told: str
    """For people."""


class Rotation:
    """Changes of the keys in one node's folder, through that node's own JSON-RPC."""

    def __init__(
        self,
        directory: NodeDirectory,
        secrets: KeyStore,
        rpc: RpcClient | None,
        consortium_address: Address,
        network_address: Address | None,
        origin: str,
        token: TokenPlace | None = None,
    ) -> None:
        """`rpc` None: no node runs, and only what needs no ledger can be done.

        `token`: where new keys are made instead of in a file.
        """
        self._directory = directory
        self._secrets = secrets
        self._rpc = rpc
        self._consortium = consortium_address
        self._network = network_address
        self._origin = origin
        self._token = token

    # ---- accounts -------------------------------------------------------------------------------

    def account(self, label: str) -> Step:
        """Rotate an account: add the new one, restart, revoke the old one.

        Raises `KeyChangeRefused`, `CallRefused`, `NodeUnreachable` and what the keys raise.
        """
        old = self._secrets.load_account(label)
        successor = self._secrets.next.entry(KeyKind.ACCOUNT, label)
        if successor is None:
            stale = self._stale(label, old)
            if stale:
                return self._revoke_stale(label, old, stale)
            standing = self._standing(old.address)
            if standing is None or not standing.active:
                raise KeyChangeRefused(
                    f"account {old.checksum_address} is not active on the ledger: another account "
                    "of the organisation, or a proposal (add-account), must admit its successor"
                )
            self._make(KeyKind.ACCOUNT, label)
        new = self._secrets.next.load_account(label)
        own, found = self._standing(old.address), self._standing(new.address)
        if own is None:
            raise KeyChangeRefused(f"the ledger does not know {old.checksum_address}")
        if found is not None and found.organisation != own.organisation:
            # Whoever sees it on its way to a block may be faster and take it for its own.
            raise KeyChangeRefused(
                f"{found.organisation} has put {new.checksum_address} on the ledger as its own: "
                f"remove {self._secrets.next.path(KeyKind.ACCOUNT, label)} and begin again"
            )
        if found is None:
            data = consortium.add_account(own.organisation, new.address)
            self._ledger().send(old, self._consortium, data)
        return Step(
            "account",
            label,
            old.checksum_address,
            new.checksum_address,
            False,
            f"the new account is on the ledger; {RESTART}. Give this command once more afterwards: "
            "it revokes the old one",
        )

    def _stale(self, label: str, current: AccountSigner) -> list[Address]:
        """Retired accounts of this label that the ledger still lets transact."""
        found = []
        retired = self._secrets.retired
        for entry in retired.list():
            if entry.kind is KeyKind.ACCOUNT and entry.label.startswith(f"{label[:50]}."):
                address = Address(bytes.fromhex(entry.public[2:]))
                standing = self._standing(address)
                if standing is not None and standing.active and address != current.address:
                    found.append(address)
        return found

    def _revoke_stale(self, label: str, current: AccountSigner, stale: list[Address]) -> Step:
        for address in stale:
            data = consortium.set_account_status(address, Status.REVOKED)
            self._ledger().send(current, self._consortium, data)
        refresh_descriptor(self._directory, self._secrets)
        words = ", ".join(f"0x{address.hex()}" for address in stale)
        return Step(
            "account",
            label,
            words,
            current.checksum_address,
            True,
            f"{words} is revoked on the ledger; {current.checksum_address} acts instead",
        )

    def revoke_account(self, name: str) -> Step:
        """Revoke an account for ever, on the ledger at once and then here.

        `name` is a label or an address. Another active account of the organisation whose key is
        here signs if there is one, else the account itself. Raises as `account`.
        """
        label, address = self._named(name)
        standing = self._standing(address)
        if standing is None:
            raise KeyChangeRefused(f"the ledger does not know account 0x{address.hex()}")
        if standing.active:
            signer = self._colleague(address, standing.organisation)
            data = consortium.set_account_status(address, Status.REVOKED)
            self._ledger().send(signer, self._consortium, data)
        text = f"account 0x{address.hex()} of {standing.organisation} is revoked on the ledger"
        if label is not None:
            self._secrets.retire(KeyKind.ACCOUNT, label)
            text += f"; its key {label!r} is among the retired ones. {_STOPS}"
        return Step("account", label or "", f"0x{address.hex()}", "", True, text)

    def add_device(self, label: str, device: str) -> Step:
        """Let a device record for the organisation of the account of that label, and no more.

        `device`: its address, whose key it keeps itself. Raises as `account`.
        """
        account = self._secrets.load_account(label)
        _, address = self._named(device)
        own, found = self._standing(account.address), self._standing(address)
        if own is None or not own.active:
            raise KeyChangeRefused(f"account {account.checksum_address} is not active")
        if found is None:
            self._ledger().send(account, self._consortium, consortium.add_device(address))
        elif found.organisation != own.organisation:
            raise KeyChangeRefused(f"0x{address.hex()} belongs to {found.organisation}")
        text = f"device 0x{address.hex()} records for {own.organisation} from the next block on"
        if found is not None:
            standing = "active" if found.active else "not active any more"
            text = f"0x{address.hex()} is on the ledger for {own.organisation} already, {standing}"
        return Step("device", label, "", f"0x{address.hex()}", True, text)

    def _named(self, name: str) -> tuple[str | None, Address]:
        entries = [one for one in self._secrets.list() if one.kind is KeyKind.ACCOUNT]
        for entry in entries:
            if name == entry.label or name.lower() == entry.public.lower():
                return entry.label, Address(bytes.fromhex(entry.public[2:]))
        try:
            address = bytes.fromhex(name.removeprefix("0x"))
        except ValueError:
            address = b""
        if len(address) != 20:
            raise KeyChangeRefused(f"{name[:60]!r} is neither an account here nor an address")
        return None, Address(address)

    def _colleague(self, address: Address, organisation: str) -> AccountSigner:
        own: AccountSigner | None = None
        for store in (self._secrets, self._secrets.next):
            for entry in store.list():
                if entry.kind is not KeyKind.ACCOUNT:
                    continue
                public = Address(bytes.fromhex(entry.public[2:]))
                standing = self._standing(public)
                if standing is None or not standing.active or standing.organisation != organisation:
                    continue
                if public != address:
                    return store.load_account(entry.label)
                own = store.load_account(entry.label)
        if own is None:
            raise KeyChangeRefused(
                f"no key here may act for {organisation}: a proposal (revoke-account) can revoke it"
            )
        return own

    # ---- validator ------------------------------------------------------------------------------

    def validator(self) -> Step:
        """Rotate the validator key: the running node changes over two blocks of the engine later.

        Raises as `account`.
        """
        descriptor, address = self._own_node()
        successor = self._secrets.next.entry(KeyKind.VALIDATOR, VALIDATOR_KEY_LABEL)
        old = self._secrets.entry(KeyKind.VALIDATOR, VALIDATOR_KEY_LABEL)
        if old is None:
            raise KeyChangeRefused("this node has no validator key")
        registered = self._node(descriptor).validator_key
        if successor is None:
            new = self._make(KeyKind.VALIDATOR, VALIDATOR_KEY_LABEL)
        else:
            new = successor.public
        if registered != bytes.fromhex(new):
            data = network.rotate_validator_key(descriptor.node_id, bytes.fromhex(new))
            self._ledger().send(self._account_of(descriptor), address, data)
        self._secrets.promote(KeyKind.VALIDATOR, VALIDATOR_KEY_LABEL)
        refresh_descriptor(self._directory, self._secrets)
        return Step(
            "validator",
            VALIDATOR_KEY_LABEL,
            old.public,
            new,
            True,
            "the ledger names the new validator key; the node votes with it from the second "
            "block of the engine on, running or restarted",
        )

    # ---- the log and the witness ----------------------------------------------------------------

    def log(self) -> Step:
        """Rotate the key that signs the log and cosigns it as a witness.

        Raises as `account`.
        """
        old = self._secrets.note_verifier(LOG_KEY_LABEL)
        if self._secrets.next.entry(KeyKind.NOTE, LOG_KEY_LABEL) is None:
            self._make(KeyKind.NOTE, LOG_KEY_LABEL, old.name)
        new = self._secrets.next.note_verifier(LOG_KEY_LABEL)
        if self._network is not None and self._directory.descriptor.is_file():
            descriptor, address = self._own_node()
            name = descriptor.witness(self._origin).name
            vkey = NoteVerifier(name, SignatureType.COSIGNATURE, new.public_key).vkey
            if self._node(descriptor).contact.witness_key != vkey:
                data = network.rotate_witness_key(descriptor.node_id, vkey)
                self._ledger().send(self._account_of(descriptor), address, data)
        return Step("log", LOG_KEY_LABEL, old.vkey, new.vkey, False, f"{RESTART}. {_RECORD}")

    # ---- parts ----------------------------------------------------------------------------------

    def _make(self, kind: KeyKind, label: str, name: str = "") -> str:
        """Make the key that is next; its public part."""
        store = self._secrets.next
        if self._token is not None:
            return store.create_on_token(kind, label, self._token, name).public
        if kind is KeyKind.ACCOUNT:
            return store.create_account(label).checksum_address
        if kind is KeyKind.NOTE:
            return store.create_note(label, name).vkey
        return store.create_validator(label).public_key.hex()

    def _ledger(self) -> RpcClient:
        if self._rpc is None:
            raise KeyChangeRefused(
                f"no node runs in {self._directory.root}: the ledger must be told, start it first"
            )
        return self._rpc

    def _standing(self, address: Address) -> Standing | None:
        data = consortium.standing_calldata(address)
        return consortium.decode_standing(self._ledger().call(self._consortium, data))

    def _own_node(self) -> tuple[Descriptor, Address]:
        if self._network is None or not self._directory.descriptor.is_file():
            raise KeyChangeRefused("this node orders alone: it has no validator key")
        return Descriptor.load(self._directory.descriptor), self._network

    def _node(self, descriptor: Descriptor) -> network.FoundingNode:
        assert self._network is not None
        data = network.node_calldata(descriptor.node_id)
        found = network.decode_node(descriptor.node_id, self._ledger().call(self._network, data))
        if found is None:
            raise KeyChangeRefused(
                f"node {descriptor.node_id.hex()} is not on the ledger: it must be admitted first"
            )
        return found[0]

    def _account_of(self, descriptor: Descriptor) -> AccountSigner:
        return self._secrets.load_account(descriptor.organisation)


_STOPS = "A running node still holds it: restart it"
_RECORD = (
    "It writes the record of the change into rotations/: send that to those who verify, for "
    "`tally node keys adopt`"
)
