"""Warp kernels of the renderer."""
