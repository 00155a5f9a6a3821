"""Encoders: a raw batch to an image, on the device."""
