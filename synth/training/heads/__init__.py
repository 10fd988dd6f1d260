"""The heads, one a file; the folder is the registry."""
