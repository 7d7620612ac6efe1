"""Pages of credit: one module for each part of the work."""
