"""Looking inside a subject."""
