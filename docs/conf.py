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
html_title = f"FastSession {release}"
html_static_path = ["_static"]
html_css_files = ["fastsession.css"]
html_show_sphinx = False
html_copy_source = False
