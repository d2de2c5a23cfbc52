"""Asking a subject about itself, and holding what it thinks aloud against what it says."""
