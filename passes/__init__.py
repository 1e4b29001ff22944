"""Passes: each takes a program and returns a better one; one a file, named by its verb."""
