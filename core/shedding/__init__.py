"""What this process does when more is asked than it can answer: newcomers wait in a line, everybody else goes on.

`worker` measures how long a request waited for a thread, `pressure` judges it, `kinds` says whose request may wait,
`line` keeps the order of those who wait, `tickets` what their browsers hold, `page` what they see.
"""
