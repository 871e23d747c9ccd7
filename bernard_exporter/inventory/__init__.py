"""What is known of the metadata database between two polls, and how a poll brings it up to date."""
