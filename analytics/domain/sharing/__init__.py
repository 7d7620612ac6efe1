"""What leaves the society: aggregates for sponsors and auditors, in which nobody can be recognised."""
