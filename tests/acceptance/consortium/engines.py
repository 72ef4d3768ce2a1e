"""A CometBFT whose clock is wrong: the same source and version, but for where it reads the time.

The source is what `go install` has left in the module cache; nothing is fetched. `types/time.Now`
is the clock that votes, proposals and the write-ahead log go by; where blocks are judged
(state/validation.go) the system's is asked, so that place is made to ask the same one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

VERSION = "v0.38.25"
OFFSET = "TALLY_TEST_CLOCK_OFFSET"
"""Environment variable of the engine that is built here: a Go duration such as `-2h30m`."""
_UNNEEDED = ("*.md", "docs", "spec", ".github", "*_test.go")
_CLOCK = "return Canonical(time.Now())"
_WRONG = "return Canonical(time.Now().Add(offset()))"
_OWN_TIME = 'cmttime "github.com/cometbft/cometbft/types/time"'
_OFFSET = f"""
// offset is what a test sets this clock wrong by.
func offset() time.Duration {{
	value, err := time.ParseDuration(os.Getenv("{OFFSET}"))
	if err != nil {{
		panic(err)
	}}
	return value
}}
"""


def build_engine_of_wrong_clock(go: str, folder: Path) -> Path:
    """Build into `folder`; half a minute the first time. Raises CalledProcessError."""
    module = f"github.com/cometbft/cometbft@{VERSION}"
    told = subprocess.run(
        [go, "mod", "download", "-json", module],
        cwd=folder,
        env={**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=mod"},
        capture_output=True,
        check=True,
    )
    source = folder / "source"
    shutil.copytree(
        json.loads(told.stdout)["Dir"], source, ignore=shutil.ignore_patterns(*_UNNEEDED)
    )
    for path in (source, *source.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # the module cache is read-only
    clock = source / "types" / "time" / "time.go"
    text = clock.read_text()
    assert text.count(_CLOCK) == 1, "CometBFT's clock has moved"
    text = text.replace(_CLOCK, _WRONG).replace("import (", 'import (\n\t"os"', 1)
    clock.write_text(text + _OFFSET)
    judge = source / "state" / "validation.go"
    text = judge.read_text()
    assert "time.Now()" in text, "blocks are no longer judged by the clock here"
    text = text.replace("time.Now()", "cmttime.Now()")
    judge.write_text(text.replace("import (", f"import (\n\t{_OWN_TIME}", 1))
    program = folder / "cometbft"
    subprocess.run(
        [go, "build", "-o", program, "./cmd/cometbft"],
        cwd=source,
        env={**os.environ, "GOPROXY": "off", "GOFLAGS": "-mod=readonly"},
        check=True,
    )
    shutil.rmtree(source)
    return program
