"""From posteriors to texts and boxes."""
