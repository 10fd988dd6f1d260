"""The filters, one a file; the folder is the registry."""
