"""The five stages of a run."""
