"""A small shop that runs on FastSession. `python -m example_app` serves it."""
