"""Texts of photos in the field's formats, and batches of them."""
