"""Noise schedules and the schedulers that turn noise into latents."""
