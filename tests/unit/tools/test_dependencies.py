from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from wheels.dependencies import requirements_of

if TYPE_CHECKING:
    from pathlib import Path


def test_what_a_wheel_asks_for_is_read_from_it_without_its_extras(tmp_path: Path) -> None:
    wheel = tmp_path / "probe-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(
            "probe-1.dist-info/METADATA",
            "Metadata-Version: 2.4\nName: probe\nRequires-Dist: numpy>=1.26\nRequires-Dist: rich\n"
            'Requires-Dist: pytest>=8; extra == "test"\n\nRequires-Dist: this is the description\n',
        )
    assert requirements_of(wheel) == ["numpy>=1.26", "rich"]
