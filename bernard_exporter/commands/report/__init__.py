"""The report of the last night and week for a mail from cron."""
