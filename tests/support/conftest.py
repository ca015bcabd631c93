"""acme is a distribution of its own: tests/plugin installs it elsewhere and runs its tests there."""

collect_ignore = ["acme"]
