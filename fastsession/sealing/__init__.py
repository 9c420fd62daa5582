"""From a secret to a cookie value: keys, cipher, token, chunks."""
