"""Errors of a node's daily operation."""

from __future__ import annotations

from nodes.errors import NodeError


class OperationsError(NodeError):
    """Base of the room's errors."""


class NotRunning(OperationsError):
    """No node runs in the folder: there is no `run.json`, or the process it names has ended."""


class RunFileInvalid(OperationsError):
    """`run.json` is not what a node writes, or others may read it."""


class JobUnderWay(OperationsError):
    """A backup or snapshot is being made already; one at a time."""


class JobUnavailable(OperationsError):
    """This node cannot do that, or it is stopping."""


class JobRequestInvalid(OperationsError):
    """What was asked of a backup or snapshot cannot be done."""
