"""Middlewares from options: what the programmer wrote, explained where it is wrong, and checked at once."""
