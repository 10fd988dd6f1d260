"""The embedded vector-to-face renderer."""
