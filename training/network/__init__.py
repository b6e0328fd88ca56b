"""The network between features and words."""
