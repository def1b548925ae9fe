"""Every link from a page of the docs to another place in the repository leads there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/**/*.md"))]
FENCED = re.compile(r"^( *)(```+).*?^\1\2$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!\w+:)([^)#]*)(?:#([^)]*))?\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_links_of_a_page_lead_somewhere(page: Path):
    lost = [f"{name}#{anchor}" for name, anchor in links(page) if not leads(page, name, anchor)]
    assert not lost, f"{page.relative_to(ROOT)} links to {', '.join(lost)}"


def links(page: Path) -> Iterator[tuple[str, str]]:
    for link in LINK.finditer(prose(page)):
        yield link[1], link[2] or ""


def leads(page: Path, name: str, anchor: str) -> bool:
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in map(anchor_of, headings(target)))


def headings(page: Path) -> list[str]:
    return HEADING.findall(prose(page))


def prose(page: Path) -> str:
    return FENCED.sub("", page.read_text(encoding="utf-8"))


def anchor_of(heading: str) -> str:
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
