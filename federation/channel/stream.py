"""One secured connection: TLS over a socket, read by one thread while others write.

OpenSSL's objects may not be used by two threads at once, so TLS runs between two buffers in
memory, each step under a lock, and the socket is read and written outside of it. After the
handshake the reader never writes (TLS 1.3 has no renegotiation; what it wants sent goes out with
the next write), so that two parties that both write much cannot block each other.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from contextlib import suppress

from federation.channel.errors import (
    ChannelError,
    IdentityInvalid,
    PartyGone,
    PartyRefused,
    PartySilent,
)
from federation.channel.identity import APPLICATION, organisation_of_der

_READ_BYTES = 1 << 18
_WRITE_BYTES = 1 << 18


class SecureStream:
    """Both directions of a connection. `party` is whom it should lead to, as far as is known."""

    def __init__(
        self, raw: socket.socket, context: ssl.SSLContext, *, server_side: bool, party: str
    ) -> None:
        self._reading = raw
        self._writing = raw.dup()  # has a time limit of its own
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=server_side)
        self._tls_lock = threading.Lock()
        self._write_lock = threading.Lock()
        self.party = party

    def shake_hands(self, deadline: float) -> str:
        """TLS handshake until `deadline` (monotonic); gives the organisation at the other end.

        Raises `PartyRefused`, `PartySilent`, `PartyGone`.
        """
        while True:
            try:
                self._tls.do_handshake()
            except ssl.SSLWantReadError:
                self._flush(deadline)
                self._fill(deadline)
            except ssl.SSLCertVerificationError as error:
                self._tell_alert()
                reason = f"its certificate is not valid here: {error.verify_message}"
                raise PartyRefused(self.party, reason) from error
            except ssl.SSLEOFError as error:
                raise PartyGone(self.party, "the connection ended within the handshake") from error
            except ssl.SSLError as error:
                self._tell_alert()
                raise PartyRefused(self.party, f"TLS failed: {_words(error)}") from error
            else:
                break
        self._flush(deadline)
        if self._tls.selected_alpn_protocol() != APPLICATION:
            raise PartyRefused(self.party, "it speaks another protocol than a channel's")
        try:
            return organisation_of_der(self._tls.getpeercert(binary_form=True) or b"")
        except IdentityInvalid as error:
            raise PartyRefused(self.party, f"its certificate: {error}") from error

    def read(self, timeout_s: float) -> bytes:
        """Some bytes; empty at the end. Raises `PartySilent`, `PartyGone`, `PartyRefused`."""
        deadline = time.monotonic() + timeout_s
        while True:
            with self._tls_lock:
                try:
                    return self._tls.read(_READ_BYTES)
                except ssl.SSLWantReadError:
                    pass
                except ssl.SSLZeroReturnError:
                    return b""
                except ssl.SSLError as error:
                    raise self._broken(error) from error
            self._fill(deadline)

    def write(self, data: bytes, timeout_s: float) -> None:
        """All of `data`; each piece must go out within the time.

        Raises `PartySilent`, `PartyGone`, `PartyRefused`; the stream is of no use then.
        """
        view = memoryview(data)
        with self._write_lock:
            for start in range(0, len(view), _WRITE_BYTES):
                with self._tls_lock:
                    try:
                        self._tls.write(view[start : start + _WRITE_BYTES])
                    except ssl.SSLError as error:
                        raise self._broken(error) from error
                self._flush(time.monotonic() + timeout_s)

    def end_writing(self, timeout_s: float) -> None:
        """Say that nothing more comes (close_notify), as far as the connection still works."""
        with self._write_lock:
            with self._tls_lock, suppress(ssl.SSLError, ValueError):
                self._tls.unwrap()
            with suppress(ChannelError, OSError):
                self._flush(time.monotonic() + timeout_s)
            with suppress(OSError):
                self._writing.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """Cut the connection, waking whoever reads or writes."""
        with suppress(OSError):
            self._reading.shutdown(socket.SHUT_RDWR)
        self._reading.close()
        self._writing.close()

    def _fill(self, deadline: float) -> None:
        try:
            self._reading.settimeout(_left(deadline))
            data = self._reading.recv(_READ_BYTES)
        except TimeoutError as error:
            raise PartySilent(self.party, "nothing came over the connection in time") from error
        except OSError as error:
            raise self._lost(error) from error
        if data:
            self._incoming.write(data)
        else:
            self._incoming.write_eof()

    def _flush(self, deadline: float) -> None:
        with self._tls_lock:
            data = self._outgoing.read()
        if not data:
            return
        try:
            self._writing.settimeout(_left(deadline))
            self._writing.sendall(data)
        except TimeoutError as error:
            raise PartySilent(self.party, "it takes nothing over the connection") from error
        except OSError as error:
            raise self._lost(error) from error

    def _tell_alert(self) -> None:
        with suppress(ChannelError, OSError):
            self._flush(time.monotonic() + 1)

    def _broken(self, error: ssl.SSLError) -> ChannelError:
        if isinstance(error, ssl.SSLEOFError):
            return PartyGone(self.party, "the connection ended without a word")
        if "ALERT" in (error.reason or ""):
            return PartyRefused(self.party, f"it refused us: {_words(error)}")
        return PartyGone(self.party, f"bytes were altered on the way: {_words(error)}")

    def _lost(self, error: OSError) -> PartyGone:
        return PartyGone(self.party, f"the connection broke: {error.strerror or error}")


def _left(deadline: float) -> float:
    return max(0.001, deadline - time.monotonic())


def _words(error: ssl.SSLError) -> str:
    return (error.reason or str(error)).replace("_", " ").lower()
