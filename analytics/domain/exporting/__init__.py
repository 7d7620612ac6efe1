"""Tables that people may take along: by page, by command and by the API, each with the same rows and definitions."""
