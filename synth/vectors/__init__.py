"""Vectors by the thousand: the files they come in, their statistics, and how they keep their distance."""
