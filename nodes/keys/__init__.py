"""Changing the keys of a node: accounts, log and witness, validator."""

from nodes.keys.errors import KeyChangeError, KeyChangeRefused
from nodes.keys.rotation import Rotation, Step
from nodes.keys.switching import refresh_descriptor, switch_accounts, switch_log_key

__all__ = [
    "KeyChangeError",
    "KeyChangeRefused",
    "Rotation",
    "Step",
    "refresh_descriptor",
    "switch_accounts",
    "switch_log_key",
]
