"""Forms of credit: one module for each page."""
