"""Accounts: users and their tokens, logins, devices for push notifications."""
