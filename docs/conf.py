"""How the documentation is built: `make docs`."""

import fastsession

project = "FastSession"
author = "The FastSession authors"
copyright = "2026, The FastSession authors"
release = version = fastsession.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc"]
# Docstrings put code into single backticks.
default_role = "code"
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 80
add_module_names = False

html_theme = "furo"
pygments_dark_style = "github-dark"
html_title = f"FastSession {release}"
html_static_path = ["_static"]
html_css_files = ["fastsession.css"]
html_show_sphinx = False
html_copy_source = False

# Hosts that stand for the reader's own.
linkcheck_ignore = [r"https?://(localhost|127\.0\.0\.1|testserver|[\w.]*\bexample\b)"]
# GitHub marks lines with script; tests/project/test_comparison.py looks at the lines themselves.
linkcheck_anchors_ignore_for_url = [r"https://github\.com/.*/blob/"]
