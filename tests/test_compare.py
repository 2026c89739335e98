"""How two names differ: place, brand and kind, down to the character, and never that they are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search import compact
from search.compare import BRAND, KIND, PLACE, Difference, differences, near, parts

PLACES = frozenset({"福州", "厦门", "北京", "福建"})


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("福州市鼓楼区甜果培训中心有限公司", ("福州市鼓楼区", "甜果", "培训中心有限公司")),
        ("厦门同学汇艺术培训中心", ("厦门", "同学汇", "艺术培训中心")),
        ("新东方（朝阳）培训学校", ("", "新东方朝阳", "培训学校")),
        ("甜果", ("", "甜果", "")),
        ("培训中心", ("", "培训中心", "")),
        ("福州市", ("", "福州市", "")),
        ("福州市艺术培训中心", ("福州市", "艺术培训中心", "")),
        ("", ("", "", "")),
    ],
)
def test_a_name_is_place_brand_and_kind(name, found):
    assert parts(name, PLACES) == found


@pytest.mark.parametrize(
    ("asked", "found", "said"),
    [
        ("福州市鼓楼区甜果培训中心", "福州市鼓楼区甜梨培训中心", (Difference(BRAND, "果", "梨"),)),
        ("福州市鼓楼区甜果培训中心", "福州市台江区甜果培训中心", (Difference(PLACE, "福州市鼓楼区", "福州市台江区"),)),
        ("甜果", "福州甜果培训中心", (Difference(PLACE, "", "福州"), Difference(KIND, "", "培训中心"))),
        ("甜果培训学校", "甜果培训中心", (Difference(KIND, "学校", "中心"),)),
        ("晨星培训学校", "甜果培训学校", (Difference(BRAND, "晨星", "甜果"),)),
        ("甜果(鼓樓)", "甜果（鼓楼）", ()),
    ],
)
def test_a_difference_names_the_part_and_the_characters(asked, found, said):
    assert differences(asked, found, PLACES) == said


@pytest.mark.parametrize(
    ("asked", "found", "is_near"),
    [
        ("甜果", "福州市鼓楼区甜果培训中心有限公司", True),  # half a name
        ("福州甜果培训中心", "厦门甜果培训中心", True),  # another city
        ("福州市鼓楼区甜果培训中心", "福州市鼓楼区甜梨培训中心", True),  # one character of the brand
        ("福州市鼓楼区果甜培训中心", "福州市鼓楼区甜果培训中心", True),  # two that changed places
        ("福州市鼓楼区甜果培训中心", "福州市鼓楼区晨星培训中心", False),  # same district, same kind, another brand
        ("艺术培训中心", "厦门同学汇艺术培训中心", True),  # what anybody has is half a name too
        ("甜", "甜果培训中心", False),
        ("", "甜果培训中心", False),
    ],
)
def test_near_is_what_may_be_meant(asked, found, is_near):
    assert near(asked, found, PLACES) is is_near


@given(st.text(max_size=40), st.text(max_size=40))
def test_only_what_is_equal_as_folded_has_no_difference(asked, found):
    assert (differences(asked, found, PLACES) == ()) == (compact(asked) == compact(found))
    assert "".join(parts(asked, PLACES)) == compact(asked)
    near(asked, found, PLACES)


def test_endless_names_are_compared_by_their_beginning():
    assert differences("甜" * 100_000, "甜" * 100_001) != ()
    assert near("甜果" * 50_000, "甜果" * 60_000)
