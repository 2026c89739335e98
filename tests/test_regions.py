"""Regions: a code is right for a time, a name means one region or is refused with the candidates."""

import csv
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from publish.errors import BadDeclaration, BadValue
from publish.regions import LocalRegion, Regions

NOW = "2026-11-23"
ZONE = LocalRegion("320500L01", "苏州工业园区", "320500")


@pytest.fixture(scope="module")
def regions(root):
    return Regions.load(root / "datasets" / "codes" / "regions.csv", [ZONE])


def test_the_table_has_every_level_and_only_what_was_valid_since_2000(regions):
    current = [row for row in regions.rows() if row.valid_until is None]
    assert sum(row.level == "province" for row in current) == 34
    assert 330 <= sum(row.level == "city" for row in current) <= 345
    assert 2840 <= sum(row.level == "county" for row in current) <= 2880
    assert all(row.valid_until is None or row.valid_until >= "2000" for row in regions.rows())
    assert all(row.successors for row in regions.rows() if row.valid_until is not None)
    assert len({(row.code, row.valid_from) for row in regions.rows()}) == len(regions.rows())


@pytest.mark.parametrize(
    ("code", "name", "above"),
    [
        ("330106", "浙江省杭州市西湖区", ["330000", "330100"]),
        ("110105", "北京市朝阳区", ["110000"]),
        ("419001", "河南省济源市", ["410000"]),
        ("469001", "海南省五指山市", ["460000"]),
        ("441900", "广东省东莞市", ["440000"]),
        ("710000", "台湾省", []),
        ("810000", "香港特别行政区", []),
        ("000000", "全国", []),
        ("500157", "重庆市两江新区", ["500000"]),
        ("320500L01", "江苏省苏州市苏州工业园区", ["320000", "320500"]),
    ],
)
def test_a_region_has_a_full_name_and_what_lies_above_it(regions, code, name, above):
    assert regions.name(code, NOW) == name
    assert [row.code for row in regions.ancestors(code, NOW)] == above
    assert regions.resolve(name, NOW).code == code


def test_every_region_is_found_by_its_full_name(regions):
    for row in regions.rows():
        if row.valid_until is None:
            assert regions.resolve(regions.name(row.code, NOW), NOW) is row
        elif row.valid_from < row.valid_until:
            before = f"{int(row.valid_until) - 1}-12-31"
            assert regions.resolve(regions.name(row.code, before), before).code == row.code


@pytest.mark.parametrize(
    ("code", "day", "name"),
    [
        ("130502", "2019-12-31", "桥东区"), ("130502", "2020-12-31", "襄都区"), ("130502", None, "襄都区"), ("320613", "2019-12-31", None), ("320602", "2019-12-31", "崇川区"),
        ("320602", "2021-01-01", None), ("320602", "2020-07", "崇川区"), ("999999", None, None), ("330106", "1970-01-01", None),
    ],
)  # fmt: skip
def test_a_code_is_right_for_a_time(regions, code, day, name):
    row = regions.at(code, day)
    assert (row.name_zh if row else None) == name


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("330106", "330106"), (330106, "330106"), ("３３０１０６", "330106"), ("330106001", "330106"), ("330106000000", "330106"), ("110100", "110000"), ("320101", "320100"), ("419000", "410000"),
        ("320500l01", "320500L01"), ("320602", "320613"), ("110103", "110101"), ("469003", "460400"), ("412701", "411602"), ("330104", "330104"), ("500112", "500112"),
        ("西湖区杭州", None), ("杭州市西湖区", "330106"), ("浙江 杭州 西湖", "330106"), ("浙江省-杭州市-西湖区", "330106"), ("北京市市辖区朝阳区", "110105"), ("北京市北京市朝阳区", "110105"),
        ("河南省省直辖县级行政区划济源市", "419001"), ("恩施州", "422800"), ("景宁县", "331127"), ("苏州工业园区", "320500L01"), ("吉林市", "220200"), ("吉林", "220000"), ("湘潭", "430300"),
        ("新疆", "650000"), ("香港", "810000"), ("浦东", "310115"), ("襄樊市", "420600"), ("闸北区", "310106"), ("蓟县", "120119"), ("崇川区", "320613"), ("江干区", "330104"), ("全国", "000000"),
    ],
)  # fmt: skip
def test_a_code_or_name_means_a_region_today(regions, raw, code):
    if code is None:
        with pytest.raises(BadValue):
            regions.resolve(raw, NOW)
    else:
        assert regions.resolve(raw, NOW).code == code


def test_an_old_name_means_what_it_meant(regions):
    assert regions.resolve("崇川区", "2018-06-01").code == "320602"
    assert regions.resolve("襄樊市", "2008").name_zh == "襄樊市"
    assert regions.resolve("大同县", "2016-01-01").code == "140227"
    assert regions.resolve("130502", "2015-01-01").name_zh == "桥东区"
    assert regions.resolve("500157", "2020-01-01").code == "500157"  # a source may know a code before the list does


