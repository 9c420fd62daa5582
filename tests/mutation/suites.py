"""What is mutated, and the fast tests that have to notice."""

SUITES = {
    "xaes": ["tests/test_xaes.py"],
    "token": ["tests/test_token.py", "tests/test_rejection_details.py"],
    "keyring": ["tests/test_keyring.py", "tests/test_key_purposes.py", "tests/test_weak_secrets.py"],
    "lifetime": ["tests/test_lifetime.py"],
    "cookies": ["tests/test_cookies.py", "tests/test_cookie_option_messages.py", "tests/test_cookie_pairs.py"],
    "chunks": [
        "tests/test_chunks.py",
        "tests/test_chunk_edges.py",
        "tests/test_cookie_option_messages.py",
        "tests/test_rejection_details.py",
    ],
}
