"""The reference NOX API of the rehearsal: an honest application on real PostgreSQL and Redis.

`python -m nox_rehearsal.api` serves, `python -m nox_rehearsal.science.worker` computes the jobs.
"""
