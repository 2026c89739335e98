"""The declarations: what is there holds together, and what is wrong is refused before anything is fetched, naming file and key."""

import shutil
from pathlib import Path

import pytest

from publish.catalogue import load
from publish.errors import BadDeclaration
from publish.metadata import metadata_text

COLUMN = "{kind: text, privacy: public, rule: given, label: {zh: 备注, en: Note}, about: {zh: 备注。, en: A note.}}"
PHONE = "phone: {kind: text, privacy: private,"


@pytest.fixture
def folder(tmp_path: Path, root: Path) -> Path:
    return Path(shutil.copytree(root / "datasets", tmp_path / "datasets"))


def test_metadata_yml_is_what_the_declarations_say(root: Path) -> None:
    assert (root / "metadata.yml").read_text(encoding="utf-8") == metadata_text(load()), "run: mingbai metadata --write metadata.yml"


@pytest.mark.parametrize(
    ("file", "old", "new", "complaint"),
    [
        (
            "institutions.yml",
            PHONE,
            "phone: {kind: text, privacy: privte,",
            "institutions.yml: tables.institutions.columns.phone.privacy: 'privte' is none of public, masked, private",
        ),
        (
            "institutions.yml",
            PHONE,
            "phone: {kind: txt, privacy: private,",
            "institutions.yml: tables.institutions.columns.phone.kind: 'txt' is none of",
        ),
        ("institutions.yml", PHONE, "phone: {knd: text, kind: text, privacy: private,", "columns.phone.knd: is not a key here"),
        ("institutions.yml", PHONE, "phone: {privacy: private,", "columns.phone.kind: is missing"),
        ("institutions.yml", PHONE, "name: {kind: text, privacy: private,", "key 'name' is given twice"),
        ("institutions.yml", PHONE, "phone: {kind: text, search: 3, privacy: private,", "must not find what they may not see"),
        ("institutions.yml", "dataset: institutions", "dataset: institution", "differs from the file's name"),
        (
            "institutions.yml",
            "key: [institution_id, permit_no]",
            "key: [institution_id, permit]",
            "tables.permits.key: 'permit' is not one of its columns",
        ),
        ("institutions.yml", "parent: institutions", "parent: notices", "parent: 'notices' is no table that a column of it refers to"),
        (
            "listings.yml",
            "ref: institutions",
            "ref: institution",
            "listings.yml: tables.listings.columns.institution_id.ref: 'institution' is no table",
        ),
        ("listings.yml", "codes: lists", "codes: list", "columns.list.codes: 'list' is none of"),
        (
            "sources/platform.yml",
            "orgName: name",
            "orgName: nmae",
            "platform.yml: listings.institutions.fields.orgName: 'nmae' is no column; expected one of id, name",
        ),
        ("sources/platform.yml", "orgName: name", "orgName: id", "'id' is assigned by us and cannot be mapped"),
        ("sources/platform.yml", "      orgName: name\n", "", "nothing gives the required column institutions.name"),
        ("sources/platform.yml", ", unit: wanyuan", "", "money needs `unit`"),
        (
            "sources/platform.yml",
            "optional: [formerOrgs]",
            "optional: [orgName]",
            "institutions.optional: 'orgName' is no mapped field with rows",
        ),
        (
            "sources/platform.yml",
            "optional: [formerOrgs]",
            "optional: [former]",
            "institutions.optional: 'former' is no mapped field with rows",
        ),
        (
            "sources/platform.yml",
            "batch: full_snapshot",
            "batch: full",
            "platform.yml: batch: 'full' is none of full_snapshot, incremental, cumulative",
        ),
        ("sources/platform.yml", "key: [orgId]", "key: []", "listings.institutions.key: is empty"),
        ("sources/platform.yml", "interval_days: 1", "interval_days: daily", "interval_days: 'daily' is not a whole number"),
        ("codes/lists.csv", "white,", "white,", ""),
        (
            "institutions.yml",
            "partition_lost: 0.2",
            "partition_lots: 0.2",
            "institutions.yml: bounds.institutions.partition_lots: is not a key here",
        ),
        (
            "institutions.yml",
            "partition_lost: 0.2",
            "partition_lost: 20",
            "bounds.institutions.partition_lost: 20 is out of its range; expected a number from 0 to 1",
        ),
        ("institutions.yml", "partition_lost: 0.2", "partition_lost: -0.2", "bounds.institutions.partition_lost: -0.2 is out of its range"),
        ("institutions.yml", "partition_lost: 0.2", "partition_lost: .nan", "bounds.institutions.partition_lost: nan is out of its range"),
        (
            "institutions.yml",
            "partition_lost: 0.2",
            "partition_lost: a fifth",
            "bounds.institutions.partition_lost: 'a fifth' is not a number",
        ),
        ("institutions.yml", "free: [updated_on]", "free: [updated]", "bounds.institutions.free: 'updated' is none of its columns"),
        ("institutions.yml", "  permits: {total_lost", "  notices: {total_lost", "institutions.yml: bounds.notices: is not a key here"),
        (
            "listings.yml",
            "  listings: {total_lost: 0.05",
            "  listing: {total_lost: 0.05",
            "listings.yml: bounds.listing: is not a key here",
        ),
        ("ratings.yml", "bounds:\n  ratings: {total_lost: 0.05, ", "bounds: {}\nx: {", "ratings.yml"),
        (
            "sources/platform.yml",
            "interval_days: 1",
            "interval_days: 1\nbounds: {total_lost: 0.5}",
            "platform.yml: bounds.total_lost: is not a key here",
        ),
        (
            "sources/platform.yml",
            "interval_days: 1",
            "interval_days: 1\nbounds: {sources: {total_lost: 0.5}}",
            "platform.yml: bounds.sources: is not a key here",
        ),
        (
            "sources/platform.yml",
            "interval_days: 1",
            "interval_days: 1\nbounds: {notices: {lost: 0.5}}",
            "platform.yml: bounds.notices.lost: is not a key here",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_naming_file_and_key(folder: Path, file: str, old: str, new: str, complaint: str) -> None:
    path = folder / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    if not complaint:
        path.write_text(text.splitlines()[0] + "\n" + text.splitlines()[1] + "\n" + text.splitlines()[1] + "\n", encoding="utf-8")
        complaint = "lists.csv"
    else:
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(BadDeclaration) as caught:
        load(folder)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bounds_of_a_source_stand_before_those_of_its_dataset_and_parts_go_by_their_main_table(folder: Path) -> None:
    path = folder / "sources" / "platform.yml"
    path.write_text(path.read_text(encoding="utf-8") + "bounds: {notices: {partition_lost: 0.9, free: [facts]}}\n", encoding="utf-8")
    catalogue = load(folder)
    notices, permits = catalogue.bounds("platform", "notices"), catalogue.bounds("platform", "permits")
    assert (notices.allowed["partition_lost"], notices.allowed["total_lost"], notices.free) == (0.9, 0.05, {"facts"})
    assert (permits.allowed["total_lost"], permits.allowed["partition_lost"]) == (0.2, 0.2)
    assert not catalogue.bounds("platform", "regions").allowed


def test_a_change_of_bounds_or_of_a_comment_leaves_the_recipe_and_one_of_a_mapping_does_not(folder: Path) -> None:
    before = load(folder).recipe
    for file, old, new, same in (
        ("institutions.yml", "partition_lost: 0.2", "partition_lost: 0.3", True),
        ("sources/platform.yml", "interval_days: 1\n", "interval_days: 1  # daily\nbounds: {notices: {total_lost: 0.2}}\n", True),
        ("sources/platform.yml", "orgName: name", "brandName: name", False),
        ("codes/lists.csv", "白|合规名单", "白|合规的名单", False),
    ):
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        assert (load(folder).recipe == before) == same, file


def test_a_yaml_bomb_is_refused(folder: Path) -> None:
    (folder / "bomb.yml").write_text("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n")
    with pytest.raises(BadDeclaration, match=r"bomb\.yml: has an alias"):
        load(folder)


def test_a_dataset_is_added_with_one_file(folder: Path) -> None:
    text = f"""dataset: remarks
label: {{zh: 备注, en: Remarks}}
about: {{zh: 备注。, en: Remarks.}}
tables:
  remarks:
    prefix: r
    key: [id]
    label: {{zh: 备注, en: Remarks}}
    columns:
      id: {{kind: id, privacy: public, rule: assigned, label: {{zh: 编号, en: ID}}, about: {{zh: 编号。, en: Our ID.}}}}
      note: {COLUMN}
"""
    (folder / "remarks.yml").write_text(text, encoding="utf-8")
    catalogue = load(folder)
    assert [column.name for column in catalogue.tables["remarks"].published] == ["id", "note"]
    assert catalogue.recipe != load().recipe
    assert "remarks" in metadata_text(catalogue)


def test_every_published_text_column_says_what_it_holds_in_both_languages() -> None:
    for table in load().tables.values():
        for column in table.columns.values():
            assert any("\u4e00" <= character <= "\u9fff" for character in column.label.zh + column.about.zh), (table.name, column.name)
            assert not any("\u4e00" <= character <= "\u9fff" for character in column.label.en), (table.name, column.name)


def test_an_unknown_source_names_those_that_exist() -> None:
    with pytest.raises(BadDeclaration, match="declared: platform"):
        load().source("nowhere")