def test_台_and_臺_are_one_character(root):
    regions = Regions.load(root / "datasets" / "codes" / "regions.csv", [LocalRegion("710000L02", "臺北市", "710000")])
    assert regions.resolve("台北市", NOW).code == regions.resolve("臺北市", NOW).code == "710000L02"


@pytest.mark.parametrize(
    ("raw", "within", "message"),
    [
        ("西湖区", None, "浙江省杭州市西湖区 (330106), 江西省南昌市西湖区 (360103)"),
        ("市中区", "370000", "山东省济南市市中区 (370103), 山东省枣庄市市中区 (370402)"),
        ("海南", None, "海南省 (460000)"),
        ("鼓楼区", None, "江苏省南京市鼓楼区"),
        ("海曙区", "330100", "the name of a region in 浙江省杭州市"),
        ("乌有县", None, "the name of a region"),
        ("西湖区文三路1号", None, "the name of a region"),
        ("330371", None, "a code of regions.csv"),
        ("", None, "the name of a region"),
        ("市辖区", None, "the name of a region"),
    ],
)
def test_what_is_unknown_or_ambiguous_is_refused_with_candidates(regions, raw, within, message):
    with pytest.raises(BadValue, match=re.escape(message)):
        regions.resolve(raw, NOW, within)


def test_a_parent_makes_a_name_plain(regions):
    assert regions.resolve("西湖区", NOW, within="330000").code == "330106"
    assert regions.resolve("西湖区", NOW, within="360100").code == "360103"
    assert regions.resolve("浙江省杭州市西湖区", NOW, within="330100").code == "330106"
    assert regions.resolve("苏州工业园区", NOW, within="320500").code == "320500L01"
    assert regions.resolve("杭州市西湖区", NOW, within="000000").code == "330106"


def test_a_code_that_ended_leads_to_what_took_its_place(regions):
    def heirs(code):
        return [row.code for row in regions.successors(code)]

    assert heirs("330104") == ["330102", "330114"]  # 江干区 was split
    assert heirs("152700") == ["150600"]  # 伊克昭盟 is 鄂尔多斯市
    assert heirs("362321") == ["361104"]  # 上饶县, by way of 361121
    assert heirs("330106") == heirs("999999") == []


@given(
    raw=st.one_of(
        st.text(alphabet="浙江省杭州市西湖区北京朝阳0123456789L全国县-", max_size=30),
        st.text(),
        st.integers(),
        st.floats(),
        st.none(),
        st.lists(st.text()),
    )
)
def test_a_region_is_found_or_a_bad_value(regions, raw):
    try:
        row = regions.resolve(raw, NOW)
    except BadValue:
        return
    assert regions.at(row.code) is not None


@pytest.mark.parametrize("raw", ["西湖区" * 3_000_000, "1" * 10_000_000, 10**5000], ids=["names", "digits", "number"])
def test_a_monstrous_region_is_a_bad_value(regions, raw):
    with pytest.raises(BadValue):
        regions.resolve(raw, NOW)


def test_a_name_is_unique_in_a_county_and_in_a_city_without_counties(regions):
    codes = regions.county_codes()
    assert {"330106", "441900", "419001", "320500L01"} <= codes
    assert not {"330100", "330000", "000000"} & codes


# Readings that a dictionary gets wrong, by their usual names.
READINGS = {
    "厦门市": "Xiamen", "重庆市": "Chongqing", "六安市": "Lu'an", "番禺区": "Panyu", "蚌埠市": "Bengbu", "乐清市": "Yueqing", "单县": "Shan Xian", "浚县": "Xun Xian", "莘县": "Shen Xian",
    "铅山县": "Yanshan", "涡阳县": "Guoyang", "东阿县": "Dong'e", "台州市": "Taizhou", "亳州市": "Bozhou", "丽水市": "Lishui", "大埔县": "Dabu", "尉犁县": "Yuli", "黄陂区": "Huangpi",
    "长治市": "Changzhi", "长子县": "Zhangzi", "漯河市": "Luohe", "朝阳市": "Chaoyang", "蔚县": "Yu Xian", "荥阳市": "Xingyang", "荥经县": "Yingjing", "洪洞县": "Hongtong", "六合区": "Luhe",
    "成都市": "Chengdu", "乐亭县": "Laoting", "繁峙县": "Fanshi", "筠连县": "Junlian", "牟平区": "Muping", "中牟县": "Zhongmu", "龙圩区": "Longxu", "阿勒泰地区": "Aletai", "喀什市": "Kashi",
    "陕西省": "Shaanxi", "山西省": "Shanxi", "西安市": "Xi'an", "吕梁市": "Lüliang", "察哈尔右翼前旗": "Chaha'er Youyi Qianqi", "宁夏回族自治区": "Ningxia", "浦东新区": "Pudong Xinqu",
    "景宁畲族自治县": "Jingning", "瀍河回族区": "Chanhe Huizu", "香港特别行政区": "Hong Kong", "马尾区": "Mawei", "万柏林区": "Wanbailin", "什邡市": "Shifang", "佛山市": "Foshan",
}  # fmt: skip


