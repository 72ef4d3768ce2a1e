"""The remote signer: dials CometBFT's `priv_validator_laddr` and signs what it asks for.

Source: CometBFT v0.38, `privval` (`tendermint.privval.Message`, length-delimited, one answer to
each request in order). CometBFT listens, so the connection is made anew whenever it restarts.
"""

from __future__ import annotations

import logging
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError

from ledger.consensus.validator import privval_pb2 as pb
from ledger.consensus.validator.errors import RequestRefused, ValidatorError
from ledger.consensus.validator.guard import GuardedKey
from ledger.consensus.validator.ring import KeyRing
from ledger.consensus.validator.types import ValidatorStatus
from ledger.consensus.wire import FrameError, frame, read_frame
from ledger.crypto.protocol import ValidatorSigner
from ledger.errors import LedgerError

MESSAGE_SIZE_BYTES_MAX: Final = 1 << 20
"""CometBFT bounds answers at 10 KiB; a request may carry a vote extension."""
RETRY_S: Final = 0.05
RETRY_S_MAX: Final = 1.0
_STOP_S: Final = 10.0
_LOG = logging.getLogger(__name__)


class ValidatorServer:
    """Signs for one CometBFT node over its unix socket, in a thread of its own.

    The record at `state_path` is locked from `start` to `stop`.
    """

    def __init__(
        self,
        socket_path: Path,
        signer: ValidatorSigner,
        state_path: Path,
        *,
        chain_id: str | None = None,
        find: Callable[[bytes], ValidatorSigner | None] = lambda _: None,
        signed_up_to: int = 0,
        accept_loss: bool = False,
    ) -> None:
        """`chain_id`: what alone is signed for; by default that of the first signature.

        `find` gives a further key of this validator by its public key, for the time when the
        ledger names another than `signer` (`committed`). `signed_up_to`: nothing is signed at
        this height of the engine or below; `accept_loss`: as `KeyRing`.
        """
        self._socket_path = socket_path
        self._signer = signer
        self._state_path = state_path
        self._chain_id = chain_id
        self._find = find
        self._signed_up_to = signed_up_to
        self._accept_loss = accept_loss
        self._ring: KeyRing | None = None
        self._told: GuardedKey | None = None
        self._thread: threading.Thread | None = None
        self._connection: socket.socket | None = None
        self._changing = threading.Lock()
        self._stopping = threading.Event()
        self._figures = _Figures()

    def start(self) -> None:
        """Begin to dial. Twice does no harm.

        Raises `SignStateBusy`, `SignStateDamaged`.
        """
        if self._thread is not None:
            return
        ring = self._ring = KeyRing(
            self._signer,
            self._state_path,
            self._find,
            signed_up_to=self._signed_up_to,
            accept_loss=self._accept_loss,
        )
        self._told = None
        self._stopping.clear()
        self._thread = threading.Thread(
            target=self._run, args=(ring,), name="validator-signer", daemon=True
        )
        self._thread.start()

    def committed(self, height: int, public_key: bytes | None) -> None:
        """The engine's block of this height is durable; the ledger names this key for the node.

        For a key to be changed while the node runs: `KeyRing.committed`.
        """
        if self._ring is not None:
            self._ring.committed(height, public_key)

    def stop(self) -> None:
        """End after the signature at hand. Twice does no harm; it can be started again."""
        thread = self._thread
        if thread is None:
            return
        self._stopping.set()
        self._hang_up()
        thread.join(_STOP_S)
        self._thread = None
        if self._ring is not None:
            self._ring.close()
            self._ring = None

    def status(self) -> ValidatorStatus:
        """Whether the engine is connected, what was signed last, how often and how fast."""
        ring, figures = self._ring, self._figures
        key = self._told or (ring.current() if ring else None)
        last = key.last if key else None
        return ValidatorStatus(
            public_key=key.public_key if key else self._signer.public_key,
            connected=self._connection is not None,
            height=last.height if last else 0,
            round=last.round if last else 0,
            signed=figures.signed,
            refused=figures.refused,
            signing_s=figures.signing_s,
        )

    # ---- the connection -------------------------------------------------------------------------

    def _run(self, ring: KeyRing) -> None:
        pause = RETRY_S
        while not self._stopping.is_set():
            try:
                connection = self._dial()
            except OSError:
                self._stopping.wait(pause)
                pause = min(2 * pause, RETRY_S_MAX)
                continue
            pause = RETRY_S
            _LOG.info("signing for the engine at %s", self._socket_path)
            try:
                self._serve(connection, ring)
            except (OSError, FrameError, DecodeError) as error:
                if not self._stopping.is_set():
                    _LOG.warning("the engine's signer connection broke: %s", error)
            except Exception:  # a defect must not leave the engine without its signer for good
                _LOG.exception("a request of the engine could not be answered")
                self._stopping.wait(RETRY_S_MAX)
            finally:
                self._hang_up()

    def _dial(self) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.connect(str(self._socket_path))
            _check_peer(connection)
        except BaseException:
            connection.close()
            raise
        with self._changing:
            self._connection = connection
        if self._stopping.is_set():
            self._hang_up()
        return connection

    def _hang_up(self) -> None:
        with self._changing:
            connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _serve(self, connection: socket.socket, ring: KeyRing) -> None:
        with connection.makefile("rb") as stream:
            while not self._stopping.is_set():
                data = read_frame(stream.read, MESSAGE_SIZE_BYTES_MAX)
                if data is None:
                    return
                answer = self._answer(pb.Message.FromString(data), ring)
                connection.sendall(frame(answer.SerializeToString()))

    # ---- answers --------------------------------------------------------------------------------

    def _answer(self, request: pb.Message, ring: KeyRing) -> pb.Message:
        kind = request.WhichOneof("sum")
        if kind == "ping_request":
            return pb.Message(ping_response=pb.PingResponse())
        if kind == "pub_key_request":
            return self._public_key(request.pub_key_request, ring)
        if kind == "sign_vote_request":
            return self._vote(request.sign_vote_request, ring)
        if kind == "sign_proposal_request":
            return self._proposal(request.sign_proposal_request, ring)
        raise FrameError(f"a {kind or 'message of no kind'} is no request")

    def _public_key(self, request: pb.PubKeyRequest, ring: KeyRing) -> pb.Message:
        try:
            self._check_chain(request.chain_id)
        except RequestRefused as refusal:
            response = pb.PubKeyResponse(error=self._refused(refusal))
        else:
            key = self._told = ring.current()
            response = pb.PubKeyResponse(pub_key=pb.PublicKey(ed25519=key.public_key))
        return pb.Message(pub_key_response=response)

    def _vote(self, request: pb.SignVoteRequest, ring: KeyRing) -> pb.Message:
        try:
            self._check_chain(request.chain_id)
            key = ring.of_address(request.vote.validator_address) or self._told or ring.current()
            with self._figures.measured():
                vote = key.sign_vote(request.vote, request.chain_id)
            response = pb.SignedVoteResponse(vote=vote)
        except (LedgerError, OSError) as error:
            response = pb.SignedVoteResponse(vote=pb.Vote(), error=self._refused(error))
        return pb.Message(signed_vote_response=response)

    def _proposal(self, request: pb.SignProposalRequest, ring: KeyRing) -> pb.Message:
        try:
            self._check_chain(request.chain_id)
            key = self._told or ring.current()
            with self._figures.measured():
                proposal = key.sign_proposal(request.proposal, request.chain_id)
            response = pb.SignedProposalResponse(proposal=proposal)
        except (LedgerError, OSError) as error:
            response = pb.SignedProposalResponse(proposal=pb.Proposal(), error=self._refused(error))
        return pb.Message(signed_proposal_response=response)

    def _check_chain(self, chain_id: str) -> None:
        if self._chain_id is not None and chain_id != self._chain_id:
            raise RequestRefused(f"this key signs for {self._chain_id!r}, not for {chain_id!r}")

    def _refused(self, error: Exception) -> pb.RemoteSignerError:
        self._figures.refused += 1
        _LOG.error("no signature: %s: %s", type(error).__name__, error)
        code = 1 if isinstance(error, ValidatorError) else 2
        return pb.RemoteSignerError(code=code, description=str(error)[:1000])


class _Figures:
    """Counts since the process began. Written by the serving thread alone."""

    def __init__(self) -> None:
        self.signed = 0
        self.refused = 0
        self.signing_s = 0.0

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Count a signature, and the time it takes; not where it fails."""
        begun = time.perf_counter()
        yield
        self.signing_s += time.perf_counter() - begun
        self.signed += 1


def _check_peer(connection: socket.socket) -> None:
    """Refuse a socket that another user of the machine listens on."""
    if not hasattr(socket, "SO_PEERCRED"):
        return
    size = struct.calcsize("3i")
    packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    _, user, _ = struct.unpack("3i", packed)
    if user not in (os.geteuid(), 0):
        raise PermissionError(f"user {user} listens on the engine's signer socket")
