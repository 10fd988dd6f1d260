"""Stable Diffusion 1.5 conditioned on identity vectors: its networks, its noise and the way out of it."""
