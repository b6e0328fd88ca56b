"""What looks at a photo: backbones, their tuning, and the features that are kept."""
