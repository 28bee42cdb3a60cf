"""Telnyx's Voice API (call control): calls to a number that an application answers, by webhooks and HTTP commands."""
