"""Say which institution a notice is about, with the method and how sure it is. Never by a name alone (rule 9).

The ways, best first: the credit code, if one institution has it; the permit number, likewise; the exact name, if one institution in the
same county bears it. What none of them finds stays unlinked and reads 未能核对主体. Nothing is guessed from similar names: a real register
has 213 duplicate names in 17,500 schools.
"""

import re
import sqlite3
import unicodedata

CONFIDENCE = {"credit_code": 1.0, "permit_no": 1.0, "exact_name_in_county": 0.9}
OTHER_NAME = 0.8  # the number is the institution's and the name neither its own nor one of its aliases: a rename, or a number mistyped
_NOISE = re.compile(r"[\s\u200b-\u200f\ufeff·•‧・'\"“”‘’《》〈〉()（）\[\]【】]+")


def name_key(name: str | None) -> str | None:
    """A name for exact comparison: width, case, spaces, brackets and middle dots do not count, every other character does."""
    if name is None:
        return None
    return _NOISE.sub("", unicodedata.normalize("NFKC", name)).casefold() or None


BY_CODE = """
INSERT INTO notice_links SELECT n.id, min(i.id), 'credit_code', :confidence FROM notices n JOIN institutions i ON i.credit_code = n.subject_credit_code
WHERE n.subject_credit_code IS NOT NULL GROUP BY n.id HAVING count(*) = 1 ORDER BY n.id
"""
BY_PERMIT = """
INSERT INTO notice_links SELECT n.id, min(p.institution_id), 'permit_no', :confidence FROM notices n JOIN permits p ON p.permit_no = n.subject_permit_no
WHERE n.id NOT IN (SELECT notice_id FROM notice_links) GROUP BY n.id HAVING count(DISTINCT p.institution_id) = 1 ORDER BY n.id
"""
DOUBT = """
UPDATE notice_links SET confidence = :confidence WHERE NOT EXISTS (
  SELECT 1 FROM notices n JOIN institutions i ON i.id = notice_links.institution_id WHERE n.id = notice_links.notice_id AND (
    name_key(i.name) = name_key(n.subject_name)
    OR EXISTS (SELECT 1 FROM institution_aliases a WHERE a.institution_id = i.id AND name_key(a.name) = name_key(n.subject_name))))
"""
# a notice whose code is another institution's, or differs from the one that its namesake has, is not linked by name: they contradict
BY_NAME = """
INSERT INTO notice_links SELECT f.notice, f.institution, 'exact_name_in_county', :confidence FROM (
  SELECT n.id AS notice, max(n.subject_credit_code) AS code, min(k.id) AS institution FROM notices n
  JOIN temp.name_keys k ON k.name = name_key(n.subject_name) AND k.region = n.region_code
  WHERE n.subject_kind <> 'person' AND n.id NOT IN (SELECT notice_id FROM notice_links) GROUP BY n.id HAVING count(DISTINCT k.id) = 1
) f JOIN institutions i ON i.id = f.institution
WHERE f.code IS NULL OR (i.credit_code IS NULL AND NOT EXISTS (SELECT 1 FROM institutions j WHERE j.credit_code = f.code)) ORDER BY f.notice
"""


def link(connection: sqlite3.Connection, county_codes: set[str]) -> None:
    """Fill notice_links of the assembled public tables. `county_codes` are the regions small enough for a name to be unique in."""
    connection.create_function("name_key", 1, name_key, deterministic=True)
    connection.execute(BY_CODE, {"confidence": CONFIDENCE["credit_code"]})
    connection.execute(BY_PERMIT, {"confidence": CONFIDENCE["permit_no"]})
    connection.execute(DOUBT, {"confidence": OTHER_NAME})
    connection.execute("CREATE TEMP TABLE name_keys (name TEXT, region TEXT, id TEXT)")
    connection.executemany(
        "INSERT INTO name_keys VALUES (?,?,?)",
        (
            (name_key(name), region, identifier)
            for identifier, name, region in connection.execute("SELECT id, name, region_code FROM institutions").fetchall()
            if region in county_codes
        ),
    )
    connection.execute("CREATE INDEX temp.name_keys_by_name ON name_keys (name, region)")
    connection.execute(BY_NAME, {"confidence": CONFIDENCE["exact_name_in_county"]})
    connection.execute("DROP TABLE temp.name_keys")
