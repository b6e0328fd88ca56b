"""Training of narvl-photo: photographs and captions in, `public/models/narvl-photo/` out."""
