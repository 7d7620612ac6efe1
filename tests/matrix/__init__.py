"""Every route of the site, and what each role gets there."""
