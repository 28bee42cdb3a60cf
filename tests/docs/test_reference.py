"""The reference has every public name, each once, and no other."""

from __future__ import annotations

import re
from collections import Counter

import telnyx_native
import telnyx_native.doctor
import telnyx_native.gateway
import telnyx_native.media.tones
import telnyx_native.testing
import telnyx_native.worker
from support.pages import ROOT

DOCUMENTED = Counter(
    name
    for page in (ROOT / "docs/reference").glob("*.md")
    for name in re.findall(r"^::: telnyx_native\.(\S+)$", page.read_text(), re.MULTILINE)
)


def test_each_name_is_documented_once() -> None:
    extras = {
        name for name in DOCUMENTED if name.startswith(("integrations.", "fleet."))
    }  # whose packages may be missing
    public = {*telnyx_native.__all__} - {"__version__"}
    modules = telnyx_native.doctor, telnyx_native.gateway, telnyx_native.media.tones, telnyx_native.testing
    for module in (*modules, telnyx_native.worker):
        public |= {f"{module.__name__.removeprefix('telnyx_native.')}.{name}" for name in module.__all__}
    assert set(DOCUMENTED) - extras == public
    assert [name for name, pages in DOCUMENTED.items() if pages > 1] == []


def test_each_page_of_the_site_has_its_place() -> None:
    placed = set(re.findall(r"(\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {str(page.relative_to(ROOT / "docs")) for page in (ROOT / "docs").rglob("*.md")}
    assert placed == pages | {"changelog.md", "security.md"}
