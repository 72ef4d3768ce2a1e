"""The federated gateway: joint credit models without raw data leaving its owner.

Design and seams: docs/federation/README.md. Importing this package imports none of its rooms, so
that a node without the extra `federation` starts as before.
"""

__all__: list[str] = []
