"""`python -m federation.channel`: a relay, for parties that cannot accept connections."""

from __future__ import annotations

import argparse
from contextlib import suppress

from federation.channel.relay import Relay


def main() -> None:
    """Run a relay until it is stopped."""
    parser = argparse.ArgumentParser(description="A relay for parties of a federated run.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7443)
    parser.add_argument("--connections", type=int, default=256, help="at most so many")
    arguments = parser.parse_args()
    relay = Relay(arguments.host, arguments.port, connections_max=arguments.connections)
    address = relay.start()
    print(f"relay at {address.host}:{address.port}", flush=True)
    with suppress(KeyboardInterrupt):
        relay.wait()
    relay.close()


if __name__ == "__main__":
    main()
