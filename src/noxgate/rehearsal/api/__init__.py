"""The reference NOX API of the rehearsal: an honest application on real PostgreSQL and Redis.

`python -m noxgate.rehearsal.api` serves, `python -m noxgate.rehearsal.api.worker` computes the jobs.
"""
