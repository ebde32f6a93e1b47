FROM python:3.11-slim AS requirements

RUN python -m venv /opt/venv
COPY requirements.lock .
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.lock


FROM python:3.11-slim

ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# The only folders that the application may write: beat's schedule, and the heads of the audit's chain. A volume that is
# new takes their owner.
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin fortunes \
    && install -d -o fortunes /var/lib/fortunes/beat /var/lib/fortunes/heads

COPY --from=requirements /opt/venv /opt/venv
WORKDIR /app
COPY . .

# The settings want secrets and addresses; collecting files uses neither, and these are gone with this step.
RUN python -m config.local.secrets > /tmp/secrets.json \
    && FORTUNES_SECRETS=/tmp/secrets.json DATABASE_URL=postgres://build@127.0.0.1/build REDIS_URL=redis://127.0.0.1/0 \
       python manage.py collectstatic --noinput \
    && rm /tmp/secrets.json

USER fortunes
EXPOSE 8000

# /livez and not /readyz: whoever replaces what is unhealthy must not replace every process because the database is away.
# A balancer asks /readyz. Both answer before hosts and TLS are looked at.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD ["python", "-c", "\
import urllib.request as http; http.urlopen('http://127.0.0.1:8000/livez', timeout=3)"]

# The shell only puts the number in; exec makes uvicorn the process that gets the signals.
CMD ["sh", "-c", "exec uvicorn config.asgi:application --host 0.0.0.0 --port 8000 --workers ${WEB_PROCESSES:-2} \
--ws websockets-sansio --ws-max-size 65536 --ws-per-message-deflate false --timeout-graceful-shutdown 5 --no-access-log --no-server-header \
--log-level warning"]
