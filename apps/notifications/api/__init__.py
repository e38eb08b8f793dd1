"""What vendors of messages call."""
