"""What `python -m training NAME` runs, a command a file."""
