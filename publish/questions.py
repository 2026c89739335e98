"""Questions that journalists ask of a release, as SQL that runs on its mingbai.db: on the site, by `mingbai sql`, and as datasets/README.md and the data page show it.

Who left a list is asked of the past and is one of /history's (web/views.py). The text of each is here and nowhere else; that README is held against it by a test.
"""

from collections.abc import Mapping

NOTICES = "notices_by_violation_and_month"
QUESTIONS: Mapping[str, str] = {
    NOTICES: """SELECT substr(n.decided_on, 1, 7) AS month, n.violation_type, c.label_zh AS violation, count(*) AS notices, sum(n.fine_fen) / 100.0 AS fines_yuan
FROM notices n LEFT JOIN codes c ON c.table_name = 'violation_types' AND c.code = n.violation_type
GROUP BY 1, 2, 3 ORDER BY 1 DESC NULLS LAST, 4 DESC, 2 NULLS LAST""",
    # a permit is good to the end of the day, month or year that the source gives; one without an end says nothing
    "permit_over_and_still_listed": """WITH over AS MATERIALIZED (
  SELECT institution_id, max(valid_until) AS permit_until FROM permits p WHERE valid_until < date('now', '+8 hours') AND NOT EXISTS (
    SELECT 1 FROM permits o WHERE o.institution_id = p.institution_id
    AND coalesce(o.valid_until >= substr(date('now', '+8 hours'), 1, length(o.valid_until)), 1))
  GROUP BY institution_id
)
SELECT i.id, i.name, i.region_code, o.permit_until, l.authority, l.batch_label, l.as_of
FROM over o CROSS JOIN institutions i ON i.id = o.institution_id AND i.absent_since IS NULL
CROSS JOIN listings l ON l.institution_id = i.id AND l.list = 'white' AND l.absent_since IS NULL
  AND coalesce(l.valid_until >= substr(date('now', '+8 hours'), 1, length(l.valid_until)), 1)
ORDER BY o.permit_until, i.id, l.id""",
}
# on the files that lie beside a script
DUCKDB = f'''import duckdb

for table in ("notices", "codes"):
    duckdb.sql(f"CREATE VIEW {{table}} AS SELECT * FROM '{{table}}.parquet'")
print(
    duckdb.sql("""{QUESTIONS[NOTICES]}""")
)
'''
