"""The SQL of our own pages. ?1 is what is asked for (an id, or a JSON array of ids), ?2 the day in China, ?3 how many at most.

What several queries say is written once: $in_force above all, so that no page can forget that a notice ends.
"""

from ..rules import ENDS, HARMLESS, SHOWN_STATES

# terms.in_force says the same of one row: a day, month or year that has not wholly passed, and a state that may be shown (rule 5). Neither the state nor
# the kind of subject is to be looked up by its index (+): nearly all notices have the same, and for those of one place or of ten ids all were read (20 ms)
IN_FORCE = f"n.public_until >= substr(?2, 1, length(n.public_until)) AND +n.state IN ({', '.join(repr(state) for state in SHOWN_STATES)})"
# and that anybody may come upon: one about a natural person, or about who could be one, is found by the number of its decision alone (rule 8)
FOUND = f"{IN_FORCE} AND +n.subject_kind = 'organisation'"
# a listing that may hurt has an end too, and one of a list that we do not know is not shown
LISTED = f"(l.list IN ({', '.join(map(repr, HARMLESS))}) OR {ENDS['listings'].replace('s.', 'l.')} >= ?2)"
_PARTS = {
    "$in_force": IN_FORCE,
    "$found": FOUND,
    "$listed": LISTED,
    "$ids": "(SELECT value FROM json_each(?1))",
    "$notice": """$replies, n.id, n.kind, n.title, n.subject_name, n.subject_kind, n.region_code, n.region_text, n.authority, n.violation_type, n.decided_on,
        n.published_on, n.public_until, n.seriousness, n.state, n.source_id, n.fine_fen, n.fine_text, n.confiscated_fen, n.confiscated_text""",
    "$replies": """(SELECT count(*) FROM notice_statements a WHERE a.notice_id = n.id AND a.kind = 'reply') AS replies,
        (SELECT count(*) FROM notice_statements a WHERE a.notice_id = n.id AND a.kind = 'correction') AS corrections""",
    "$black": "n.kind = 'blacklist' OR EXISTS (SELECT 1 FROM notice_measures m WHERE m.notice_id = n.id AND m.measure_code = 'blacklisted') AS is_blacklisting",
    "$revoking": "EXISTS (SELECT 1 FROM notice_penalties p WHERE p.notice_id = n.id AND p.penalty_code = 'revoke_permit') AS is_revoking",
    "$linked": "(SELECT count(*) FROM notice_links k WHERE k.notice_id = n.id) AS links",
    "$document": "d.title AS document_title, d.url AS document_url, COALESCE(d.as_of, s.as_of) AS document_as_of, s.label_zh AS source_zh, s.label_en AS source_en",
    "$from": "LEFT JOIN documents d ON d.id = x.document_id LEFT JOIN sources s ON s.id = x.source_id",
}


def _sql(text: str, row: str = "x") -> str:
    for name, part in _PARTS.items():
        text = text.replace(name, part.replace("x.", f"{row}.") if name == "$from" else part)
    return text


