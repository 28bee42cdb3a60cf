"""What is told about a call afterwards, or beside it: reports for Telnyx's support, and for one's own files."""
