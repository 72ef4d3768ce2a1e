"""The federated gateway: joint credit models without raw data leaving its owner.

Nothing is built here yet; docs/features.md says so row by row. The room stands so that the
rule of dependencies (docs/architecture.md) covers it from the first day.
"""

__all__: list[str] = []
