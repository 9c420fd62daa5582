"""A session model to bytes and back, and what changed."""
