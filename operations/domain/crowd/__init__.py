"""Virtual doctors: a crowd that comes to a webinar as browsers do, over HTTP and WebSockets, and counts what it met.

`plan` says who comes and what they do, `arrivals` when, `run` lets them come from several processes, `measure` holds
what came of it, `verify` compares what was acknowledged with the database. Nothing here needs Django: the crowd knows
the site by its addresses only, and must cost less than the site it measures.
"""
