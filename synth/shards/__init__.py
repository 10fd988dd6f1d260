"""Committed directories, tar files, tables and manifests."""
