"""What moderators and operators read of a programme."""
