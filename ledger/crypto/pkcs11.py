"""PKCS#11 tokens (v2.40; Ed25519 of v3.0), through python-pkcs11: one session each, kept open.

A process logs in to a token once, so all keys on it share a session and a lock. When the token
was pulled out, or the module forgot its sessions, the next use begins anew.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from ledger.crypto.errors import (
    PinRefused,
    Pkcs11Error,
    Pkcs11Missing,
    TokenFailed,
    TokenKeyMissing,
    TokenMissing,
)
from ledger.crypto.reference import TokenPlace

if TYPE_CHECKING:
    from pkcs11 import KeyType, ObjectClass, PublicKey, Session
    from pkcs11._pkcs11 import lib
    from pkcs11.types import Key, SignMixin

_OCTET_STRING: Final = 0x04
_LOST: Final = frozenset(
    (
        "CryptokiNotInitialized",
        "DeviceError",
        "DeviceRemoved",
        "FunctionFailed",
        "GeneralError",
        "KeyHandleInvalid",
        "ObjectHandleInvalid",
        "OperationActive",
        "OperationNotInitialized",
        "SessionClosed",
        "SessionHandleInvalid",
        "SlotIDInvalid",
        "TokenNotPresent",
        "TokenNotRecognised",
        "UserNotLoggedIn",
    )
)
"""Errors of python-pkcs11 after which a new session may well work."""


class Curve(Enum):
    """Kinds of keys: curve parameters (DER object identifier) and size of the public key."""

    ED25519 = bytes.fromhex("06032b6570"), 32
    """1.3.101.112, RFC 8410."""
    SECP256K1 = bytes.fromhex("06052b8104000a"), 65
    """1.3.132.0.10, SEC 2."""

    @property
    def parameters(self) -> bytes:
        """CKA_EC_PARAMS."""
        return self.value[0]

    @property
    def point_size_bytes(self) -> int:
        """Of the public key as the token gives it, its DER wrapping aside."""
        return self.value[1]


class Token:
    """One token of one module. Thread-safe. Use `token_at`."""

    def __init__(self, module: str, label: str, pin: Callable[[str], str]) -> None:
        self._module = module
        self._label = label
        self._pin = pin
        self._pin_refused = False
        self._session: Session | None = None
        self._keys: dict[tuple[str, Curve], SignMixin] = {}
        self._using = _lock_of(module)

    @property
    def words(self) -> str:
        """Module and label, for messages."""
        return f"token {self._label!r} of {self._module}"

    def sign(self, label: str, curve: Curve, data: bytes) -> bytes:
        """A raw signature: EdDSA of the message, or ECDSA of a digest as r and s.

        Raises `Pkcs11Error`.
        """
        import pkcs11

        eddsa = curve is Curve.ED25519
        mechanism = pkcs11.Mechanism.EDDSA if eddsa else pkcs11.Mechanism.ECDSA
        return self._again_if_lost(
            lambda: self._private(label, curve).sign(data, mechanism=mechanism)
        )

    def public_key(self, label: str, curve: Curve) -> bytes:
        """32 bytes for Ed25519, x and y (64 bytes) for secp256k1. Raises `Pkcs11Error`."""
        return self._again_if_lost(lambda: self._point(self._public(label, curve), curve))

    def generate(self, label: str, curve: Curve) -> bytes:
        """Make a key pair that stays on the token. Its public key, as `public_key`.

        Raises `TokenKeyMissing` where the label is taken, and other `Pkcs11Error`s.
        """
        return self._again_if_lost(lambda: self._generate(label, curve))

    def close(self) -> None:
        """Log out and let go; the next use logs in again."""
        with self._using:
            session, self._session = self._session, None
            self._keys.clear()
            if session is not None:
                with suppress(Exception):
                    session.close()

    # ---- on an open session ---------------------------------------------------------------------

    def _private(self, label: str, curve: Curve) -> SignMixin:
        import pkcs11

        found = self._keys.get((label, curve))
        if found is None:
            key = self._find(pkcs11.ObjectClass.PRIVATE_KEY, label, curve)
            found = cast("SignMixin", key)
            self._keys[label, curve] = found
        return found

    def _public(self, label: str, curve: Curve) -> PublicKey:
        import pkcs11

        return cast("PublicKey", self._find(pkcs11.ObjectClass.PUBLIC_KEY, label, curve))

    def _find(self, kind: ObjectClass, label: str, curve: Curve) -> Key:
        import pkcs11

        key_type = _key_type(curve)
        try:
            return self._opened().get_key(object_class=kind, key_type=key_type, label=label)
        except pkcs11.NoSuchKey:
            raise TokenKeyMissing(
                f"{self.words}: no {curve.name.lower()} key {label!r} is on it"
            ) from None
        except pkcs11.MultipleObjectsReturned:
            raise TokenKeyMissing(
                f"{self.words}: several keys are called {label!r}; labels must tell them apart"
            ) from None

    def _generate(self, label: str, curve: Curve) -> bytes:
        import pkcs11

        with suppress(TokenKeyMissing):
            self._public(label, curve)
            raise TokenFailed(f"{self.words}: a key {label!r} is on it already")
        parameters = {pkcs11.Attribute.EC_PARAMS: curve.parameters}
        domain = self._opened().create_domain_parameters(_key_type(curve), parameters, local=True)
        eddsa = curve is Curve.ED25519
        public, _ = domain.generate_keypair(
            mechanism=pkcs11.Mechanism.EC_EDWARDS_KEY_PAIR_GEN
            if eddsa
            else pkcs11.Mechanism.EC_KEY_PAIR_GEN,
            store=True,
            label=label,
            id=label.encode(),
            private_template={
                pkcs11.Attribute.SENSITIVE: True,
                pkcs11.Attribute.EXTRACTABLE: False,
            },
        )
        return self._point(public, curve)

    def _point(self, key: PublicKey, curve: Curve) -> bytes:
        import pkcs11

        point = bytes(key[pkcs11.Attribute.EC_POINT])
        # A DER octet string by the standard; some modules give the bytes alone.
        if len(point) == curve.point_size_bytes + 2 and point[0] == _OCTET_STRING:
            point = point[2:]
        if len(point) != curve.point_size_bytes:
            raise TokenFailed(f"{self.words}: a public key of {len(point)} bytes")
        return point[1:] if curve is Curve.SECP256K1 else point

    # ---- the session ----------------------------------------------------------------------------

    def _again_if_lost(self, action: Callable[[], bytes]) -> bytes:
        with self._using, _told(self.words):
            from pkcs11 import PKCS11Error

            try:
                return bytes(action())
            except PKCS11Error as error:
                if type(error).__name__ not in _LOST or self._session is None:
                    raise
            module_reset(self._module)
            return bytes(action())

    def _opened(self) -> Session:
        if self._session is None:
            if self._pin_refused:
                raise PinRefused(
                    f"{self.words}: the PIN was wrong; it is not tried again, since tokens lock"
                )
            self._session = self._log_in()
        return self._session

    def _log_in(self) -> Session:
        import pkcs11

        try:
            token = _load(self._module).get_token(token_label=self._label)
        except pkcs11.NoSuchToken:
            raise TokenMissing(
                f"{self.words}: no such token; plug it in, or see what `pkcs11-tool -L` lists"
            ) from None
        except pkcs11.MultipleTokensReturned:
            raise TokenMissing(f"{self.words}: several tokens have that label") from None
        try:
            return token.open(rw=True, user_pin=self._pin(self._label))
        except (pkcs11.PinIncorrect, pkcs11.PinLenRange, pkcs11.PinInvalid):
            self._pin_refused = True
            raise PinRefused(f"{self.words}: the PIN is wrong") from None
        except (pkcs11.PinLocked, pkcs11.PinExpired, pkcs11.UserPinNotInitialized) as error:
            self._pin_refused = True
            raise PinRefused(f"{self.words}: {type(error).__name__}") from None


def _key_type(curve: Curve) -> KeyType:
    import pkcs11

    return pkcs11.KeyType.EC_EDWARDS if curve is Curve.ED25519 else pkcs11.KeyType.EC


# ---- modules ------------------------------------------------------------------------------------

_tokens: dict[tuple[str, str], Token] = {}
_locks: dict[str, AbstractContextManager[object]] = {}
_registering = threading.Lock()


def _lock_of(module: str) -> AbstractContextManager[object]:
    """One lock for all tokens of a module, since they are begun anew together. Re-entrant."""
    return _locks.setdefault(module, threading.RLock())


def token_at(place: TokenPlace, pin: Callable[[str], str]) -> Token:
    """The token of a place, the same for all keys on it. `pin` is asked at the first login."""
    with _registering:
        token = _tokens.get((place.module, place.token))
        if token is None:
            token = _tokens[place.module, place.token] = Token(place.module, place.token, pin)
        return token


def close_tokens() -> None:
    """Log out everywhere, forget PINs and which were refused."""
    with _registering:
        tokens = list(_tokens.values())
        _tokens.clear()
    for token in tokens:
        token.close()


def module_reset(module: str) -> None:
    """Begin anew with a module: sessions of all its tokens are void afterwards."""
    with _registering:
        tokens = [token for (path, _), token in _tokens.items() if path == module]
    for token in tokens:
        token.close()
    with suppress(Exception):
        _load(module).reinitialize()


def _load(module: str) -> lib:
    if not Path(module).is_file():
        raise Pkcs11Missing(f"{module}: no such PKCS#11 module; install its maker's software")
    try:
        import pkcs11

        return pkcs11.lib(module)
    except ImportError as error:
        raise Pkcs11Missing(
            "python-pkcs11 is not installed: pip install 'tallystick[hsm]'"
        ) from error
    except RuntimeError as error:
        raise Pkcs11Missing(f"{module} is no PKCS#11 module: {error}") from error


@contextmanager
def _told(words: str) -> Iterator[None]:
    """What python-pkcs11 raises, as an error of ours with the token's name."""
    try:
        from pkcs11 import PKCS11Error
    except ImportError as error:
        raise Pkcs11Missing(
            "python-pkcs11 is not installed: pip install 'tallystick[hsm]'"
        ) from error
    try:
        yield
    except Pkcs11Error:
        raise
    except PKCS11Error as error:
        detail = f": {error}" if str(error) else ""
        raise TokenFailed(f"{words}: {type(error).__name__}{detail}") from error
