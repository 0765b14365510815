"""What carries each action out. What an action needs is loaded when it is taken."""
