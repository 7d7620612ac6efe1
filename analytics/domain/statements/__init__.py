"""What people did as xAPI statements: `making` finds facts and writes them down, `sending` gives them to the store."""
