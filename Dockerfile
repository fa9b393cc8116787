# syntax=docker/dockerfile:1
# The gateway alone in an image, for linux/amd64, arm64 and arm/v7:
#   docker buildx build --platform linux/amd64,linux/arm64,linux/arm/v7 \
#     --build-arg VERSION=$(git describe --tags --always) --build-arg COMMIT=$(git rev-parse HEAD) \
#     --build-arg BUILT=$(git log -1 --format=%cI) -t simpang .

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
COPY . .
ARG TARGETOS
ARG TARGETARCH
ARG TARGETVARIANT
ARG VERSION=unknown
ARG COMMIT=
ARG BUILT=
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH GOARM=${TARGETVARIANT#v} \
    go build -trimpath -buildvcs=false \
      -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT -X main.built=$BUILT" \
      -o /out/simpang ./cmd/simpang \
    && install -d -m 0700 /out/state/var/lib/simpang

# Nothing but the program, the authorities that it trusts, and its folder.

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/simpang /usr/bin/simpang
COPY --from=build --chown=65532:65532 /out/state/ /
USER 65532:65532
VOLUME ["/var/lib/simpang"]
EXPOSE 8080/tcp 1883/tcp 8883/tcp
# Whether it lives; whether it is ready is for people (docs/operations.md).
HEALTHCHECK --interval=30s --timeout=10s --start-period=2m --retries=3 \
  CMD ["/usr/bin/simpang", "health", "-config", "/etc/simpang/simpang.yaml"]
ENTRYPOINT ["/usr/bin/simpang"]
CMD ["serve", "-config", "/etc/simpang/simpang.yaml"]
