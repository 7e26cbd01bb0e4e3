"""Alerts in, deliveries out: what to say to whom, and in which words. Pure."""
