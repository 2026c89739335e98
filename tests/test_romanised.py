"""Regions by their names in Pinyin: as the English pages show them, and as people write them."""

import time

import pytest

from publish.catalogue import Catalogue
from publish.regions import Regions
from publish.web.romanised import Romanised
from web_release import TODAY

GULOU, FUZHOU, FUJIAN, FUZHOU_JIANGXI = "350102", "350100", "350000", "361000"


@pytest.fixture(scope="module")
def latin(catalogue: Catalogue) -> Romanised:
    return Romanised(catalogue.regions, TODAY)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("Fujian, Fuzhou, Gulou", [GULOU]),  # as the English pages write it
        ("Gulou, Fuzhou, Fujian", [GULOU]),
        ("Gulou District, Fuzhou City, Fujian Province, China", [GULOU]),
        ("fuzhou gulou", [GULOU]),  # the other Fuzhou has none
        ("fuzhoushi gulouqu", [GULOU]),
        ("ＧＵＬＯＵ　fuzhou", [GULOU]),
        ("Fujian", [FUJIAN]),
        ("fujian sheng", [FUJIAN]),
        ("Fuzhou", [FUZHOU, FUZHOU_JIANGXI]),
        ("Fuzhou, Jiangxi", [FUZHOU_JIANGXI]),
        ("Jiangxi Fujian", []),
        ("Gulou Gulou", []),
        ("fuzhougulou", []),
        ("Inner Mongolia", ["150000"]),
        ("inner mongolia autonomous region", ["150000"]),
        ("Xi'an", ["220403", "231005", "610100"]),  # two districts elsewhere are called so too
        ("xi an shi", ["610100"]),
        ("Xian, Shaanxi", ["610100"]),
        ("Shaanxi", ["610000"]),
        ("Shanxi", ["140000"]),
        ("Beijing Chaoyang", ["110105"]),
        ("Lushunkou", ["210212"]),
        ("Lvshunkou", ["210212"]),
        ("Lüshunkou", ["210212"]),
        ("Xiangtan", ["430300"]),  # the city; its county has the same name, as in Chinese
        ("Xiangtan County", ["430321"]),
        ("Shan Xian", ["371722"]),
        ("Shan Xian, Heze", ["371722"]),
        ("Yanbian Prefecture", ["222400"]),
        ("China", ["000000"]),
        ("", []),
        ("District", []),
        ("福州", []),
        ("350102", []),
        ("Fuzhou 福州", []),
    ],
)
def test_a_name_in_pinyin_means_a_region(latin: Romanised, text: str, codes: list[str]) -> None:
    assert [row.code for row in latin.meanings(text)] == codes
    assert latin.code(text) == (codes[0] if len(codes) == 1 else None)


def test_every_region_is_found_as_the_english_pages_write_it(catalogue: Catalogue, latin: Romanised) -> None:
    """Alone, or among those that are written the same."""
    regions: Regions = catalogue.regions
    rows = [row for row in regions.rows() if row.valid_until is None and row.level != "country"][::7]
    for row in rows:
        above = [one.name_en for one in regions.ancestors(row.code)]
        text = ", ".join(dict.fromkeys([*above, row.name_en]))
        assert any(row.code == one.code or regions.is_within(row.code, one.code) for one in latin.meanings(text)), text


@pytest.mark.parametrize("text", ["xian " * 200, "a " * 100, "x" * 200, "shi qu xian " * 5, "chaoyang " * 16, "fuzhou gulou " * 8])
def test_whatever_is_written_is_answered_soon(latin: Romanised, text: str) -> None:
    begun = time.process_time()
    latin.meanings(text)
    assert time.process_time() - begun < 0.1
