"""Trains face recognisers on exported datasets and judges them."""
