"""What a person should know of the last night and the last week, for a mail from cron."""
