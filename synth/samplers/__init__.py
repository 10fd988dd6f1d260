"""The identity samplers, one a file; the folder is the registry."""
