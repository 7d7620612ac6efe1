"""What an audience needs and costs: arithmetic over measured costs, explained in docs/scaling.md."""
