"""Numbers of rules that pages tell and nothing is decided by. Those that decide are in `publish.rules` and `publish.fresh`.

Prepayment: 关于规范面向中小学生的非学科类校外培训的意见 (Ministry of Education and twelve other departments, December 2022): fees may not be taken at once, by top-ups and
passes neither, for more than 3 months or 60 class hours, nor for more than 5,000 yuan. Fees of academic training are besides set by the government.

Credit repair: 国办发〔2025〕22号 (part 2) and 信用修复管理办法 (order 36 of the National Development and Reform Commission, in force since 2026-04-01).
"""

PREPAID = {"months": 3, "hours": 60, "yuan": "5,000"}
REMOVED_WITHIN_HOURS = 24  # rule 6: from when a withdrawal is entered to when it has reached everything
REPAIRED_AFTER = {"general": 3, "serious": 12}  # months that a notice is public at least before its subject may ask for repair
