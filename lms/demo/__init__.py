"""The demonstration: a programme that looks like a real one in the middle of its year. Never in production."""
