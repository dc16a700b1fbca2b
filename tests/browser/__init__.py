"""Tests of the dashboard's page in a browser, within a real host."""
