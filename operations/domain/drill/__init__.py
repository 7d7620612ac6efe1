"""The mock drill: a webinar's own audience, played against an isolated copy of the data, and a verdict.

`record` is what was found out, `limits` what it must not exceed, `comparison` the drill before. `place` is the folder
with its lock, `copying` and `scrubbing` the data without its secrets, `site` the replicas, `staging` who comes and what
they find there, `faults` and `sampling` what happens meanwhile. `conducting` does it all; `report` writes it down.
"""
