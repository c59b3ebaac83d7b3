# The gateway in two stages: the SIP stack is compiled in the first, the second has neither compiler nor root.
FROM debian:12-slim AS build
COPY script/build-pjsua2 script/common.sh /src/script/
COPY script/pjsua2 /src/script/pjsua2
COPY requirements-build.txt requirements-pjsua2-fallback.txt /src/
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3 \
    && TEXTBACK_CACHE=/cache /src/script/build-pjsua2 --no-fallback
COPY . /src
RUN python3 -m venv /opt/textback \
    && /opt/textback/bin/pip install --require-hashes -r /src/requirements.txt -r /src/requirements-build.txt \
    && /opt/textback/bin/pip install --no-deps /cache/pjsua2/*/*.whl \
    && /opt/textback/bin/pip install --no-deps --no-build-isolation /src

FROM debian:12-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        python3 ca-certificates libssl3 libsrtp2-1 libopus0 libsamplerate0 libgsm1 libspeex1 libspeexdsp1 libuuid1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --home-dir /var/lib/textback --create-home textback
COPY --from=build /opt/textback /opt/textback
USER textback
VOLUME /var/lib/textback
# The configuration is mounted at /etc/textback, its secrets at /etc/textback/secrets; user 10001 must be able to read them.
# Use the host's network: RTP ports and NAT do not mix.
ENTRYPOINT ["/opt/textback/bin/textback"]
CMD ["run"]
# Images of the OCI's format have no health check: docs/monitoring.md says how to give one.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s CMD ["/opt/textback/bin/textback", "healthy"]
STOPSIGNAL SIGTERM
