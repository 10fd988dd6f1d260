"""Data files of the renderer and the scripts that make them."""
