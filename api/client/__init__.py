"""The Python client: `from api.client import Tallystick`."""

from api.client.client import Tallystick
from api.client.errors import (
    ClientError,
    Denied,
    KeyMalformed,
    Malformed,
    Missing,
    PreparedWrongly,
    Problem,
    Refused,
    StillPending,
    Unreachable,
)
from api.client.feed import Notice
from api.client.records import Done, Records
from api.client.signing import Prepared
from api.client.transport import Retries
from api.hooks import SecretMalformed, SignatureInvalid
from api.hooks import verify_message as verify_webhook

__all__ = [
    "ClientError",
    "Denied",
    "Done",
    "KeyMalformed",
    "Malformed",
    "Missing",
    "Notice",
    "Prepared",
    "PreparedWrongly",
    "Problem",
    "Records",
    "Refused",
    "Retries",
    "SecretMalformed",
    "SignatureInvalid",
    "StillPending",
    "Tallystick",
    "Unreachable",
    "verify_webhook",
]
