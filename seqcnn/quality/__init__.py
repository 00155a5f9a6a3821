"""What is wrong with data, before anything is trained on them: one kind of check a file."""
