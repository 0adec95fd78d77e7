# The image of the function: Node without a shell or a package manager, the bundle, and the licences of its packages.
#
# Both images are pinned by the digest of their index, which covers amd64 and arm64. To update one, run:
#   docker buildx imagetools inspect gcr.io/distroless/nodejs22-debian12:nonroot
# and replace the digest by the printed one. Dependabot does this once a week. To build on other images:
#   buildah build --build-arg BUILDER=… --build-arg BASE=…
# BUILDER needs Node 20.19 or later with npm and a shell, BASE needs /nodejs/bin/node.
ARG BUILDER=node-with-npm
ARG BASE=node-alone

FROM --platform=$BUILDPLATFORM docker.io/library/node:22-bookworm-slim@sha256:43ac6c60b8f89723f746e8a92ce91abd5017e627ce1ddfe4238355d3a30b772c AS node-with-npm
FROM gcr.io/distroless/nodejs22-debian12:nonroot@sha256:13593b7570658e8477de39e2f4a1dd25db2f836d68a0ba771251572d23bb4f8e AS node-alone

# Built on the platform of the machine, without emulation, because the bundle is the same for every architecture.
FROM --platform=$BUILDPLATFORM ${BUILDER} AS bundle
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
# A secret named npmrc may configure the npm registry.
RUN --mount=type=cache,target=/root/.npm --mount=type=secret,id=npmrc,target=/root/.npmrc npm ci --ignore-scripts --no-audit --no-fund
COPY scripts/build.mjs scripts/packages.mjs scripts/
COPY schemas schemas
COPY src src
RUN node scripts/build.mjs function

FROM ${BASE}
LABEL org.opencontainers.image.title=function-event-driven-service \
      org.opencontainers.image.source=https://github.com/bizmatters/event-driven-service \
      org.opencontainers.image.licenses=Apache-2.0
COPY LICENSE /LICENSE
COPY --from=bundle /src/dist/THIRD_PARTY_LICENSES.txt /THIRD_PARTY_LICENSES.txt
COPY --from=bundle /src/dist/function.js /function.js
# The user that Crossplane runs functions as.
USER 2000:2000
EXPOSE 9443 8080
# Half the default, which saves memory and CPU for each call (npm run bench).
ENTRYPOINT ["/nodejs/bin/node", "--max-semi-space-size=8", "/function.js"]
CMD []
