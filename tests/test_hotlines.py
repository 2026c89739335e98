"""Hotlines: numbers that a document names, the nearest first, and the national one everywhere."""

import shutil
from pathlib import Path

import pytest

from publish.catalogue import Catalogue, load
from publish.errors import BadDeclaration
from publish.hotlines import COLUMNS, FILE, hotlines_of, load_hotlines

HEADER = ",".join(COLUMNS)
COUNTY = "350102,0591-1234 5678,某区教育局,A district,,,某文件"


def _file(folder: Path, *lines: str) -> Path:
    path = folder / FILE
    path.write_text("\n".join((HEADER, *lines)) + "\n", "utf-8")
    return path


def test_the_national_line_is_declared_with_the_document_that_names_it(catalogue):
    (national,) = hotlines_of(catalogue.hotlines, ["000000"])
    assert national.number == "12345"
    assert "国办发〔2020〕53号" in national.source


def test_the_nearest_line_comes_first(tmp_path):
    lines = load_hotlines(_file(tmp_path, "000000,12345,全国,All,,,甲", COUNTY, "350000,+86 591 100,省,Province,,,乙"))
    assert [line.region_code for line in hotlines_of(lines, ["350102", "350100", "350000", "000000"])] == ["350102", "350000", "000000"]
    assert [line.region_code for line in hotlines_of(lines, ["000000"])] == ["000000"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("350102,javascript:x,某,A,,,文", "hotlines.csv:2: number 'javascript:x'"),
        ("350102,1,某,A,,,文", "number '1'"),
        ("999999,12345,某,A,,,文", "region_code '999999'"),
        ("350102,12345,,A,,,文", "name_zh is empty"),
        ("350102,12345,某,A,,,", "source is empty"),
        ("350102,12345", "2 cells"),
    ],
)
def test_a_wrong_line_is_refused_by_file_and_line(tmp_path, catalogue, line, said):
    known = {row.code for row in catalogue.regions.rows()}
    with pytest.raises(BadDeclaration, match=said):
        load_hotlines(_file(tmp_path, line), known)


def test_a_line_more_makes_no_other_rows(catalogue: Catalogue, tmp_path: Path):
    folder = tmp_path / "datasets"
    shutil.copytree(catalogue.folder, folder)
    with (folder / "codes" / FILE).open("a", encoding="utf-8") as file:
        file.write(COUNTY + "\n")
    more = load(folder)
    assert (more.recipe, len(more.hotlines)) == (load(catalogue.folder).recipe, len(catalogue.hotlines) + 1)
    (folder / "codes" / FILE).unlink()
    assert load(folder).hotlines == ()
