"""What only a real browser can tell: which cookies Chromium keeps, sends, and forgets.

A package, so that fixtures of package scope end with it: Playwright keeps an event loop running in the thread that
uses it, and the tests after these want to run their own.
"""
