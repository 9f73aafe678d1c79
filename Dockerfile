# The portal's image: web, workers and beat are the same image with different commands (docker-compose.yml).
FROM python:3.12-slim

# tar: the files driver. postgresql-client: pg_dump and pg_restore, as new as the distribution has them. mariadb-client:
# mariadb-dump and mariadb, which also talk to MySQL.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends mariadb-client postgresql-client tar \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home portal \
    && install -d -o portal -g portal /data /data/scratch /data/attachments /regions/eu-central-1 /regions/eu-west-1

WORKDIR /srv/portal
COPY locks/base.txt locks/base.txt
RUN pip install --no-cache-dir --require-hashes -r locks/base.txt
COPY manage.py ./
COPY portal portal
COPY backups backups
COPY restores restores
COPY checkups checkups
COPY templates templates
COPY static static

ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 DATA_DIR=/data
# Static files are part of the image; the key is for this step alone and signs nothing.
RUN SECRET_KEY=only-for-collecting-static-files-while-the-image-is-built python manage.py collectstatic --no-input \
    && chown -R portal:portal /data

# Restoring the owners of files needs root, or a user of the right ones: see docs/operating.md.
USER portal
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "portal.supervisor.probe", "8000"]
CMD ["gunicorn", "portal.wsgi:application", "--bind", "0.0.0.0:8000", "--workers", "2", "--threads", "8", "--no-control-socket"]
