"""Parts of the report: what is read, what is computed, what is drawn."""
