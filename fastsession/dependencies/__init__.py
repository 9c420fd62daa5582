"""Guards for routes: conditions on the session, origins of requests, redirect targets, forgotten dependencies."""
