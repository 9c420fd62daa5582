"""A secret from an environment variable whose bytes are no text."""

import pytest

from fastsession import ConfigurationError
from fastsession.formats import StarletteSession


def test_a_damaged_secret_is_refused_and_never_shown():
    with pytest.raises(ConfigurationError, match="damaged bytes") as refusal:
        StarletteSession(secret_key="\udcff the other system's secret")
    assert "the other" not in str(refusal.value)
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None
