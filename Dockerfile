# One image for web, live, worker, beat and migrate; the command decides (docker-compose.yml).
ARG PYTHON=3.13

FROM python:${PYTHON}-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
WORKDIR /srv/mahalla
# Packages change rarely: their layer stays when only our code moves.
COPY requirements.txt .
RUN pip install --requirement requirements.txt
COPY . .
# Embedded settings would serve static files unhashed; the values here only satisfy the reader and reach no server.
RUN for po in locale/*/LC_MESSAGES/django.po; do \
        pybabel --quiet compile --use-fuzzy --input-file "$po" --output-file "${po%.po}.mo"; \
    done \
    && EMBEDDED=0 SECRET_KEY=only-while-building-the-image DATABASE_URL=postgresql://build/build \
       REDIS_URL=redis://build DATA_DIR=/tmp python manage.py collectstatic --no-input --verbosity 0 \
    && python -m compileall -q apps config

FROM python:${PYTHON}-slim
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=config.settings \
    EMBEDDED=0 \
    DATA_DIR=/data
RUN groupadd --gid 10001 mahalla \
    && useradd --uid 10001 --gid mahalla --home-dir /data --shell /usr/sbin/nologin mahalla \
    && install --directory --owner mahalla --group mahalla /data
COPY --from=build /opt/venv /opt/venv
COPY --from=build /srv/mahalla /srv/mahalla
WORKDIR /srv/mahalla
USER mahalla
VOLUME /data
EXPOSE 8000
# No shell between the signal and the server: `docker stop` ends requests in flight properly.
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--blocking-threads", "2", "--no-ws", "--respawn-failed-workers", "config.wsgi:application"]
