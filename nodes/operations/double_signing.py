"""A restored validator signs nothing at heights that the network may have seen it sign at."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Final

from ledger.consensus.cometbft.home import Home, write_private
from ledger.consensus.validator import SignState, state_path_of
from ledger.crypto import KeyKind, KeyStore
from nodes.founding import VALIDATOR_KEY_LABEL
from nodes.layout import NodeDirectory
from nodes.operations.backup_errors import BackupDamaged, RestoreRefused
from nodes.operations.backup_manifest import BackupManifest

MARGIN_HEIGHTS: Final = 10
"""Barred beyond the height that members say."""
_STEP_LAST: Final = 3
_ROUND_LAST: Final = (1 << 31) - 1
_FILE_SIZE_BYTES_MAX: Final = 64 * 1024


def raise_last_signed(
    directory: NodeDirectory,
    keys: KeyStore,
    manifest: BackupManifest,
    reached: Callable[[], int | None],
    accept_loss: bool,
) -> int | None:
    """Raise the records of what was signed last; the height up to which nothing is signed now.

    `reached` tells the height that the network has reached. This validator may have voted on the
    one after it, and who said so may be late: some more are barred. Returns None where nothing is
    raised: the node holds no validator key, or no height is known and the
    operator answers for there being none after the backup (`accept_loss`; that is also how more
    than a third of the validators come back, who otherwise would all be silent at the next
    height). Raises `RestoreRefused` where no height is known.
    """
    home = Home(directory.engine)
    labels = {entry.label for entry in keys.list()}
    signs_itself = VALIDATOR_KEY_LABEL in labels
    if not signs_itself and not home.validator_key.exists():
        return None
    found = reached()
    if found is None and not accept_loss:
        raise RestoreRefused(
            f"the backup is of consensus height {manifest.height}; this validator may have voted "
            "on later ones since, and voting twice is what is punished: say which height the "
            "network has reached (--last-height), or have its members asked"
        )
    if found is None:
        return None
    height = max(found, manifest.height or 0) + MARGIN_HEIGHTS
    home.prepare()
    if signs_itself:
        for public_key in _validator_keys(keys):
            with SignState(state_path_of(home.signer_state, public_key), public_key) as state:
                state.raise_to(height)
    if home.validator_key.exists():
        _raise_engines_own(home, height)
    return height


def _validator_keys(keys: KeyStore) -> Iterator[bytes]:
    """All that this node has or had; the ledger may name any of them at the next height."""
    for store in (keys, keys.next, keys.retired):
        for entry in store.list():
            if entry.kind is KeyKind.VALIDATOR:
                yield bytes.fromhex(entry.public)


def _raise_engines_own(home: Home, height: int) -> None:
    """CometBFT's own record (privval.FilePVLastSignState), for a key that it holds itself."""
    path = home.validator_state
    state: dict[str, object] = {"height": "0", "round": 0, "step": 0}
    if path.exists():
        try:
            state = json.loads(path.read_bytes()[:_FILE_SIZE_BYTES_MAX])
            before = int(str(state["height"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BackupDamaged(f"{path.name} in the backup is not readable: {error}") from error
        if before > height:
            return
    raised = {"height": str(height), "round": _ROUND_LAST, "step": _STEP_LAST}
    write_private(path, json.dumps(raised, indent=2).encode())
