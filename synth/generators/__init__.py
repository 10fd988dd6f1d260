"""The generators, one a file; the folder is the registry."""