@pytest.mark.parametrize("name", READINGS)
def test_a_place_is_read_as_it_is_called(regions, name):
    assert {row.name_en for row in regions.rows() if row.name_zh == name} == {READINGS[name]}


@pytest.mark.parametrize(
    "zone",
    [
        LocalRegion("320500X01", "园区", "320500"),
        LocalRegion("320500L01", "园区", "320400"),
        LocalRegion("999999L01", "园区", "999999"),
        LocalRegion("320500L01", " ", "320500"),
    ],
    ids=lambda zone: f"{zone.code} {zone.parent}",
)
def test_a_local_region_hangs_on_its_parents_code(root, zone):
    with pytest.raises(BadDeclaration, match=f"local region {zone.code}"):
        Regions.load(root / "datasets" / "codes" / "regions.csv", [zone])


def test_two_sources_may_declare_one_zone_but_not_two_names_for_it(root):
    path = root / "datasets" / "codes" / "regions.csv"
    assert Regions.load(path, [ZONE, ZONE]).at(ZONE.code)
    with pytest.raises(BadDeclaration, match="is both 苏州工业园区 and 另一园区"):
        Regions.load(path, [ZONE, LocalRegion(ZONE.code, "另一园区", ZONE.parent)])


HEAD = "code,valid_from,valid_until,name_zh,name_en,level,parent_code,successor_codes\n"
COUNTRY = "000000,1980,,全国,China,country,,\n"


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("code,name\n", "regions.csv:1: the header"),
        (HEAD + COUNTRY + "33,1980,,浙江省,Zhejiang,province,000000,\n", "regions.csv:3: code '33' is not six digits"),
        (HEAD + COUNTRY + "330000,,,浙江省,Zhejiang,province,000000,\n", "regions.csv:3: '' to ''"),
        (HEAD + COUNTRY + "330000,2000,1999,浙江省,Zhejiang,province,000000,\n", "regions.csv:3: ends in 1999"),
        (HEAD + COUNTRY + "330000,1980,,浙江省,Zhejiang,state,000000,\n", "regions.csv:3: level 'state'"),
        (HEAD + COUNTRY + "330000,1980,,浙江省,,province,000000,\n", "regions.csv:3: 330000 lacks a name"),
        (HEAD + COUNTRY + "330000,1980,,浙江省,Zhejiang,province,,\n", "regions.csv:3: 330000 lacks a parent"),
        (HEAD + COUNTRY + "330000,1980,,浙江省,Zhejiang,province,100000,\n", "regions.csv:3: '100000' is not a code"),
        (HEAD + COUNTRY + "330000,1980,1990,浙江省,Zhejiang,province,000000,340000\n", "regions.csv:3: '340000' is not a code"),
        (HEAD + COUNTRY + COUNTRY, "regions.csv:3: 000000 from 1980 is given twice"),
    ],
)
def test_a_wrong_table_is_refused_with_file_and_line(tmp_path, body, complaint):
    path = tmp_path / "regions.csv"
    path.write_text(body, encoding="utf-8")
    with pytest.raises(BadDeclaration) as error:
        Regions.load(path)
    assert str(error.value).startswith(complaint)


@pytest.mark.real
def test_the_table_agrees_with_another_list_of_2023(regions, real_data):
    folder, listed = real_data / "regions", {}
    for file, zeros in (("provinces.csv", "0000"), ("cities.csv", "00"), ("areas.csv", "")):
        with (folder / file).open(encoding="utf-8", newline="") as lines:
            listed |= {row["code"] + zeros: row["name"] for row in csv.DictReader(lines)}
    ours = {row.code: row.name_zh for row in regions.rows() if row.is_valid("2023-06-30") and row.valid_until is None}
    ours |= {row.code: row.name_zh for row in regions.rows() if row.is_valid("2023-06-30") and (row.valid_until or "") > "2023"}
    differ = {code for code in ours.keys() & listed.keys() if ours[code] != listed[code]}
    assert not differ
    assert ours.keys() - listed.keys() == {"000000", "710000", "810000", "820000", ZONE.code}
    # What only the other has are groups of counties, statistical zones (a 7 in fifth place), and islands and a committee that are no counties.
    assert {code for code in listed.keys() - ours.keys() if code[4] != "7" and listed[code] not in ("市辖区", "县")} == {
        "419000", "429000", "469000", "659000", "460321", "460322", "460323", "620201", "632857",
    }  # fmt: skip
