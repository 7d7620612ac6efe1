"""What doctors see: the design system, home, catalogue and programme page."""
