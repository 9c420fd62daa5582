"""All that awaits: sessions in a store, and the denial of revoked ones."""