NAMES = _sql("SELECT id, name, region_code, region_text FROM institutions WHERE id IN $ids")
CARD_PARTS = {  # of a card, each an array of rows: its columns, and the rows in their order
    "listings": (
        "id, list, subject_name, authority, batch_label, as_of, listed_on, valid_until, absent_since, source_id, region_code, region_text",
        _sql(
            """SELECT l.id, l.list, l.subject_name, l.authority, l.batch_label, COALESCE(l.as_of, d.as_of, s.as_of) AS as_of, l.listed_on, l.valid_until, l.absent_since,
            l.source_id, l.region_code, l.region_text
            FROM listings l $from WHERE l.institution_id = i.id AND $listed ORDER BY COALESCE(l.as_of, d.as_of, s.as_of) DESC, l.id""",
            "l",
        ),
    ),
    "notices_in_force": (
        "id, kind, decided_on, public_until, state, replies, corrections, is_blacklisting, is_revoking",
        _sql(
            """SELECT n.id, n.kind, n.decided_on, n.public_until, n.state, $replies, $black, $revoking FROM notice_links k JOIN notices n ON n.id = k.notice_id
            WHERE k.institution_id = i.id AND $in_force ORDER BY n.decided_on DESC, n.id"""
        ),
    ),
    "permits": (
        "permit_no, issuer, valid_from, valid_until",
        "SELECT * FROM permits p WHERE p.institution_id = i.id ORDER BY valid_until DESC, permit_no",
    ),
    "fund_supervision": ("mode, bank, since", "SELECT * FROM fund_supervision f WHERE f.institution_id = i.id ORDER BY mode"),
}
# one question for all that a card has: asked part by part it took twice the time
CARDS = """SELECT i.id, i.name, i.credit_code, i.region_code, i.region_text, i.address, i.status, i.absent_since, i.source_id, $parts FROM institutions i
    WHERE i.id IN (SELECT value FROM json_each(?1))""".replace(
    "$parts",
    ", ".join(
        "(SELECT json_group_array(json_array($columns)) FROM ($rows)) AS $name".replace("$columns", columns)
        .replace("$rows", rows)
        .replace("$name", name)
        for name, (columns, rows) in CARD_PARTS.items()
    ),
)

NOTICE_CARDS = _sql("SELECT $notice, $linked FROM notices n WHERE n.id IN $ids AND $in_force")
NEWEST = _sql(
    "SELECT $notice, $linked FROM notices n WHERE ?1 = '' AND $found ORDER BY COALESCE(n.published_on, n.decided_on) DESC, n.id LIMIT ?3"
)
# an organisation's name only: that of a person is masked and fits anybody
UNMATCHED = _sql(
    """SELECT n.id, n.kind, n.title, n.subject_name, n.region_code, n.decided_on, n.public_until, n.state, $replies, $black FROM notices n WHERE ?1 = '' AND $found
    AND n.subject_name IS NOT NULL AND n.region_code IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM notice_links k WHERE k.notice_id = n.id) ORDER BY n.decided_on DESC, n.id"""
)
# those that name an organisation by what tells it apart, whether linked or not
NAMING = _sql(
    """SELECT n.id, n.kind, n.title, n.subject_name, n.subject_credit_code, n.subject_permit_no, n.region_code, n.decided_on, n.public_until, n.state, $replies, $black
    FROM notices n WHERE ?1 = '' AND $found ORDER BY n.decided_on DESC, n.id"""
)
COUNT_FOUND = _sql("SELECT count(*) AS n FROM notices n WHERE ?1 = '' AND $found")
PROVINCES = """SELECT substr(region_code, 1, 2) || '0000' AS code, count(*) AS institutions FROM institutions
    WHERE region_code IS NOT NULL GROUP BY 1 ORDER BY 1"""
OF_CLASSES = "SELECT class_code AS code, count(*) AS institutions FROM institution_classes GROUP BY 1 ORDER BY 1"

INSTITUTION = _sql("SELECT i.*, $document FROM institutions i $from WHERE i.id = ?1", "i")
ALIASES = "SELECT name, kind FROM institution_aliases WHERE institution_id = ?1 ORDER BY name"
SITES = "SELECT * FROM institution_sites WHERE institution_id = ?1 ORDER BY address"
PERMITS = "SELECT * FROM permits WHERE institution_id = ?1 ORDER BY valid_until DESC, permit_no"
CLASSES = "SELECT * FROM institution_classes WHERE institution_id = ?1 ORDER BY class_code"
FUNDS = "SELECT * FROM fund_supervision WHERE institution_id = ?1 ORDER BY mode"
LISTINGS = _sql(
    "SELECT l.*, $document FROM listings l $from WHERE l.institution_id = ?1 AND $listed ORDER BY COALESCE(l.as_of, d.as_of, s.as_of) DESC, l.id LIMIT ?3",
    "l",
)
NOTICES = _sql(
    """SELECT $notice, k.method, k.confidence, $document FROM notice_links k JOIN notices n ON n.id = k.notice_id $from
    WHERE k.institution_id = ?1 AND $in_force ORDER BY n.decided_on DESC, n.id LIMIT ?3""",
    "n",
)
RATINGS = """SELECT month, dimension, scale_max, rating_count, histogram, is_suppressed, source_id FROM ratings WHERE institution_id = ?1
    ORDER BY dimension, scale_max, month"""

