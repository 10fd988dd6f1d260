"""Training and evaluation of recognisers, as commands."""
