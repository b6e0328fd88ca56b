"""How good texts are, and how sure."""
