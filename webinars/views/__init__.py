"""The pages of webinars: one module for each."""
