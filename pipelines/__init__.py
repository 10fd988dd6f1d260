"""Runs, stages, executors and the command line."""
