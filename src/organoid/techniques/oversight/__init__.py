"""Looking at what a subject does."""
