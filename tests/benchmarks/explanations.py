"""Why a budget is missed, from profiles of the served path: docs/performance.md says it beside each miss."""

# By the kind of a verdict.
EXPLANATIONS: dict[str, str] = {}
