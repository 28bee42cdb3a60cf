"""The documentation names only what exists."""

from __future__ import annotations

import dataclasses
import inspect
import re
from ast import PyCF_ALLOW_TOP_LEVEL_AWAIT
from importlib import import_module
from pathlib import Path

import pytest

import telnyx_native

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]


def table_rows(page: Path) -> list[list[str]]:
    """The cells of every row of every table, without headings."""
    rows = [line.strip("|").split("|") for line in page.read_text().splitlines() if line.startswith("|")]
    heads = {i + offset for i, row in enumerate(rows) if set("".join(row)) <= set("- ") for offset in (-1, 0)}
    return [[cell.strip() for cell in row] for i, row in enumerate(rows) if i not in heads]


ANDROID = table_rows(ROOT / "docs" / "android.md")
FEATURES = table_rows(ROOT / "docs" / "features.md")


def exists(dotted: str) -> bool:
    """Whether `Call.mute` or `media.quality.CallQuality` is there: a module, a class, and what they have."""
    owner: object = telnyx_native
    for name in dotted.split("."):
        if inspect.ismodule(owner) and not hasattr(owner, name):
            owner = import_module(f"{owner.__name__}.{name}")
        elif hasattr(owner, name):
            owner = getattr(owner, name)
        else:
            return is_instance_attribute(owner, name)
    return True


def is_instance_attribute(owner: object, name: str) -> bool:
    """Whether objects of a class have an attribute: a field, or one that its docstring describes."""
    if dataclasses.is_dataclass(owner) and name in {field.name for field in dataclasses.fields(owner)}:
        return True
    _, _, attributes = (inspect.getdoc(owner) or "").partition("\nAttributes:\n")
    return re.search(rf"^ {{4}}{name}:", attributes, re.MULTILINE) is not None


def test_the_tables_are_read() -> None:
    assert len(ANDROID) > 50
    assert len(FEATURES) > 90
    assert all(len(row) == 3 for row in ANDROID + FEATURES)


def test_what_does_not_exist_is_noticed() -> None:
    assert exists("Call.call_id")
    assert not exists("Call.on_hold_unhold_pressed")
    assert not exists("TelnyxClient.incoming")


@pytest.mark.parametrize("row", ANDROID, ids=lambda row: row[0])
def test_every_name_for_android_developers_exists(row: list[str]) -> None:
    names = re.findall(r"`([^`]+)`", row[1])
    assert names or row[1] in {"not yet", "not planned"}
    assert [name for name in names if not exists(name)] == []


@pytest.mark.parametrize("row", FEATURES, ids=lambda row: row[0])
def test_every_feature_has_its_names_and_its_test(row: list[str]) -> None:
    _, names, shown_by = row
    if shown_by.startswith("n/a: "):
        assert not names
        return
    quoted = re.findall(r"`([^`]+)`", names)
    assert quoted
    assert [name for name in quoted if not exists(name)] == []
    path, _, test = shown_by.strip("`").partition("::")
    assert re.search(rf"^ *(async )?def {test}\(", (ROOT / "tests" / path).read_text(), re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_in_a_page_compiles(page: Path) -> None:
    for block in re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL):
        compile(block, page.name, "exec", flags=PyCF_ALLOW_TOP_LEVEL_AWAIT)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text())
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (page.parent / link).exists()] == []


FIELD = [row for row in table_rows(ROOT / "docs" / "field.md") if len(row) == 4]


@pytest.mark.parametrize("row", FIELD, ids=lambda row: row[0][:60])
def test_every_line_of_the_field_names_its_test(row: list[str]) -> None:
    references = re.findall(r"`([\w/]+)((?:::\w+)*)`", row[3])
    assert references
    for file, names in references:
        found = [path for path in (ROOT / "tests").rglob(f"{Path(file).name}.py") if file in str(path)]
        assert found, file
        for name in names.split("::")[1:]:
            assert any(re.search(rf"(?m)^\s*(?:async )?(?:def|class) {name}\b", path.read_text()) for path in found), (
                name
            )


WALKS = sorted(set(re.findall(r"`([a-z_/]+)\.py:([A-Za-z_.]+)`", (ROOT / "docs" / "architecture.md").read_text())))


@pytest.mark.parametrize(("module", "name"), WALKS)
def test_every_step_of_a_walk_exists(module: str, name: str) -> None:
    assert exists(f"{module.replace('/', '.')}.{name}")
