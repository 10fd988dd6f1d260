"""The exporters, one a file; the folder is the registry."""
