"""Turns identity vectors into face datasets: the domain, its components and its files."""
