"""The measurement behind docs/performance.md: `python -m tests.benchmarks`, or `--quick` for a minute's look."""
