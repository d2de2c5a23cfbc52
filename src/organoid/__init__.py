"""Organoid: test a training setup on model organisms of misalignment, where the truth is known."""

__version__ = "0.1.0"
