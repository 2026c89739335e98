"""Say which institution a notice is about, with the method and how sure it is. Never by a name alone (rule 9).

The ways, best first: the credit code, if one institution has it; the permit number, likewise; the exact name, if one institution in the
same county bears it. What one way finds must not be contradicted: two ways that name two institutions, or a credit code that is not the
institution's, make no link. What is not linked reads 未能核对主体. Nothing is guessed from similar names: a real register has 213 duplicate
names in 17,500 schools.
"""

from .tables import Working
from .telling import name_key, tells_apart

CONFIDENCE = {"credit_code": 1.0, "permit_no": 1.0, "exact_name_in_county": 0.9}
OTHER_NAME = 0.8  # the number is the institution's and the name neither its own nor one of its aliases: a rename, or a number mistyped

# Each way gives (notice, institution); a number that several institutions have gives several and so decides nothing by itself.
FOUND = """
CREATE TEMP TABLE found AS
SELECT n.id AS notice, i.id AS institution, 'credit_code' AS method FROM notices n JOIN institutions i ON i.credit_code = n.subject_credit_code
WHERE n.subject_kind = 'organisation'
UNION SELECT n.id, p.institution_id, 'permit_no' FROM notices n JOIN permits p ON p.permit_no = n.subject_permit_no
WHERE n.subject_kind = 'organisation' AND tells_apart(n.subject_permit_no)
UNION SELECT n.id, k.id, 'exact_name_in_county' FROM notices n JOIN temp.name_keys k ON k.name = name_key(n.subject_name) AND k.region = n.region_code
WHERE n.subject_kind = 'organisation' AND n.region_code IN (SELECT code FROM temp.counties)
  AND NOT EXISTS (SELECT 1 FROM temp.name_keys o WHERE o.name = k.name AND (o.region IS NULL OR o.region NOT IN (SELECT code FROM temp.counties)))
"""
# in each source one institution by every way that found any; its code, where both have one, is the notice's
LINKS = """
INSERT INTO notice_links SELECT f.notice, min(f.institution),
  CASE WHEN max(f.method = 'credit_code') THEN 'credit_code' WHEN max(f.method = 'permit_no') THEN 'permit_no' ELSE 'exact_name_in_county' END, 0.0 FROM temp.found f JOIN notices n ON n.id = f.notice
JOIN institutions i ON i.id = f.institution GROUP BY f.notice, i.source_id
HAVING count(DISTINCT f.institution) = 1 AND (max(n.subject_credit_code) IS NULL OR max(i.credit_code) IS NULL OR max(n.subject_credit_code) = max(i.credit_code))
ORDER BY f.notice, 2
"""
CONTRADICTED = """
DELETE FROM notice_links WHERE method <> 'credit_code' AND EXISTS (
  SELECT 1 FROM temp.found f CROSS JOIN institutions j ON j.id = f.institution WHERE f.notice = notice_links.notice_id AND f.method = 'credit_code'
  AND j.id <> notice_links.institution_id AND j.source_id = (SELECT source_id FROM institutions WHERE id = notice_links.institution_id))
"""
SURE = """
UPDATE notice_links SET confidence = CASE WHEN method = 'exact_name_in_county' OR EXISTS (
  SELECT 1 FROM notices n JOIN institutions i ON i.id = notice_links.institution_id WHERE n.id = notice_links.notice_id AND (
    name_key(i.name) = name_key(n.subject_name)
    OR EXISTS (SELECT 1 FROM institution_aliases a WHERE a.institution_id = i.id AND name_key(a.name) = name_key(n.subject_name))))
  THEN :sure ELSE :other END WHERE method = :method
"""


def link(connection: Working, county_codes: set[str]) -> None:
    """Fill notice_links of the assembled public tables. `county_codes` are the regions small enough for a name to be unique in.

    Only a subject that is an organisation is linked; who is or could be a natural person is not.
    """
    connection.teach(name_key)
    connection.teach(tells_apart)
    connection.execute("CREATE TEMP TABLE counties (code TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.executemany("INSERT INTO counties VALUES (?)", [(code,) for code in sorted(county_codes)])
    connection.execute("CREATE TEMP TABLE name_keys AS SELECT name_key(name) AS name, region_code AS region, id FROM institutions")
    connection.execute("CREATE INDEX temp.name_keys_by_name ON name_keys (name, region)")
    connection.execute(FOUND)
    connection.execute("CREATE INDEX temp.found_by_notice ON found (notice)")
    connection.execute(LINKS)
    connection.execute(CONTRADICTED)
    for method, sure in CONFIDENCE.items():
        connection.execute(SURE, {"method": method, "sure": sure, "other": OTHER_NAME})
    for table in ("found", "name_keys", "counties"):
        connection.execute(f"DROP TABLE temp.{table}")
