"""The convolutional network in NumPy, written to be read: nothing imports it, and tests hold the fast core against it.

Read it in this order: `convolution` (what a filter does), `matrix` (the same as linear algebra, and its transpose),
`pooling` (and its undoing), `activation` (non-linearities and losses), `lenet` (all of it in a network that learns).
"""
