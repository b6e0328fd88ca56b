"""What the recipe says, the loop, checkpoints, teachers."""
