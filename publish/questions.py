"""Questions that journalists ask of a release, as SQL that runs on its mingbai.db: on the site, by `mingbai sql`, and as the README and the data page show it.

Who left a list is asked of the past and is one of /history's (web/views.py). The text of each is here and nowhere else; the README is held against it by a test.
"""

from collections.abc import Mapping

NOTICES = "notices_by_violation_and_month"
QUESTIONS: Mapping[str, str] = {
    NOTICES: """SELECT substr(n.decided_on, 1, 7) AS month, n.violation_type, c.label_zh AS violation, count(*) AS notices, sum(n.fine_fen) / 100.0 AS fines_yuan
FROM notices n LEFT JOIN codes c ON c.table_name = 'violation_types' AND c.code = n.violation_type
GROUP BY 1, 2, 3 ORDER BY 1 DESC NULLS LAST, 4 DESC, 2 NULLS LAST""",
    # a permit is good to the end of the day, month or year that the source gives; one without an end says nothing
    "permit_over_and_still_listed": """WITH today AS (SELECT date('now', '+8 hours') AS day)
SELECT i.id, i.name, i.region_code, max(p.valid_until) AS permit_until, l.authority, l.batch_label, l.as_of
FROM today JOIN institutions i ON i.absent_since IS NULL
JOIN listings l ON l.institution_id = i.id AND l.list = 'white' AND l.absent_since IS NULL
  AND coalesce(l.valid_until >= substr(day, 1, length(l.valid_until)), 1)
JOIN permits p ON p.institution_id = i.id
GROUP BY i.id, l.id
HAVING count(*) = count(p.valid_until) AND max(p.valid_until >= substr(day, 1, length(p.valid_until))) = 0
ORDER BY permit_until, i.id, l.id""",
}
# on the files that lie beside a script
DUCKDB = f'''import duckdb

for table in ("notices", "codes"):
    duckdb.sql(f"CREATE VIEW {{table}} AS SELECT * FROM '{{table}}.parquet'")
print(duckdb.sql("""{QUESTIONS[NOTICES]}"""))
'''
