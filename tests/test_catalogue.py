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
            "batch: full_snapshot",
            "batch: full",
            "platform.yml: batch: 'full' is none of full_snapshot, incremental, cumulative",
        ),
        ("sources/platform.yml", "key: [orgId]", "key: []", "listings.institutions.key: is empty"),
        ("sources/platform.yml", "interval_days: 1", "interval_days: daily", "interval_days: 'daily' is not a whole number"),
        ("codes/lists.csv", "white,", "white,", ""),
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
