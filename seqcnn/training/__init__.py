"""Training: the loop, its recipe and schedule, calibration, the choice of strands and positions, convex fits."""
