"""Who may use the gateway: users and their tokens, logins, devices for push notifications."""
