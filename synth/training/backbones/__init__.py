"""The backbones, one a file; the folder is the registry."""
