"""How the questions of a test behave, for their authors. `report.analyse` puts all of it together.

`reading` brings the marked answers from PostgreSQL into arrays; everything else is arithmetic on arrays.
"""
