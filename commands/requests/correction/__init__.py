"""Correct what an input file said wrongly: match, plan, request, carry out."""
