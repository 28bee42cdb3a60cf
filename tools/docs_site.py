"""What mkdocs does for the site (see mkdocs.yml) besides rendering docs/: the pages themselves stay plain files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

_ROOT = Path(__file__).parents[1]
_LINK_OUT = re.compile(r"\[([^\]]+)\]\((?:(?:\.\./)+[^)\s]*|[A-Z_]+(?:\.md)?)\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that lie at the top of the project; their links into docs/ lead to the site's pages."""
    for page in ("CHANGELOG.md", "SECURITY.md"):
        content = (_ROOT / page).read_text().replace("](docs/", "](")
        files.append(File.generated(config, page.lower(), content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Keep only the text of links that lead out of docs/: the site has no such page."""
    return _LINK_OUT.sub(r"\1", markdown)
