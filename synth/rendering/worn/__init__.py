"""Meshes of what a person wears: glasses, hats, masks."""
