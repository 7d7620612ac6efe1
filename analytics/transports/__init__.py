"""The far end of statements: a learning record store."""
