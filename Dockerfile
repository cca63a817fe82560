# syntax=docker/dockerfile:1

# docker build --build-arg COMMIT="$(git rev-parse HEAD)" \
#     --build-arg COMMIT_DATE="$(git log -1 --format=%cs)" --tag outcrop .
#
# What is in the image is listed in deploy/image/root.sh: the binary, the four libraries that it is linked to, the
# system's certificate authorities. There is no shell. docs/containers.md says how to run it.

ARG RUST_VERSION=1.95.0

FROM rust:${RUST_VERSION}-bookworm AS build
WORKDIR /src
COPY . .
# What `outcrop --version` says beside the version. The repository isn't in the context.
ARG COMMIT=""
ARG COMMIT_DATE=""
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    OUTCROP_COMMIT="${COMMIT}" OUTCROP_COMMIT_DATE="${COMMIT_DATE}" \
    cargo build --release --locked --package outcrop --bin outcrop \
    && sh deploy/image/root.sh target/release/outcrop /image

FROM scratch
COPY --from=build /image/root/ /
# The folder for state is the user's, so that a new volume is too.
COPY --from=build --chown=65532:65532 /image/state/ /var/lib/outcrop/

ARG VERSION=0.1.0
ARG COMMIT=""
LABEL org.opencontainers.image.title="Outcrop" \
      org.opencontainers.image.description="An OpenAI-compatible gateway for Amazon Bedrock" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${COMMIT}"

# Variables, not flags: the health check reads them too.
ENV HOME=/home/outcrop \
    OUTCROP_LISTEN=0.0.0.0:8080 \
    OUTCROP_STATE_DIR=/var/lib/outcrop
# outcrop.toml is read here if there is one.
WORKDIR /etc/outcrop
# A number, so that Kubernetes can see that it isn't root's.
USER 65532:65532
VOLUME ["/var/lib/outcrop"]
EXPOSE 8080 9464
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=6s --start-period=10s --retries=3 CMD ["/usr/local/bin/outcrop", "health"]
ENTRYPOINT ["/usr/local/bin/outcrop"]
CMD ["serve"]
