"""Layers that torch does not have: pooling over whole records, padding-proof statistics, calibration, fixed filters."""
