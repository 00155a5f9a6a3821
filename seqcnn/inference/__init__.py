"""Inference: functions of an encoder, a network and raw batches."""
