"""A SoftHSM token in a folder of its own. SoftHSM reads SOFTHSM2_CONF when it is initialised."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

MODULES = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
PIN = "5678"
SO_PIN = "1234"


def find_module() -> str | None:
    given = os.environ.get("SOFTHSM2_MODULE")
    places = ((given,) if given else ()) + MODULES
    return next((place for place in places if Path(place).is_file()), None)


@dataclass(frozen=True)
class SoftHsm:
    module: str
    program: str
    directory: Path

    @property
    def configuration(self) -> Path:
        return self.directory / "softhsm2.conf"

    @property
    def tokens(self) -> Path:
        return self.directory / "tokens"

    def prepare(self) -> None:
        self.tokens.mkdir(parents=True, exist_ok=True)
        self.configuration.write_text(
            f"directories.tokendir = {self.tokens}\n"
            "objectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
        )

    def make_token(self, label: str) -> None:
        subprocess.run(
            [self.program, "--init-token", "--free", "--label", label]  # noqa: RUF005
            + ["--so-pin", SO_PIN, "--pin", PIN],
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "SOFTHSM2_CONF": str(self.configuration)},
        )
