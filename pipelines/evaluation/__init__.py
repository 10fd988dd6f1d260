"""Judges recognisers on published sets of pairs."""
