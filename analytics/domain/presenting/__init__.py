"""What a presenter sees of a webinar: numbers only, no page and no drawing."""
