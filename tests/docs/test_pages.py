import re
from pathlib import Path

import pytest
from tests.docs.pages import (
    DOCS,
    PAGES,
    ROOT,
    Reader,
    anchors,
    blocks,
    compiled,
    links,
    page_id,
)

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
NAV = (
    (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[2].partition("\n\n")[0]
)
WITH_CODE = [page for page in PAGES if any(block.kind == "python" for block in blocks(page))]
KINDS = {"python", "py", "output", "sh", "text", "toml", "yaml", "json", "promql"}

each_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


@pytest.mark.parametrize("page", WITH_CODE, ids=page_id)
def test_page_does_what_it_says_from_top_to_bottom(page: Path, tmp_path: Path) -> None:
    reader = Reader(page, tmp_path)

    reader.follow()


@each_page
def test_fragment_is_python(page: Path) -> None:
    fragments = [block for block in blocks(page) if block.kind == "py"]

    for fragment in fragments:
        compiled(fragment, page)


@each_page
def test_block_is_of_a_kind_that_is_known(page: Path) -> None:
    kinds = {block.kind for block in blocks(page)}

    assert kinds <= KINDS


@each_page
def test_every_fence_is_read_as_a_block(page: Path) -> None:
    fences = re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE)

    assert len(fences) == 2 * len(list(blocks(page)))


@each_page
def test_link_leads_somewhere(page: Path) -> None:
    for target, anchor in links(page):
        found = (page.parent / target).resolve() if target else page
        assert found.exists(), target
        # Names of the API get their anchors from the docstrings; the builder checks those.
        if anchor and not anchor.startswith("uat_resilience"):
            assert anchor in anchors(found), f"{target}#{anchor}"


@each_page
def test_make_command_that_is_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    named = set(re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )?([a-z][a-z-]*)", text, re.MULTILINE))

    assert named <= set(re.findall(r"^([a-z-]+):.*##", MAKEFILE, re.MULTILINE))


@each_page
def test_page_is_plain_text_without_pictograms(page: Path) -> None:
    text = page.read_text(encoding="utf-8")

    assert [sign for sign in text if ord(sign) > 0x2FFF or 0x2600 <= ord(sign) <= 0x27BF] == []


def test_nav_names_every_page_once_and_no_other() -> None:
    named = re.findall(r"[:-] (\S+\.md)$", NAV, re.MULTILINE)

    assert sorted(named) == sorted(page.relative_to(DOCS).as_posix() for page in PAGES)
