"""The recognisers, one a file; the folder is the registry."""
