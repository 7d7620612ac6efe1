"""Forms of those who write questions and mark answers."""
