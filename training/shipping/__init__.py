"""Files for the runtime, and the runtime asked."""
