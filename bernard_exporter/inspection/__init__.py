"""What is shown of the inventory beyond metrics: every job, run, file and object, what changed and what is planned."""
