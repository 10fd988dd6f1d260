"""Screens for tampering, one a file. None of them proves that there is none."""
