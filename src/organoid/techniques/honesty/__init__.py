"""Asking a subject about itself."""