# of an institution that is gone: the ones that are there in its place, by however many steps; a circle ends by itself
SUCCESSORS = """WITH RECURSIVE onward(id) AS (SELECT successor_id FROM institution_lineage WHERE predecessor_id = ?1
    UNION SELECT l.successor_id FROM institution_lineage l JOIN onward o ON l.predecessor_id = o.id)
    SELECT i.id, i.name, i.region_code, i.region_text, i.address FROM onward o JOIN institutions i ON i.id = o.id ORDER BY i.id LIMIT ?2"""
SUCCEEDED_BY = "SELECT successor_id AS id, kind, method, since FROM institution_lineage WHERE predecessor_id = ?1 ORDER BY since, 1"
PREDECESSORS = """WITH RECURSIVE back(id, successor_id, kind, method, since) AS (
    SELECT predecessor_id, successor_id, kind, method, since FROM institution_lineage WHERE successor_id = ?1
    UNION SELECT l.predecessor_id, l.successor_id, l.kind, l.method, l.since FROM institution_lineage l JOIN back b ON l.successor_id = b.id)
    SELECT * FROM back ORDER BY since DESC, id, successor_id LIMIT ?2"""

NOTICE = _sql("SELECT n.*, $document FROM notices n $from WHERE n.id = ?1", "n")
PENALTIES = "SELECT penalty_code FROM notice_penalties WHERE notice_id = ?1 ORDER BY penalty_code"
# of several: ?1 is a JSON array of their ids
ORDERED = """SELECT 'penalties' AS part, notice_id, penalty_code AS code FROM notice_penalties WHERE notice_id IN (SELECT value FROM json_each(?1))
    UNION ALL SELECT 'measures', notice_id, measure_code FROM notice_measures WHERE notice_id IN (SELECT value FROM json_each(?1)) ORDER BY 1, 2, 3"""
STATEMENTS = """SELECT notice_id, number, kind, said_by, said_on, text, document, fields, recorded_on, settled_on FROM notice_statements
    WHERE notice_id IN (SELECT value FROM json_each(?1)) ORDER BY notice_id, number"""
MEASURES = "SELECT measure_code FROM notice_measures WHERE notice_id = ?1 ORDER BY measure_code"
LINKS = """SELECT k.institution_id, i.name, k.method, k.confidence FROM notice_links k JOIN institutions i ON i.id = k.institution_id
    WHERE k.notice_id = ?1 ORDER BY k.institution_id"""

# of a name or number that is looked up: ?1 is a JSON array, of ids or of numbers
MEANT = """SELECT id, name, region_code, region_text, address, credit_code AS code FROM institutions WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id"""
MEANT_ALIASES = (
    "SELECT institution_id, name, kind FROM institution_aliases WHERE institution_id IN (SELECT value FROM json_each(?1)) ORDER BY 1, 2"
)
MEANT_PERMITS = "SELECT institution_id, permit_no FROM permits WHERE institution_id IN (SELECT value FROM json_each(?1)) ORDER BY 1, 2"
MEANT_SITES = """SELECT institution_id, region_code FROM institution_sites WHERE institution_id IN (SELECT value FROM json_each(?1)) AND region_code IS NOT NULL
    ORDER BY 1, 2"""
BY_CODE = "SELECT id FROM institutions WHERE credit_code IN (SELECT value FROM json_each(?1)) ORDER BY id LIMIT ?2"
BY_PERMIT = "SELECT DISTINCT institution_id AS id FROM permits WHERE permit_no IN (SELECT value FROM json_each(?1)) ORDER BY 1 LIMIT ?2"
SOME = "SELECT name FROM institutions WHERE length(name) < 100 ORDER BY id LIMIT ?1"
