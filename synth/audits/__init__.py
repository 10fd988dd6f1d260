"""Audits of a finished dataset: pure functions from arrays to numbers, one file a subject."""
