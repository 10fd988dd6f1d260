"""Puts a finished run's dataset on the Hugging Face hub: checks, folder, card, description for machines, upload."""
