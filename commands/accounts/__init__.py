"""Accounts: who has one, what they sign in with, and how somebody who comes in is known."""
