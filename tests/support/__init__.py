"""What tests of all kinds share: signals to send and find again, and what a process holds."""
